"""Sums under secure aggregation: keys beforehand, masked parts, unmasking after.

What is said in which order stands in `privacy.aggregator`; here it becomes messages.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from fl_plugin.privacy.aggregator import Aggregator
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.privacy.unmasking import MaskedSum
from fl_plugin.summand import Arrays, Summand

# Keys for so many sums are made at once where a lost party is to be borne.
BATCH = 64


class Asking(Protocol):
    """Ask the parties named; return the bodies of those that answered."""

    def __call__(
        self, kind: str, bodies: Mapping[str, Mapping[str, Any]]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Send each party its message."""


class SecureSums:
    """The masked sums of one run.

    Args:
        terms: What was proposed to the parties.
        trust: Whose keys the coordinator knows.
        ask: How the parties are asked.
    """

    def __init__(self, terms: Terms, trust: Trust, ask: Asking) -> None:
        self.terms = terms
        self._aggregator = Aggregator(terms, trust)
        self._ask = ask
        self._number = -1  # of the newest sum
        self._end = 0  # of the keys that were made
        self._left_out: set[str] = set()

    @property
    def left_out(self) -> tuple[str, ...]:
        """Who fell silent, or sent what is not valid, in the newest sum or keys."""
        return tuple(sorted({*self._aggregator.left_out, *self._left_out}))

    def next(self) -> int:
        """Return the number of the next sum; keys are made where they are used up."""
        self._number += 1
        if self._number >= self._end:
            self._make_keys()
        return self._number

    def total(
        self,
        received: Mapping[str, Arrays],
        expected: Mapping[str, Summand],
        context: str,
    ) -> dict[str, Words]:
        """Return the sum of what came, unmasked.

        Raises:
            MessageError: Too few parties are left.
        """
        masked = self._aggregator.add(received, expected, self._number, context)
        if not masked.is_masked:
            return masked.unmask({})
        try:
            return self._unmasked(masked)
        finally:
            self._left_out |= set(masked.left_out)

    def _unmasked(self, masked: MaskedSum) -> dict[str, Words]:
        told: dict[str, Any] = {"number": self._number, **masked.lists}
        alive = masked.round.alive
        if masked.needs_endorsement:
            signed = self._ask("endorse", dict.fromkeys(alive, told))
            texts = {p: body.get("endorsement") for p, body in signed.items()}
            told["endorsements"] = masked.endorsed(texts)
        given = self._ask("unmask", dict.fromkeys(alive, told))
        return masked.unmask({p: body.get("shares") for p, body in given.items()})

    def _make_keys(self) -> None:
        parties = self._aggregator.cohort or self.terms.parties
        recovers = self.terms.recovers
        batch = {"first": self._number, "rounds": BATCH if recovers else 0}
        made = self._ask("keys", dict.fromkeys(parties, batch))
        told = self._aggregator.collect(
            {p: body.get("announcement") for p, body in made.items()}
        )
        shared = self._ask("share", {p: {"announcements": told} for p in told})
        self._end = self._number + BATCH if recovers else 2**62
        if not recovers:
            return
        sealed = self._aggregator.relay(
            {p: body.get("shares") for p, body in shared.items()}
        )
        self._ask("accept", {p: {"shares": s} for p, s in sealed.items()})
