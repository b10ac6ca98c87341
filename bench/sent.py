"""What parties send, in memory: encoded, masked, cut, added, checked, and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fl_plugin.privacy.aggregator import Aggregator
from fl_plugin.privacy.encoding import decode, encode_part, pack, unpack, words_shape
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.received import check_total
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.summand import Array, Arrays, Summand


@dataclass
class Sent:
    """Counts what a party sends.

    Args:
        parties: Their names.
        masked: Whether masks are added.
    """

    parties: Sequence[str]
    masked: bool
    octets: int = 0
    number: int = 0
    masks: Mapping[str, PartyMasks] = field(default_factory=dict)
    aggregator: Aggregator | None = None

    def __post_init__(self) -> None:
        if not self.masked:
            return
        terms = Terms.stopping("bench", self.parties)
        trust = Trust(unsigned=True)
        self.aggregator = Aggregator(terms, trust)
        self.masks = {p: PartyMasks(p, terms, trust) for p in self.parties}
        told = self.aggregator.collect({p: m.announce() for p, m in self.masks.items()})
        for masks in self.masks.values():
            masks.share(told)

    def total(
        self, parts: Mapping[str, Arrays], expected: Mapping[str, Summand]
    ) -> dict[str, Array]:
        """Return the sums of what the parties send."""
        self.number += 1
        self.octets += sum(
            int(np.prod(words_shape(s))) * s.width for s in expected.values()
        )
        words = {p: encode_part(p, expected, part) for p, part in parts.items()}
        added = self._masked(words, expected) or _plain(words, expected)
        sums = {n: decode(s, added[n]) for n, s in expected.items()}
        check_total(expected, sums, len(words))
        return sums

    def _masked(
        self, words: Mapping[str, Arrays], expected: Mapping[str, Summand]
    ) -> dict[str, Words]:
        if self.aggregator is None:
            return {}
        context = f"round {self.number}"
        hidden = {
            p: self.masks[p].hide(w, expected, self.number, context)
            for p, w in words.items()
        }
        masked = self.aggregator.add(hidden, expected, self.number, context)
        return masked.unmask({})


def _plain(
    words: Mapping[str, Arrays], expected: Mapping[str, Summand]
) -> dict[str, Words]:
    sent = [
        {n: pack(w, expected[n].width) for n, w in of.items()} for of in words.values()
    ]
    parts = {
        n: [unpack(of[n], words_shape(s), s.width) for of in sent]
        for n, s in expected.items()
    }
    return {n: np.sum(parts[n], axis=0, dtype=np.uint64) for n in expected}
