"""What all parties of a secure aggregation agree to, and what each one insists on.

`Terms` travel: the coordinator proposes them, every party checks them and signs its
keys together with them, so all who take part have seen the same. `Trust` never travels:
it is what a domain's own settings say.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from fl_plugin.errors import MessageError

VERSION = "data-mesh secure aggregation v1"
MODULUS_BITS = 64
MIN_PARTIES = 3
MAX_PARTIES = 1_000
STOP, RECOVER = "stop", "recover"
TWO_PARTIES = "we accept that two parties can derive each other's sums"
_NAME = re.compile(r"[a-z0-9_.-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """One run's cohort, and what happens where one of it falls silent.

    Args:
        run: The run's id; keys of one run are useless in another.
        parties: The cohort's names, sorted.
        mode: "stop": a lost party stops the run. "recover": the sum over the others is
            still found, by shares of the lost party's keys.
        threshold: How many parties together can lift a mask; all of them for "stop".
    """

    run: str
    parties: tuple[str, ...]
    mode: str
    threshold: int

    def __post_init__(self) -> None:
        names = (self.run, *self.parties)
        if not all(isinstance(n, str) and _NAME.fullmatch(n) for n in names):
            raise refused("a name is not allowed")
        if list(self.parties) != sorted(set(self.parties)):
            raise refused("the cohort's names are doubled or not sorted")
        size = len(self.parties)
        if not 2 <= size <= MAX_PARTIES or self.mode not in (STOP, RECOVER):  # noqa: PLR2004
            raise refused("the cohort's size or the mode is not allowed")
        if self.mode == RECOVER and size < MIN_PARTIES:
            raise refused("fewer than three parties cannot lose one")
        # Half of the parties or fewer could lift the two masks of one party, one each.
        least = size if self.mode == STOP else size // 2 + 1
        if type(self.threshold) is not int or not least <= self.threshold <= size:
            raise refused("the threshold is not more than half of the cohort")

    @classmethod
    def stopping(cls, run: str, parties: Sequence[str]) -> Self:
        """Return terms under which a lost party stops the run."""
        names = tuple(sorted(parties))
        return cls(run=run, parties=names, mode=STOP, threshold=len(names))

    @classmethod
    def recovering(
        cls, run: str, parties: Sequence[str], threshold: int | None = None
    ) -> Self:
        """Return terms that bear lost parties; by default up to a third of them.

        A coordinator that deviates learns no more than one sum a round while fewer
        than 2 x threshold - parties domains help it (Bonawitz et al., theorem 6.5): by
        default fewer than a third of them, too.
        """
        names = tuple(sorted(parties))
        chosen = 2 * len(names) // 3 + 1 if threshold is None else threshold
        return cls(run=run, parties=names, mode=RECOVER, threshold=chosen)

    @classmethod
    def read(cls, message: Mapping[str, Any]) -> Self:
        """Return the terms that a message proposes.

        Raises:
            MessageError: They are not complete, of another version, or not allowed.
        """
        known = {"version", "modulus_bits", "run", "parties", "mode", "threshold"}
        if not isinstance(message, Mapping) or set(message) != known:
            raise refused("the terms are not complete")
        if message["version"] != VERSION or message["modulus_bits"] != MODULUS_BITS:
            raise refused("the terms are of another version or modulus")
        if not isinstance(message["parties"], list | tuple):
            raise refused("the terms name no cohort")
        return cls(
            run=message["run"],
            parties=tuple(message["parties"]),
            mode=message["mode"],
            threshold=message["threshold"],
        )

    @property
    def message(self) -> dict[str, Any]:
        """The terms as JSON values."""
        return {
            "version": VERSION,
            "modulus_bits": MODULUS_BITS,
            "run": self.run,
            "parties": list(self.parties),
            "mode": self.mode,
            "threshold": self.threshold,
        }

    @property
    def recovers(self) -> bool:
        """Whether a lost party can be borne."""
        return self.mode == RECOVER

    @property
    def fewest(self) -> int:
        """How many parties a sum is at least over."""
        return max(self.threshold, MIN_PARTIES) if self.recovers else len(self.parties)

    def point(self, party: str) -> int:
        """Return where a party's shares lie on the polynomials."""
        return self.parties.index(party) + 1

    def statement(self, about: str, facts: Mapping[str, Any]) -> bytes:
        """Return the bytes that a party signs: the terms, and facts of its own."""
        said = {**self.message, "about": about, "facts": dict(facts)}
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def _nobody_signed(public: str, message: bytes, signature: str) -> bool:  # noqa: ARG001
    return False


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What one domain's own settings say; nothing of it comes from a message.

    Args:
        identities: The public key ("ed25519:...") of every domain that is known.
        is_signed: Whether the owner of a public key has signed a message:
            `signing.keys.is_signed`.
        unsigned: Whether keys of a domain without a known identity are accepted. The
            coordinator could then have put its own in their place.
        two_parties: `TWO_PARTIES`, word for word, where the domain takes part in sums
            over two, from which each can derive the other's part.
    """

    identities: Mapping[str, str] = field(default_factory=dict)
    is_signed: Callable[[str, bytes, str], bool] = _nobody_signed
    unsigned: bool = False
    two_parties: str = ""

    def check_cohort(self, terms: Terms) -> None:
        """Refuse a cohort that these settings do not accept."""
        if len(terms.parties) < MIN_PARTIES and self.two_parties != TWO_PARTIES:
            raise refused("fewer than three parties are in the cohort")

    def check_signature(self, domain: str, message: bytes, signature: str) -> bool:
        """Return whether a domain's signature is known to hold; False if unknown.

        Raises:
            MessageError: The signature is wrong, or the domain unknown and signatures
                are required.
        """
        public = self.identities.get(domain)
        if public is None:
            if not self.unsigned:
                raise refused(f"no identity of {domain} is known here")
            return False
        if not self.is_signed(public, message, signature):
            raise refused(f"the keys or words of {domain} are not signed by it")
        return True


def refused(why: str) -> MessageError:
    """Return the error of a protocol that somebody has left."""
    return MessageError(
        f"Secure aggregation was refused: {why}.",
        remedy="Train over at least three domains, each with keys of its own that it "
        "has signed, and check that every node runs the same version of fl_plugin.",
    )
