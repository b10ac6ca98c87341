"""A party's public keys for a run, or for the next rounds of it, signed by its domain.

Two kinds of keys, as in Bonawitz et al. (2017): one agreement key, with which pairs
speak in private, and for each round a mask key of its own, which may be given up if the
party is lost in that round, and in no other. Under "stop" nothing is ever given up, so
the agreement key makes the masks of all rounds.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fl_plugin.privacy.derivation import KEY_BYTES, seal
from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.privacy.terms import Terms, Trust, refused

MAX_ROUNDS = 1_000
_KEY = re.compile(r"[0-9a-f]{64}")
_MOST_SIGNATURE = 200


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What everybody may know of one party's keys.

    Args:
        party: Whose they are.
        first: The first of the rounds they are for.
        agreement: 32 bytes.
        masks: One key (32 bytes) for each round; none under "stop".
        seals: The commitment to each round's seed, as `derivation.seal` makes it.
        signature: Of the domain, under `statement`; empty where it has no identity.
    """

    party: str
    first: int
    agreement: bytes
    masks: tuple[bytes, ...]
    seals: tuple[bytes, ...]
    signature: str = ""

    @classmethod
    def read(cls, party: str, message: Any) -> Self:
        """Return what a party has sent.

        Raises:
            MessageError: It is not complete, or something in it is no key.
        """
        known = {"first", "agreement", "masks", "seals", "signature"}
        if not isinstance(message, Mapping) or set(message) != known:
            raise refused(f"the keys of {party} are not complete")
        first, signature = message["first"], message["signature"]
        if type(first) is not int or not 0 <= first < 2**40:
            raise refused(f"the keys of {party} are for no round")
        if not isinstance(signature, str) or len(signature) > _MOST_SIGNATURE:
            raise refused(f"the signature of {party} is not valid")
        masks, seals = _keys(party, message["masks"]), _keys(party, message["seals"])
        if len(masks) != len(seals):
            raise refused(f"the keys of {party} are not complete")
        (agreement,) = _keys(party, [message["agreement"]])
        return cls(
            party=party,
            first=first,
            agreement=agreement,
            masks=masks,
            seals=seals,
            signature=signature,
        )

    @property
    def message(self) -> dict[str, Any]:
        """The announcement as JSON values."""
        return {**self._facts, "signature": self.signature}

    @property
    def keys(self) -> tuple[bytes, ...]:
        """All its public keys."""
        return (self.agreement, *self.masks)

    def statement(self, terms: Terms) -> bytes:
        """Return what the domain signs: the terms, and these keys as its own."""
        return terms.statement("keys", {"party": self.party, **self._facts})

    @property
    def _facts(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "agreement": self.agreement.hex(),
            "masks": [key.hex() for key in self.masks],
            "seals": [key.hex() for key in self.seals],
        }


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """The private half of an announcement; it leaves its party in no message.

    Args:
        agreement: The agreement key.
        masks: The mask key of each round.
        seeds: The seed of each round's own mask, 32 bytes.
    """

    agreement: X25519PrivateKey = field(repr=False)
    masks: tuple[X25519PrivateKey, ...] = field(repr=False)
    seeds: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def fresh(cls, rounds: int, source: RandomBytes = os.urandom) -> Self:
        """Make keys and seeds of 256 bits each."""
        drawn = [source(KEY_BYTES) for _ in range(1 + 2 * rounds)]
        keys = [X25519PrivateKey.from_private_bytes(b) for b in drawn[: 1 + rounds]]
        return cls(
            agreement=keys[0], masks=tuple(keys[1:]), seeds=tuple(drawn[1 + rounds :])
        )

    def announced(
        self, party: str, first: int, terms: Terms, sign: Callable[[bytes], str] | None
    ) -> Announcement:
        """Return the public half, signed where the domain has an identity."""
        facts: dict[str, Any] = {
            "party": party,
            "first": first,
            "agreement": public(self.agreement),
            "masks": tuple(public(key) for key in self.masks),
            "seals": tuple(seal(seed) for seed in self.seeds),
        }
        signature = sign(Announcement(**facts).statement(terms)) if sign else ""
        return Announcement(**facts, signature=signature)


def public(key: X25519PrivateKey) -> bytes:
    """Return the public half of a key."""
    return key.public_key().public_bytes_raw()


def read_all(message: Any, terms: Terms) -> dict[str, Announcement]:
    """Return every party's announcement of one message, by name.

    Raises:
        MessageError: Too few are there, one is of another cohort or for other rounds,
            or a key stands there twice.
    """
    if not isinstance(message, Mapping) or not set(message) <= set(terms.parties):
        raise refused("keys of a party outside the cohort came")
    if len(message) < terms.fewest:
        raise refused("too few parties of the cohort have sent keys")
    found = {p: Announcement.read(p, message[p]) for p in sorted(message)}
    if len({(a.first, len(a.masks)) for a in found.values()}) > 1:
        raise refused("the keys are for different rounds")
    keys = [key for a in found.values() for key in a.keys]
    if len(set(keys)) < len(keys):
        raise refused("one key is announced twice")
    return found


def unverified(
    announcements: Mapping[str, Announcement], terms: Terms, trust: Trust
) -> tuple[str, ...]:
    """Return whose keys nobody vouches for; none, unless the trust allows some.

    Raises:
        MessageError: A signature is wrong, or a domain's identity is not known.
    """
    return tuple(
        party
        for party, told in announcements.items()
        if not trust.check_signature(party, told.statement(terms), told.signature)
    )


def _keys(party: str, texts: Any) -> tuple[bytes, ...]:
    if not isinstance(texts, list | tuple) or len(texts) > MAX_ROUNDS:
        raise refused(f"the keys of {party} are no list, or too many")
    if not all(isinstance(t, str) and _KEY.fullmatch(t) for t in texts):
        raise refused(f"a key of {party} is not valid")
    return tuple(bytes.fromhex(t) for t in texts)
