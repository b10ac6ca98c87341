"""What a signature is about: one kind of statement and its facts, as fixed bytes.

The kind is part of what is signed, so a signature under a grant is none under a
contract, whatever the facts are.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fl_plugin.signing.keys import SigningKey, is_signed

Kind = Literal["contract", "grant", "head"]
FORMAT = "data-mesh statement v1"


@dataclass(frozen=True)
class Statement:
    """Facts that somebody may put their name to.

    Args:
        kind: What they are about.
        facts: JSON values under plain names.
    """

    kind: Kind
    facts: Mapping[str, Any]

    @property
    def bytes(self) -> bytes:
        """The canonical bytes: sorted keys, no spaces, ASCII."""
        body = json.dumps(
            {"format": FORMAT, "kind": self.kind, "facts": dict(self.facts)},
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=True,
            allow_nan=False,
        )
        return body.encode("ascii")

    def signed_by(self, key: SigningKey) -> str:
        """Return the signature of a key under these facts."""
        return key.sign(self.bytes)

    def holds(self, public: str, signature: str) -> bool:
        """Return whether the owner of a public key has signed these facts."""
        return is_signed(public, self.bytes, signature)
