"""Sums over parties in memory: encoded, masked from three parties on, cut, added."""

from collections.abc import Mapping, Sequence
from typing import Any

from fl_plugin.privacy.encoding import decode, encode, pack, unpack, words_shape
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.privacy.terms import MIN_PARTIES, Terms
from fl_plugin.summand import Array, Arrays, Summand
from tests.aggregation import Cohort, names


class MaskedSums:
    """The sums of one run, the way that all its messages go.

    Args:
        parties: How many there are.
        masked: Whether masks hide the parts; never of fewer than three parties.
    """

    def __init__(self, parties: int, *, masked: bool = True) -> None:
        self._names = names(parties)
        self._number = -1
        self._cohort: Cohort | None = None
        if masked and parties >= MIN_PARTIES:
            self._cohort = Cohort(Terms.stopping("run", self._names))
            self._cohort.prepare()

    def add(
        self, parts: Sequence[Arrays], expected: Mapping[str, Summand]
    ) -> dict[str, Array]:
        """Return the decoded sums of every party's parts."""
        words = [{n: encode(s, part[n]) for n, s in expected.items()} for part in parts]
        return self.add_words(words, expected)

    def add_words(
        self, words: Sequence[Mapping[str, Words]], expected: Mapping[str, Summand]
    ) -> dict[str, Array]:
        """Return the decoded sums of what is encoded already."""
        self._number += 1
        if self._cohort is not None:
            own = dict(zip(self._names, words, strict=True))
            _, total = self._cohort.total(own, expected, self._number)
            return {n: decode(s, total[n]) for n, s in expected.items()}
        return {n: decode(s, _sum(words, n, s)) for n, s in expected.items()}


def _sum(words: Sequence[Mapping[str, Words]], name: str, summand: Summand) -> Words:
    shape = words_shape(summand)
    total: Any = 0
    for own in words:
        total = total + unpack(pack(own[name], summand.width), shape, summand.width)
    found: Words = total
    return found
