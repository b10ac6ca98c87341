"""The coordinator's half of a matching: it carries, compares, and tells places.

It has no secret, so it can test no guess. It sees the lists blinded by all domains, in
an order that no single domain knows, and so how many entries each choice of domains
shares; nothing else of any row.
"""

from collections.abc import Generator, Mapping, Sequence
from functools import reduce

import numpy as np

from fl_plugin.alignment.blinding import (
    Indices,
    as_items,
    checked_entries,
    checked_points,
    refuse_repeats,
)
from fl_plugin.alignment.counts import bucket_words
from fl_plugin.alignment.curve import POINT_BYTES, Points
from fl_plugin.alignment.exchange import (
    Array,
    Arrays,
    Matched,
    MatchingAsks,
    MatchingRounds,
    checked_bytes,
    checked_numbers,
    only,
)
from fl_plugin.alignment.terms import BLINDED, MatchingTerms, refused

_OVERHEAD = 2**16  # bytes that sealing may add
_PLACE_BYTES = 8
MOST_ENTRIES = 2**26  # so that the places of a whole list fit into one message

Replies = Mapping[str, Arrays]
Steps = Generator[MatchingAsks, Replies, Replies]


def matching(terms: MatchingTerms) -> MatchingRounds:
    """Yield what to ask whom, get the answers, and return what is known at the end.

    Raises:
        MessageError: An answer is not what was asked for.
    """
    return _Matching(terms).run()


class _Matching:
    """One matching as the coordinator sees it."""

    def __init__(self, terms: MatchingTerms) -> None:
        self._terms = terms
        self._sizes: dict[str, int] = {}
        self._step = 0
        self._steps = 0

    def run(self) -> MatchingRounds:
        yield from self._greet()
        lists = yield from self._carry()
        yield from self._tell(_shared_places(lists))
        return (yield from self._compare())

    def _ask(self, to: Mapping[str, Arrays]) -> Steps:
        self._step += 1
        steps = max(self._steps, self._step)
        progress = {"step": float(self._step), "steps": float(steps)}
        return (yield MatchingAsks(to=to, progress=progress))

    def _greet(self) -> Generator[MatchingAsks, Replies, None]:
        """Learn the sizes of all lists; pass on that the terms are the same."""
        terms = self._terms
        replies = yield from self._ask({p: {} for p in terms.parties})
        boxes = {}
        for party in terms.parties:
            peers = terms.peers(party)
            size, *sealed = only(replies[party], "size", *map(terms.box, peers))
            self._sizes[party] = _checked_size(size)
            boxes[party] = dict(zip(peers, sealed, strict=True))
        self._steps = self._count_steps()
        sizes = np.array([self._sizes[p] for p in terms.parties], dtype=np.int64)
        letters = self._delivered(boxes)
        told = {p: {"sizes": sizes, **letters[p]} for p in terms.parties}
        _all_empty((yield from self._ask(told)))

    def _count_steps(self) -> int:
        longest = len(self._terms.parts(max(self._sizes.values())))
        stages = self._terms.stages
        return 2 + (2 * stages - 1) * longest + stages + 3

    def _carry(self) -> Generator[MatchingAsks, Replies, dict[str, Points]]:
        """Pass all lists round at once; return them blinded by every domain."""
        terms = self._terms
        parcels: dict[str, list[Array]] = {}
        for stage in range(terms.stages):
            owners = {terms.owner(p, stage): p for p in terms.parties}
            if stage:
                yield from self._deliver(owners, parcels)
            parcels = yield from self._collect(owners, last=stage == terms.stages - 1)
        return {owner: np.concatenate(parts) for owner, parts in parcels.items()}

    def _deliver(
        self, owners: Mapping[str, str], parcels: Mapping[str, Sequence[Array]]
    ) -> Generator[MatchingAsks, Replies, None]:
        for number in range(max(map(len, parcels.values()))):
            told = {
                holder: {"sealed": parcels[owner][number]}
                for owner, holder in owners.items()
                if number < len(parcels[owner])
            }
            _all_empty((yield from self._ask(told)))

    def _collect(
        self, owners: Mapping[str, str], *, last: bool
    ) -> Generator[MatchingAsks, Replies, dict[str, list[Array]]]:
        parts = {owner: self._terms.parts(self._sizes[owner]) for owner in owners}
        parcels: dict[str, list[Array]] = {owner: [] for owner in owners}
        for number in range(max(map(len, parts.values()))):
            asked = {o: h for o, h in owners.items() if number < len(parts[o])}
            replies = yield from self._ask({h: {} for h in asked.values()})
            for owner, holder in asked.items():
                part = parts[owner][number]
                read = self._entries if last else _sealed_entries
                parcels[owner].append(read(replies[holder], part.stop - part.start))
        return parcels

    def _entries(self, reply: Arrays, size: int) -> Points:
        (entries,) = only(reply, "entries")
        is_blinded = self._terms.method == BLINDED
        return (checked_points if is_blinded else checked_entries)(entries, size)

    def _tell(
        self, places: Mapping[str, Indices]
    ) -> Generator[MatchingAsks, Replies, None]:
        """Pass places back along the way of each list, to its owner."""
        terms, last = self._terms, self._terms.stages - 1
        told: dict[str, Arrays] = {
            p: {"places": places[terms.owner(p, last)]} for p in terms.parties
        }
        for stage in reversed(range(terms.stages)):
            replies = yield from self._ask(told)
            if not stage:
                _all_empty(replies)
                break
            told = {}
            for party in terms.parties:
                (sealed,) = only(replies[party], "sealed")
                most = _PLACE_BYTES * self._sizes[terms.owner(party, stage)]
                letter = checked_bytes(sealed, most + _OVERHEAD)
                told[terms.before(party)] = {"sealed": letter}

    def _compare(self) -> Generator[MatchingAsks, Replies, Matched]:
        """Let the domains compare what they were told, and learn how many rows."""
        terms = self._terms
        replies = yield from self._ask({p: {} for p in terms.parties})
        for _ in range(2):
            boxes = {p: self._letters(p, replies[p]) for p in terms.parties}
            replies = yield from self._ask(self._delivered(boxes))
        rows, lost = {}, {}
        for party in terms.parties:
            count, between = only(replies[party], "rows", "lost")
            rows[party] = int(checked_numbers(count, 1)[0])
            low, high = checked_numbers(between, 2).tolist()
            lost[party] = bucket_words(low, high)
        if len(set(rows.values())) != 1:
            raise refused("the domains name different numbers of matches")
        return Matched(rows=rows[terms.parties[0]], sizes=dict(self._sizes), lost=lost)

    def _letters(self, party: str, reply: Arrays) -> dict[str, Array]:
        peers = self._terms.peers(party)
        sealed = only(reply, *map(self._terms.box, peers))
        return dict(zip(peers, sealed, strict=True))

    def _delivered(
        self, boxes: Mapping[str, Mapping[str, Array]]
    ) -> dict[str, dict[str, Array]]:
        """Return for everybody what each other has sealed for it."""
        return {
            party: {
                self._terms.box(p): checked_bytes(boxes[p][party], _OVERHEAD)
                for p in self._terms.peers(party)
            }
            for party in self._terms.parties
        }


def _shared_places(lists: Mapping[str, Points]) -> dict[str, Indices]:
    """Return where in each list the entries stand that all lists hold; ascending."""
    items = {owner: as_items(entries) for owner, entries in lists.items()}
    for entries in lists.values():
        refuse_repeats(entries)
    shared = reduce(
        lambda a, b: np.intersect1d(a, b, assume_unique=True), items.values()
    )
    return {
        owner: np.flatnonzero(np.isin(entries, shared)).astype(np.int64)
        for owner, entries in items.items()
    }


def _sealed_entries(reply: Arrays, size: int) -> Array:
    (sealed,) = only(reply, "sealed")
    return checked_bytes(sealed, POINT_BYTES * size + _OVERHEAD)


def _checked_size(size: Array) -> int:
    entries = int(checked_numbers(size, 1)[0])
    if not 0 < entries <= MOST_ENTRIES:
        raise refused("a list is empty, or too long to be matched")
    return entries


def _all_empty(replies: Replies) -> None:
    for reply in replies.values():
        only(reply)
