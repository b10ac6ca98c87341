"""The coordinator's half of secure aggregation: it relays, adds, and unmasks the sum.

It never holds what could unmask one party's message. Its stages answer those of
`PartyMasks`, in order:

    collect -> relay -> (add -> [MaskedSum.endorsed] -> MaskedSum.unmask), and so on

Under "recover" a party that is silent, or whose message is not valid, is lost at that
stage and the others go on while enough are left; `left_out` says who and why. Under
"stop" it ends the run.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from fl_plugin.errors import MessageError
from fl_plugin.privacy.announcement import Announcement, read_all
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.privacy.received import check_part
from fl_plugin.privacy.terms import Terms, Trust, refused
from fl_plugin.privacy.unmasking import MaskedSum, Round
from fl_plugin.summand import Summand

Read = TypeVar("Read")


class Aggregator:
    """The coordinator of one run.

    Args:
        terms: What it proposed to the parties.
        trust: Which identities it knows: a message that is not signed by its known
            sender is left out here already, instead of by every party.
    """

    def __init__(self, terms: Terms, trust: Trust | None = None) -> None:
        self._terms = terms
        self._trust = trust or Trust(unsigned=True)
        self._told: dict[str, Announcement] = {}
        self._cohort: tuple[str, ...] = ()
        self.left_out: dict[str, str] = {}  # who was lost last, and why

    @property
    def cohort(self) -> tuple[str, ...]:
        """Who is to answer the rounds of this batch."""
        return self._cohort

    def collect(self, received: Mapping[str, Any]) -> dict[str, Any]:
        """Take every party's keys; return them all, to be sent to those who sent them.

        Raises:
            MessageError: Too few parties have sent valid keys.
        """
        self.left_out = {}
        told = self._read(self._terms.parties, received, self._announcement)
        messages = {party: a.message for party, a in told.items()}
        self._told = read_all(messages, self._terms)
        self._cohort = () if self._terms.recovers else tuple(self._told)
        return messages

    def relay(self, received: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """Take everybody's encrypted shares; return each holder's, by sender.

        Raises:
            MessageError: Too few parties have sent shares.
        """
        if not self._terms.recovers:
            raise refused("there are no shares where a lost party stops the run")
        sent = self._read(tuple(self._told), received, self._sealed)
        self._cohort = self._enough(sent)
        return {
            holder: {p: s[holder] for p, s in sent.items() if p != holder}
            for holder in self._cohort
        }

    def add(
        self,
        received: Mapping[str, Any],
        expected: Mapping[str, Summand],
        number: int,
        context: str,
    ) -> MaskedSum:
        """Add what came of one round.

        Args:
            received: The masked arrays, by party.
            expected: The summand of every array.
            number: Of the round.
            context: What the parties were told of it.

        Raises:
            MessageError: Too few parties have answered.
        """
        if not self._cohort:
            raise refused("keys or shares are missing")
        sums: dict[str, Words] = {}

        def part(party: str, arrays: Any) -> bool:
            for name, words in check_part(party, expected, arrays, masked=True).items():
                if name in sums:
                    sums[name] += words
                else:
                    sums[name] = np.array(words)
            return True

        alive = self._enough(self._read(self._cohort, received, part))
        round_ = Round(
            terms=self._terms,
            number=number,
            context=context,
            told={p: self._told[p] for p in self._cohort},
            alive=alive,
        )
        return MaskedSum(round_, expected, sums, self._trust)

    def _read(
        self,
        parties: tuple[str, ...],
        received: Mapping[str, Any],
        read: Callable[[str, Any], Read],
    ) -> dict[str, Read]:
        """Return what was read of each party; without those that are lost here."""
        found = {}
        for party in parties:
            try:
                if party not in received:
                    raise refused(f"{party} did not answer")
                found[party] = read(party, received[party])
            except MessageError as error:
                if not self._terms.recovers:
                    raise
                self.left_out[party] = error.problem
        return found

    def _enough(self, found: Mapping[str, Any]) -> tuple[str, ...]:
        if len(found) < self._terms.fewest:
            raise refused("too few parties of the cohort are left")
        return tuple(sorted(found))

    def _announcement(self, party: str, message: Any) -> Announcement:
        told = Announcement.read(party, message)
        self._trust.check_signature(party, told.statement(self._terms), told.signature)
        return told

    def _sealed(self, party: str, message: Any) -> dict[str, str]:
        wanted = set(self._told) - {party}
        if not isinstance(message, Mapping) or set(message) != wanted:
            raise refused(f"the shares of {party} are not complete")
        if not all(isinstance(text, str) for text in message.values()):
            raise refused(f"the shares of {party} are not valid")
        return dict(message)
