"""What all domains of a matching have agreed on before it."""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from fl_plugin.alignment.counts import parts
from fl_plugin.alignment.rules import rule_for
from fl_plugin.errors import ContractError, MessageError

VERSION = "fl_plugin matching 1"
BLINDED, KEYED_HASH = "blinded", "keyed_hash"
LEAST_SALT = 32
LEAST_PARTIES, MOST_PARTIES = 2, 16


@dataclass(frozen=True, kw_only=True)
class MatchingTerms:
    """The terms; the coordinator knows them too, but for the salt.

    Args:
        run: Of which matching; hashes of one run fit no other.
        parties: Who takes part, sorted.
        rules: The name of a rule for each key column.
        method: "blinded", or "keyed_hash": faster, and whoever has the salt can test
            keys.
        salted: Whether the domains share a salt.
        seed: Of the study: the order of matched rows comes from it.
        smallest_list: Shorter lists are filled up to it.
        longest_part: Entries of a list that travel in one message.
    """

    run: str
    parties: tuple[str, ...]
    rules: tuple[str, ...]
    method: str = BLINDED
    salted: bool = False
    seed: int = 0
    smallest_list: int = 256
    longest_part: int = 16_384

    def __post_init__(self) -> None:
        names = sorted(set(self.parties))
        if (
            list(self.parties) != names
            or not LEAST_PARTIES <= len(names) <= MOST_PARTIES
        ):
            raise _wrong("A matching needs 2 to 16 domains, sorted.")
        if self.method not in (BLINDED, KEYED_HASH):
            raise _wrong(f"There is no way of matching named {self.method}.")
        if self.method == KEYED_HASH and not self.salted:
            raise _wrong("Matching by keyed hash needs a salt.")
        if not self.run or self.smallest_list < 1 or self.longest_part < 1:
            raise _wrong("A matching needs a run, and lists of at least one entry.")
        for rule in self.rules:
            rule_for(rule)

    @property
    def stages(self) -> int:
        """How many domains a list passes, its owner included."""
        return len(self.parties) if self.method == BLINDED else 1

    def owner(self, party: str, stage: int) -> str:
        """Return whose list a party has at a stage: lists go round, in sorted order."""
        return self.parties[(self.parties.index(party) - stage) % len(self.parties)]

    def after(self, party: str) -> str:
        """Return whom a party hands a list on to."""
        return self.owner(party, -1)

    def before(self, party: str) -> str:
        """Return from whom a party gets a list."""
        return self.owner(party, 1)

    def peers(self, party: str) -> tuple[str, ...]:
        """Return all others."""
        return tuple(p for p in self.parties if p != party)

    def box(self, peer: str) -> str:
        """Return the name of the array for, or from, a peer."""
        return f"peer.{self.parties.index(peer)}"

    def parts(self, size: int) -> list[slice]:
        """Return the parts in which a list travels."""
        return parts(size, self.longest_part)

    def secret(self, use: str, salt: bytes) -> bytes:
        """Return the key of a keyed hash for one use in this run, 64 bytes.

        Without a salt it is no secret: it only keeps runs and uses apart.

        Raises:
            ContractError: There is a salt and should be none, or the reverse, or it is
                short.
        """
        self.check_salt(salt)
        about = json.dumps([VERSION, use, self.run]).encode()
        return hmac.digest(salt, about, "sha512")

    def check_salt(self, salt: bytes) -> None:
        """Raise a `ContractError` where the salt does not fit the terms."""
        if self.salted and len(salt) < LEAST_SALT:
            raise _wrong(f"A salt needs {LEAST_SALT} random bytes at least.")
        if salt and not self.salted:
            raise _wrong("There is a salt, and the terms of the matching name none.")

    def agreement(self, salt: bytes) -> bytes:
        """Return what is equal where terms and salt are; only with the salt is it made.

        A salt of 32 random bytes cannot be found from it.
        """
        told = json.dumps(asdict(self), sort_keys=True).encode()
        return hashlib.sha256(self.secret("agreement", salt) + told).digest()


def refused(what: str, remedy: str = "") -> MessageError:
    """Return the error for a message that does not belong where it came."""
    return MessageError(
        f"The matching stopped: {what}.",
        remedy=remedy
        or "Start it again; if this repeats, check the nodes of all domains and of the "
        "coordinator.",
    )


def _wrong(problem: str) -> ContractError:
    return ContractError(problem, remedy="See docs/matching.md.")
