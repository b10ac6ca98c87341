"""Who a domain is to the others, and who they are to it.

A domain signs its mask keys with an Ed25519 key of its own, made on first use and kept
beside its ledger. Others know it from `principals.yml`, where it is listed there; else
by what they saw first: what was seen once is written down, and another key under the
same name is refused from then on.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fl_plugin.errors import PolicyError, StorageError, UsageError
from fl_plugin.files import PRIVATE, whole
from fl_plugin.policy.types import Node
from fl_plugin.privacy.terms import Trust
from fl_plugin.signing.keys import (
    SigningKey,
    create_key,
    is_public_key,
    is_signed,
    load_key,
)

KEY_FILE = "identity.pem"
PEERS_FILE = "peers.json"
_LARGEST = 1_000_000


def identity_of(folder: Path) -> SigningKey:
    """Return a domain's key; made where there is none yet.

    Args:
        folder: The one that holds its ledger.

    Raises:
        StorageError: The file cannot be read or written, or others may read it.
    """
    file = folder / KEY_FILE
    if not file.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(KEY_FILE, error) from None
        with suppress(UsageError):  # another process was faster
            return create_key(file)
    return load_key(file)


def trust_of(folder: Path, node: Node, told: Mapping[str, Any]) -> Trust:
    """Return whom a domain trusts in a run; who is new is written down.

    Args:
        folder: The one that holds its ledger.
        node: Its settings; a key listed in the principals counts before all others.
        told: Domain to public key, as a coordinator says.

    Raises:
        PolicyError: A domain has another key than before, or there are too many.
        StorageError: The list of those that are known cannot be read or written.
    """
    listed = {name: d.key for name, d in node.principals.domains.items()}
    seen = _read(folder / PEERS_FILE)
    new = False
    for name, public in told.items():
        if name in listed or not is_public_key(public):
            continue
        new |= name not in seen
        if seen.setdefault(name, public) != public:
            raise PolicyError(
                f"The domain {name} has another identity than it had before, as "
                f"{node.domain} knows it.",
                remedy=f"Ask {name} whether it has a new key. If so, list the key in "
                f"principals.yml, or delete {name} from {PEERS_FILE} in the ledger's "
                f"folder of {node.domain}.",
                reason="identity.changed",
                domain=node.domain,
            )
    if new:
        words = json.dumps(seen, indent=1, sort_keys=True).encode()
        if len(words) > _LARGEST:  # it could not be read again
            raise PolicyError(
                f"{node.domain} knows as many other domains as {PEERS_FILE} holds.",
                remedy="Look whose names a coordinator has made up, in the ledger's "
                f"folder of {node.domain}; list true ones in principals.yml.",
                reason="identity.too_many",
                domain=node.domain,
            )
        try:
            with whole(folder / PEERS_FILE, mode=PRIVATE) as file:
                file.write(words)
        except OSError as error:
            raise _cannot_write(PEERS_FILE, error) from None
    return Trust(
        identities={**seen, **listed},
        is_signed=is_signed,
        two_parties=node.two_parties,
    )


def _cannot_write(name: str, error: OSError) -> StorageError:
    return StorageError(
        f"The file {name} beside the ledger cannot be written ({error.strerror}).",
        remedy="Free space or fix the permissions of the ledger's folder.",
    )


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    try:
        raw = json.loads(file.read_bytes()[:_LARGEST])
    except (OSError, ValueError):
        raw = None
    if not isinstance(raw, dict) or not all(is_public_key(k) for k in raw.values()):
        raise StorageError(
            f"The list of known domains, {PEERS_FILE}, cannot be read.",
            remedy="Restore it from a backup; deleting it makes every domain new.",
        )
    return raw
