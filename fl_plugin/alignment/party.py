"""A domain's half of a matching: it answers the coordinator, step by step.

Its list is filled up, shuffled and blinded, and goes round: each of the others checks,
blinds and shuffles it, the last hands it to the coordinator. Places in the list come
back the same way, each domain undoing its own shuffle. So the coordinator, even with
all but one domain, cannot tell whose entry is which; and every domain sees how many
rows would be told before it helps to tell them.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from fl_plugin.alignment.blinding import (
    Indices,
    checked_entries,
    refuse_repeats,
    secret_order,
)
from fl_plugin.alignment.counts import bucket, bucket_words, padded_size
from fl_plugin.alignment.curve import POINT_BYTES, Points
from fl_plugin.alignment.equality import SameSet
from fl_plugin.alignment.exchange import (
    Array,
    Arrays,
    SealedChannel,
    checked_numbers,
    checked_positions,
    only,
    unwrap,
    wrap,
)
from fl_plugin.alignment.keys import Keys
from fl_plugin.alignment.limits import Limits
from fl_plugin.alignment.order import MatchedRows, ordered
from fl_plugin.alignment.terms import MatchingTerms, refused
from fl_plugin.alignment.ways import way_of
from fl_plugin.privacy.randomness import RandomBytes

_HELLO, _LIST, _PLACES, _OFFER, _ANSWER = range(5)  # what a sealed array is
Step = Callable[[Arrays], Arrays]


@dataclass(frozen=True, kw_only=True)
class MatchingSide:
    """What a domain brings to a matching.

    Args:
        party: Its name.
        keys: Its own.
        channel: To the other domains.
        limits: Its own.
        salt: What the domains share; empty where the terms name none.
        source: Where all its draws come from.
    """

    party: str
    keys: Keys
    channel: SealedChannel
    limits: Limits
    salt: bytes = field(default=b"", repr=False)
    source: RandomBytes = field(default=os.urandom, repr=False)


class MatchingParty:
    """One domain in one matching; it is used once.

    Raises:
        ContractError: The salt does not fit the terms.
        PolicyError: The keys could be tried one after the other.
    """

    def __init__(self, terms: MatchingTerms, side: MatchingSide) -> None:
        side.limits.check_keys(side.keys.bits, salted=terms.salted)
        self._terms, self._side, self._party = terms, side, side.party
        self._way = way_of(terms, side.salt, side.source)
        self._hashes = self._way.hashes(side.keys.values)
        size = padded_size(len(self._hashes), terms.smallest_list)
        self._sizes = {side.party: size}
        self._orders = [
            secret_order(size, side.source)
        ]  # by stage: entry i was at orders[i] before
        self._held: Points = np.empty((0, POINT_BYTES), dtype=np.uint8)
        self._count: int | None = None
        self._same: dict[str, SameSet] = {}
        self._rows: MatchedRows | None = None
        self._is_confirmed = False
        self._steps: Iterator[Step] | None = self._script()

    def answer(self, question: Arrays) -> Arrays:
        """Return what the domain answers to the coordinator's next question.

        Raises:
            MessageError: The question is not the one that comes next, or what it holds
                is not what it should be. The matching is over then.
            PolicyError: The domain's limits forbid to go on; it is over too.
        """
        steps, self._steps = self._steps, None  # whatever is raised ends the matching
        step = next(steps, None) if steps else None
        if step is None:
            raise refused("it is over")
        reply = step(question)
        self._steps = steps
        return reply

    @property
    def matched(self) -> MatchedRows:
        """The domain's own rows that are in all domains.

        Raises:
            MessageError: The domains have not yet confirmed each other's.
        """
        if self._rows is None or not self._is_confirmed:
            raise refused("it has not come to its end")
        return self._rows

    def _script(self) -> Iterator[Step]:
        """Yield what to do with each question in turn."""
        yield self._hello
        yield self._agree
        for stage in range(self._terms.stages):
            size = self._sizes[self._terms.owner(self._party, stage)]
            parts = self._terms.parts(size)
            if stage:
                self._held = np.empty((size, POINT_BYTES), dtype=np.uint8)
                for part in parts:
                    yield partial(self._take, stage, part)
                self._shuffle()
            for part in parts:
                yield partial(self._give, stage, part)
        for stage in reversed(range(self._terms.stages)):
            yield partial(self._places, stage)
        yield self._offer
        yield self._respond
        yield self._conclude

    def _hello(self, question: Arrays) -> Arrays:
        """Tell the size of the own list, and everybody that the terms are the same."""
        only(question)
        size = self._sizes[self._party]
        proof = np.frombuffer(self._terms.agreement(self._side.salt), dtype=np.uint8)
        told = {
            self._terms.box(p): self._wrap(p, [_HELLO, size], proof)
            for p in self._terms.peers(self._party)
        }
        return {"size": np.array([size], dtype=np.int64), **told}

    def _agree(self, question: Arrays) -> Arrays:
        """Check everybody's terms and sizes before any work."""
        terms, own = self._terms, self._sizes[self._party]
        peers = terms.peers(self._party)
        sizes, *sealed = only(question, "sizes", *map(terms.box, peers))
        told = checked_numbers(sizes, len(terms.parties)).tolist()
        self._sizes = dict(zip(terms.parties, told, strict=True))
        if self._sizes[self._party] != own:
            raise refused("the coordinator names another size of this domain's list")
        for peer, array in zip(peers, sealed, strict=True):
            size = self._sizes[peer]
            proof = self._unwrap(peer, [_HELLO, size], array)
            if proof.tobytes() != terms.agreement(self._side.salt):
                raise refused(
                    f"{peer} has other terms than this domain",
                    "Compare the rules of the keys, the salt, the study's seed and the "
                    "parties.",
                )
            if size != padded_size(size, terms.smallest_list):
                raise refused(f"the list of {peer} is not filled up")
            self._side.limits.check_list(peer, size, own)
        return {}

    def _give(self, stage: int, part: slice, question: Arrays) -> Arrays:
        """Hand on a part of a list: to the next domain, at last to the coordinator."""
        only(question)
        entries = self._held[part] if stage else self._own(self._orders[0][part])
        if stage == self._terms.stages - 1:
            return {"entries": entries}
        peer = self._terms.after(self._party)
        return {"sealed": self._wrap(peer, [_LIST, stage, part.start], entries)}

    def _own(self, places: Indices) -> Points:
        """Return entries of the own list; beyond the keys it is filled up."""
        known = len(self._hashes)
        filling = iter(self._way.filling(int((places >= known).sum())))
        chosen = (self._hashes[i] if i < known else next(filling) for i in places)
        return self._way.entries(list(chosen))

    def _take(self, stage: int, part: slice, question: Arrays) -> Arrays:
        """Check and blind a part of another's list."""
        (sealed,) = only(question, "sealed")
        peer = self._terms.before(self._party)
        entries = self._unwrap(peer, [_LIST, stage - 1, part.start], sealed)
        entries = checked_entries(entries, part.stop - part.start)
        self._held[part] = self._way.again(entries)
        return {}

    def _shuffle(self) -> None:
        """Put the list that was taken into a secret order."""
        refuse_repeats(self._held)  # blinding keeps different points different
        order = secret_order(len(self._held), self._side.source)
        self._held = self._held[order]
        self._orders.append(order)

    def _places(self, stage: int, question: Arrays) -> Arrays:
        """Undo the own shuffle for the places of a list, and hand them back."""
        terms, order = self._terms, self._orders[stage]
        if stage == terms.stages - 1:
            (array,) = only(question, "places")
        else:
            (sealed,) = only(question, "sealed")
            array = self._unwrap(terms.after(self._party), [_PLACES, stage + 1], sealed)
        before = np.sort(order[checked_positions(array, len(order))])
        self._check_count(before.size)
        if not stage:
            self._keep(before)
            return {}
        back = self._wrap(terms.before(self._party), [_PLACES, stage], before)
        return {"sealed": back}

    def _check_count(self, count: int) -> None:
        """Refuse too few matches, and lists with different numbers of them."""
        if self._count is not None and count != self._count:
            raise refused("the coordinator names more matches in one list than another")
        self._count = count
        self._side.limits.check_matches(count)

    def _keep(self, found: Indices) -> None:
        """Put the own matched rows into the order that all domains share."""
        keys, salt = self._side.keys, self._side.salt
        if (found >= len(keys.values)).any():
            raise refused("a place was named that only fills up the list")
        order, numbers = ordered([keys.values[i] for i in found], self._terms, salt)
        lost = bucket_words(*self._lost())
        rows = keys.rows[found[order]]
        self._rows = MatchedRows(rows=rows, hashes=numbers, lost=lost)
        hashes = [self._hashes[i] for i in found]
        peers = self._terms.peers(self._party)
        source = self._side.source
        self._same = {p: SameSet(self._terms, salt, hashes, source) for p in peers}

    def _lost(self) -> tuple[int, int]:
        keys = self._side.keys
        return bucket(keys.total - (self._count or 0), min_cohort=keys.min_cohort)

    def _offer(self, question: Arrays) -> Arrays:
        """Begin to compare the own matched rows with each other domain's."""
        only(question)
        return self._to_all(_OFFER, {p: s.offer() for p, s in self._same.items()})

    def _respond(self, question: Arrays) -> Arrays:
        theirs = self._from_all(_OFFER, question)
        return self._to_all(
            _ANSWER, {p: s.answer(theirs[p]) for p, s in self._same.items()}
        )

    def _conclude(self, question: Arrays) -> Arrays:
        """Keep the rows if every other domain has the same; tell how many."""
        back = self._from_all(_ANSWER, question)
        for peer, same in self._same.items():
            same.check(peer, back[peer])
        self._is_confirmed = True
        return {
            "rows": np.array([self._count], dtype=np.int64),
            "lost": np.array(self._lost(), dtype=np.int64),
        }

    def _to_all(self, kind: int, values: Arrays) -> Arrays:
        return {self._terms.box(p): self._wrap(p, [kind], v) for p, v in values.items()}

    def _from_all(self, kind: int, question: Arrays) -> Arrays:
        peers = self._terms.peers(self._party)
        sealed = only(question, *map(self._terms.box, peers))
        return {
            p: self._unwrap(p, [kind], s) for p, s in zip(peers, sealed, strict=True)
        }

    def _wrap(self, peer: str, about: list[int], value: Array) -> Array:
        return wrap(self._side.channel, peer, about, value)

    def _unwrap(self, peer: str, about: list[int], sealed: Array) -> Array:
        return unwrap(self._side.channel, peer, about, sealed)
