"""Where stratified folds and a hold-out by time are cut: order statistics, from sums.

Stratified: a row's keyed draw decides its fold, and each class has its own cuts
between the folds, those that leave it equally many rows in each. Cuts are order
statistics of all domains' draws together: the same rows fall into the same fold at any
number of domains. Draws say nothing about a row but its class.

By time: the cut is the order statistic of `event_time` that leaves the share wanted
after it; k-anonymous, so that it is no row's own time.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Question, Target
from fl_plugin.errors import TrainingError
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.quantiles import Wanted, search
from fl_plugin.preparation.raw import Hashes, RawBlock, RawMemory
from fl_plugin.preparation.splits import uniform, wide_enough
from fl_plugin.preparation.worker import PreparationWorker
from fl_plugin.summand import Arrays, Floats

Cuts = tuple[tuple[float, ...], ...]
_ONLY_COUNTS = {
    "sums": np.zeros(1, dtype=np.int64),
    "categories": np.zeros(1, dtype=np.int64),
}


@dataclass(frozen=True, kw_only=True)
class Strata:
    """Stratified folds: how many classes, folds and repeats there are."""

    classes: int
    folds: int
    repeats: int

    @property
    def schema(self) -> Schema:
        """One column of draws for each repeat and class."""
        return _schema(self.classes * self.repeats, min_cohort=1)

    def worker(self, hashes: Hashes, y: Floats, seed: int) -> PreparationWorker:
        """Return a party's half, for all its rows."""
        draws = np.full((self.repeats, self.classes, len(hashes)), np.nan)
        for repeat in range(self.repeats):
            mine = uniform(hashes, seed, 1 + repeat)
            for index in range(self.classes):
                here = y == index
                draws[repeat, index, here] = mine[here]
        return _worker(self.schema, draws.reshape(-1, len(hashes)))

    def cutting(self) -> Generator[Question, Arrays, tuple[Cuts, ...]]:
        """The coordinator's half: return the cuts of each class, for each repeat.

        Raises:
            TrainingError: A class is too small for so many folds.
        """
        first = yield Question(arrays=_ONLY_COUNTS)
        shares = np.arange(1, self.folds) / self.folds
        wanted = [
            Wanted(rows=n, ranks=np.ceil(n * shares).astype(np.int64))
            for n in first["present"].tolist()
        ]
        if min(w.rows for w in wanted) < self.folds:
            raise _too_small()
        leaves = yield from search(self.schema, wanted, int(first["rows"][0]))
        cuts = [
            tuple(found.at(w.ranks).tolist())
            for found, w in zip(leaves, wanted, strict=True)
        ]
        if not all(wide_enough(c, self.folds) for c in cuts):
            raise _too_small()
        size = self.classes
        return tuple(tuple(cuts[i : i + size]) for i in range(0, len(cuts), size))


def time_schema(min_cohort: int) -> Schema:
    """Return the schema of a search for a cut in time."""
    return _schema(1, min_cohort)


def time_worker(times: Floats, min_cohort: int) -> PreparationWorker:
    """Return a party's half, for all its rows."""
    return _worker(time_schema(min_cohort), times[None, :])


def cutting_time(share: float, min_cohort: int) -> Generator[Question, Arrays, float]:
    """The coordinator's half: return the time after which `share` of the rows lie.

    Raises:
        TrainingError: All rows, or none, would lie after it.
    """
    first = yield Question(arrays=_ONLY_COUNTS)
    rows = int(first["present"][0])
    rank = min(max(int(np.floor(rows * (1.0 - share))), 1), max(rows, 1))
    wanted = Wanted(rows=rows, ranks=np.array([rank], dtype=np.int64))
    if rows < 2 * max(min_cohort, 1):
        raise _all_at_once()
    (found,) = yield from search(time_schema(min_cohort), [wanted], rows)
    before = int(found.before[0] + found.rows[0])
    if min(before, rows - before) < max(min_cohort, 1):
        raise _all_at_once()
    return float(found.at(wanted.ranks)[0])


def _schema(columns: int, min_cohort: int) -> Schema:
    return Schema(
        features=tuple(
            Feature(name=f"draw {i}", kind="numeric") for i in range(columns)
        ),
        target=Target(kind="none", classes=()),
        prepares="cuts",
        min_cohort=min_cohort,
    )


def _worker(schema: Schema, columns: Floats) -> PreparationWorker:
    rows = columns.shape[1]
    raw = RawMemory(RawBlock(columns, (), np.zeros(rows)))
    return PreparationWorker(schema, raw, np.ones(rows, dtype=np.bool_))


def _too_small() -> TrainingError:
    return TrainingError(
        "A class has too few rows for so many stratified folds.",
        remedy="Use fewer folds, or folds that are not stratified.",
    )


def _all_at_once() -> TrainingError:
    return TrainingError(
        "Too few rows lie before, or after, the time that would divide them.",
        remedy="Hold out another share, or hold out by hash.",
    )
