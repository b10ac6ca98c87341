"""Secure aggregation over parties in memory, message by message, with parties lost.

Every message goes through JSON, as it would in the body of one of `messages.py`.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fl_plugin.privacy.aggregator import Aggregator
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.privacy.unmasking import MaskedSum
from fl_plugin.signing.keys import SigningKey, is_signed
from fl_plugin.summand import Array, Summand

STAGES = ("keys", "shares", "input", "endorse", "unmask")
Lost = Mapping[str, Collection[str]]


def names(parties: int) -> list[str]:
    return [f"p{i:02d}" for i in range(parties)]


def identities(parties: Collection[str]) -> dict[str, SigningKey]:
    return {p: SigningKey(Ed25519PrivateKey.generate()) for p in parties}


def trust_in(keys: Mapping[str, SigningKey], **settings: Any) -> Trust:
    known = {p: key.public for p, key in keys.items()}
    return Trust(identities=known, is_signed=is_signed, **settings)


@dataclass
class Cohort:
    """Parties and their coordinator.

    Args:
        terms: What they agree to.
        keys: The domains' identities; without them, nothing is signed.
        lost: At each stage, who falls silent; at an earlier one than its answer.
    """

    terms: Terms
    keys: Mapping[str, SigningKey] = field(default_factory=dict)
    lost: Lost = field(default_factory=dict)
    seen: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        trust = trust_in(self.keys) if self.keys else Trust(unsigned=True)
        self.aggregator = Aggregator(self.terms, trust)
        self.parties = {
            p: PartyMasks(
                p, self.terms, trust, self.keys[p].sign if self.keys else None
            )
            for p in self.terms.parties
        }

    def silent(self, stage: str) -> set[str]:
        """Who has been lost by the end of a stage."""
        until = STAGES[: STAGES.index(stage) + 1]
        return {party for s in until for party in self.lost.get(s, ())}

    def prepare(self, first: int = 0, rounds: int = 1) -> None:
        """Exchange keys and shares, for a batch of rounds."""
        rounds = rounds if self.terms.recovers else 0
        sent = {p: m.announce(first, rounds) for p, m in self.parties.items()}
        keys = wire(self.aggregator.collect(wire(sent, without=self.silent("keys"))))
        shares = {p: self.parties[p].share(keys) for p in keys}
        if self.terms.recovers:
            sealed = self.aggregator.relay(wire(shares, self.silent("shares")))
            for party, received in wire(sealed).items():
                self.parties[party].accept(received)

    def hide(
        self,
        words: Mapping[str, Mapping[str, Words]],
        expected: Mapping[str, Summand],
        number: int = 0,
    ) -> dict[str, dict[str, Array]]:
        """Return what each party of the batch that is not lost sends."""
        return {
            p: self.parties[p].hide(words[p], expected, number, f"asked {number}")
            for p in self.aggregator.cohort
            if p not in self.silent("input")
        }

    def total(
        self,
        words: Mapping[str, Mapping[str, Words]],
        expected: Mapping[str, Summand],
        number: int = 0,
    ) -> tuple[tuple[str, ...], dict[str, Words]]:
        """Return who is in the sum, and the sums."""
        hidden = self.hide(words, expected, number)
        masked = self.aggregator.add(hidden, expected, number, f"asked {number}")
        return masked.round.alive, self.unmask(masked)

    def unmask(self, masked: MaskedSum) -> dict[str, Words]:
        """Return the sums, unmasked with the help of who is not lost."""
        number, lists = masked.round.number, wire(masked.lists)
        endorsements = {}
        if masked.needs_endorsement:
            signed = {
                p: self.parties[p].endorse(number, **lists)
                for p in masked.round.alive
                if p not in self.silent("endorse")
            }
            endorsements = wire(masked.endorsed(wire(signed)))
        if not masked.is_masked:
            return masked.unmask({})
        given = {
            p: self.parties[p].unmask(number, **lists, endorsements=endorsements)
            for p in masked.round.alive
            if p not in self.silent("unmask")
        }
        return masked.unmask(wire(given))


def wire(message: Mapping[str, Any], without: Collection[str] = ()) -> dict[str, Any]:
    """Return a message as it arrives, without the parties that are silent."""
    left = {name: value for name, value in message.items() if name not in without}
    return dict(json.loads(json.dumps(left)))


def random_words(
    rng: np.random.Generator, expected: Mapping[str, Summand]
) -> dict[str, Words]:
    """Return words as a bound of an eighth of what the width holds allows."""
    return {
        n: (rng.integers(-(2**60), 2**60, s.shape) >> (64 - 8 * s.width)).view(
            np.uint64
        )
        for n, s in expected.items()
    }


def cut_sum(
    parts: Collection[Mapping[str, Words]], expected: Mapping[str, Summand]
) -> dict[str, Words]:
    """Return the plain fixed-point sums, modulo what is sent of each word."""
    low = {n: np.uint64(2 ** (8 * s.width) - 1) for n, s in expected.items()}
    return {
        n: np.asarray(np.sum([p[n] for p in parts], axis=0, dtype=np.uint64) & low[n])
        for n in expected
    }


def same_low_bytes(
    got: Mapping[str, Words],
    wanted: Mapping[str, Words],
    expected: Mapping[str, Summand],
) -> bool:
    """Whether sums agree in every byte that was sent."""
    return set(got) == set(wanted) and all(
        np.array_equal(got[n] & np.uint64(2 ** (8 * s.width) - 1), wanted[n])
        for n, s in expected.items()
    )
