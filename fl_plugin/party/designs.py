"""Prepared rows, kept in memory while they are small enough."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from fl_plugin.algorithms.base import BATCH, Block, Design
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.raw import Mask, RawRows

MOST_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Streamed(Design):
    """Rows that are prepared anew each time they are read."""

    raw: RawRows
    chosen: Mask
    prepared: Prepared

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(np.count_nonzero(self.chosen))

    def blocks(self, size: int = BATCH) -> Iterator[Block]:
        """Yield the rows in order."""
        for raw in self.raw.blocks(chosen=self.chosen):
            yield from self.prepared.design_block(raw).blocks(size)

    def whole(self) -> Block:
        """Return all rows at once."""
        return gathered(self)


def gathered(design: Design) -> Block:
    """Return all rows of a design in memory, in one array that is filled once."""
    found: Block | None = None
    begin = 0
    for block in design.blocks(2**16):
        if found is None:
            found = _room_for(design.rows, block)
        some = slice(begin, begin + block.rows)
        found.x[:, some] = block.x
        found.y[some] = block.y
        if len(found.hashes):
            found.hashes[some] = block.hashes
        begin += block.rows
    return found or Block(np.zeros((0, 0)), np.zeros(0))


def _room_for(rows: int, like: Block) -> Block:
    return Block(
        np.empty((len(like.x), rows), dtype=like.x.dtype),
        np.empty(rows),
        np.empty(rows if len(like.hashes) else 0, dtype=np.uint64),
    )


@dataclass
class Designs:
    """The designs of one run that were used last.

    Args:
        most: Bytes that they may take; a larger one is prepared anew for each pass.
    """

    most: int = MOST_BYTES
    _kept: OrderedDict[object, Block] = field(default_factory=OrderedDict)
    _held: int = 0

    def get(self, key: object, make: Callable[[], Streamed]) -> Design:
        """Return the design of this key; made, and kept if it fits, where it is new."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        streamed = make()
        if not streamed.rows or _size(streamed) > self.most:
            return streamed
        made = gathered(streamed)
        self._kept[key] = made
        self._held += made.x.nbytes
        while self._held > self.most and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._held -= dropped.x.nbytes
        return made


def _size(streamed: Streamed) -> int:
    first = next(streamed.blocks(1))
    return first.x.nbytes * streamed.rows
