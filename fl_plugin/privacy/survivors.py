"""Who was lost in one round, as one party is told: one story, told once, never two.

To lift both masks of a party the coordinator would have to tell some that it answered
and others that it was lost. Each party therefore takes part in one story a round: that
nobody was lost, by unmasking at once; or that these were, by signing their list first
and unmasking only where as many as the threshold have signed the same list. With more
than (n + c) / 2 as threshold, c of the n parties in league with the coordinator, two
stories never find enough honest tellers (Bonawitz et al. 2017, section 4 and theorem
6.5; that a full round may leave out the signatures is argued in decision 8).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fl_plugin.privacy.terms import Terms, Trust, refused


def survivors_statement(
    terms: Terms, number: int, alive: Sequence[str], lost: Sequence[str]
) -> bytes:
    """Return what a party signs of a round in which some were lost."""
    facts = {"round": number, "alive": sorted(alive), "lost": sorted(lost)}
    return terms.statement("survivors", facts)


class Survivors:
    """What one party has said of one round so far.

    Args:
        me: Its name.
        terms: The run's.
        cohort: Who takes part in the round.
        number: Of the round.
    """

    def __init__(
        self, me: str, terms: Terms, cohort: tuple[str, ...], number: int
    ) -> None:
        self._me = me
        self._terms = terms
        self._cohort = cohort
        self.number = number
        self._endorsed: bytes | None = None
        self._released = False

    def endorse(self, alive: Sequence[str], lost: Sequence[str]) -> bytes:
        """Return what to sign; the same again for the same lists."""
        statement = self._checked(alive, lost)
        if self._released or self._endorsed not in {None, statement}:
            raise refused("another list of lost parties was told for this round")
        self._endorsed = statement
        return statement

    def release(
        self,
        alive: Sequence[str],
        lost: Sequence[str],
        endorsements: Mapping[str, str],
        trust: Trust,
    ) -> None:
        """Allow the one unmasking of the round, or refuse."""
        statement = self._checked(alive, lost)
        if self._released:
            raise refused("a round was to be unmasked twice")
        if self._endorsed != (statement if lost else None):
            raise refused("another list of lost parties was told for this round")
        if lost:
            self._check_endorsed(statement, set(alive), endorsements, trust)
        self._released = True

    def _checked(self, alive: Sequence[str], lost: Sequence[str]) -> bytes:
        for names in (alive, lost):
            if not isinstance(names, list | tuple) or not _are_names(names):
                raise refused("a list of parties is malformed, or names one twice")
        if set(alive) & set(lost):
            raise refused("a party is named both as lost and as alive")
        if set(alive) | set(lost) != set(self._cohort):
            raise refused("the lists of parties do not make up the round's cohort")
        if self._me not in alive:
            raise refused("this party's own answer would not count")
        if len(alive) < self._terms.fewest:
            raise refused("too few parties of the round are left")
        return survivors_statement(self._terms, self.number, alive, lost)

    def _check_endorsed(
        self,
        statement: bytes,
        alive: set[str],
        endorsements: Mapping[str, str],
        trust: Trust,
    ) -> None:
        if not is_signatures(endorsements) or not set(endorsements) <= alive:
            raise refused("somebody outside the round has endorsed it")
        if len(endorsements) < self._terms.threshold:
            raise refused("too few parties have endorsed who was lost")
        for party, signature in endorsements.items():
            if party != self._me:  # what this party has signed it remembers
                trust.check_signature(party, statement, signature)


def is_signatures(value: Any) -> bool:
    """Return whether a message's value maps names to texts."""
    return isinstance(value, Mapping) and all(
        isinstance(s, str) for s in value.values()
    )


def _are_names(names: Sequence[Any]) -> bool:
    return all(isinstance(n, str) for n in names) and len(set(names)) == len(names)
