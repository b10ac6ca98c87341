"""A party's half of a preparation: what it answers, and what it refuses to."""

from collections.abc import Iterator, Mapping

import numpy as np

from fl_plugin.algorithms.base import Worker
from fl_plugin.preparation.checking import floats, malformed, whole
from fl_plugin.preparation.counting import count_answers, count_part, scatter_part
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.keys import Keys, keys_of
from fl_plugin.preparation.raw import Mask, RawRows
from fl_plugin.preparation.search import (
    Cells,
    count_cells,
    parts,
    read_cells,
    search_answers,
    sorted_values,
)
from fl_plugin.summand import Array, Arrays, Summand

COUNT = frozenset({"sums", "categories"})
SCATTER = frozenset({"means"})
SEARCH = frozenset({"level", "features", "cells", "most"})

# Medians, then quartiles and edges of what they fill.
MOST_SEARCHES = 2
# Sorted keys are kept between rounds up to this many; beyond, each round reads again.
KEPT_KEYS = 2**25


def answers(question: Arrays, schema: Schema) -> Mapping[str, Summand]:
    """Return what an answer to a preparation's question looks like.

    Raises:
        MessageError: It is not one that a preparation asks. An opponent may have
            written it.
    """
    names = frozenset(question)
    only_cuts = schema.prepares == "cuts"
    if names == COUNT:
        for name in COUNT:
            whole(question, name, 0 if only_cuts else 1)
        return count_answers(question, schema)
    if names == SCATTER and not only_cuts:
        size = len(schema.numbers)
        floats(question, "means", (size,))
        return {"squares": Summand(shape=(size,), bound=None)}
    if names == SEARCH:
        return search_answers(question, schema)
    raise malformed("of a preparation")


class PreparationWorker(Worker):
    """A party's half over its training rows.

    Args:
        schema: What the party agreed to.
        rows: All its rows.
        chosen: (rows,), which are trained on.
    """

    def __init__(self, schema: Schema, rows: RawRows, chosen: Mask) -> None:
        self._schema = schema
        self._rows = rows
        self._chosen = chosen
        self._kept: list[Keys] | None = None
        self._asked: Cells | None = None
        self._searches = 0

    def answer(self, question: Arrays) -> dict[str, Array]:
        """Return the party's part.

        Raises:
            MessageError: The question does not follow the one before.
        """
        answers(question, self._schema)
        if "means" in question:
            rows, chosen = self._rows, self._chosen
            return dict(scatter_part(question, self._schema, rows, chosen))
        if "sums" in question:
            return dict(count_part(question, self._schema, self._rows, self._chosen))
        cells = read_cells(question, self._schema)
        self._follow(cells)
        counts = np.zeros((len(cells.numbers), parts(cells.level)), dtype=np.int64)
        for feature, keys in self._sorted_keys():
            place = cells.of(feature)
            if place.start < place.stop:
                counts[place] += count_cells(keys, cells.level, cells.numbers[place])
        return {"counts": counts}

    def forget(self) -> None:
        """Give back the memory that only a further round would need."""
        self._kept = None

    def _follow(self, cells: Cells) -> None:
        """Let a search go deeper only where it has been: no other probing."""
        before = self._asked
        if cells.level == 0:
            self._searches += 1
            if self._searches > MOST_SEARCHES:
                raise malformed("level")
        elif before is None or cells.level != before.level + 1:
            raise malformed("level")
        elif not cells.inside(before):
            raise malformed("cells")
        self._asked = cells

    def _sorted_keys(self) -> Iterator[tuple[int, Keys]]:
        """Yield (feature, sorted keys), a feature's rows together or in pieces."""
        width = len(self._schema.numbers)
        if self._chosen.sum() * width > KEPT_KEYS:
            for block in self._rows.blocks(chosen=self._chosen):
                for i, values in enumerate(block.numeric):
                    yield i, keys_of(sorted_values(values))
            return
        if self._kept is None:
            self._kept = [
                keys_of(sorted_values(np.concatenate(pieces)))
                for pieces in zip(*self._columns(), strict=True)
            ]
        yield from enumerate(self._kept)

    def _columns(self) -> Iterator[Array]:
        yield from (b.numeric for b in self._rows.blocks(chosen=self._chosen))
