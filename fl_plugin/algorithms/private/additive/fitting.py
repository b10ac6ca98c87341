"""The coordinator's half: descent on noisy histograms, all features at once.

Each round gives, for every bin, the sum of the residuals of its rows: the gradient of
the log loss by that bin's entry. The curvature is at most a quarter of the bin's rows
(Boehning 1992), which noisy counts tell once. A step divides one by the other, after a
penalty on differences of neighbouring bins as strong as the noise has drowned the
gradients, and carries on a part of the step before (Polyak 1964).
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from fl_plugin.algorithms.base import Question
from fl_plugin.algorithms.private.additive.asked import (
    BOTH,
    COUNT,
    FARTHEST,
    MAINS,
    MOST_PAIRS,
    SCAN,
    Asked,
)
from fl_plugin.algorithms.private.additive.features import (
    CELLS,
    COARSE,
    Feature,
    bins_of,
    coarse_of,
)
from fl_plugin.algorithms.private.additive.rows import TABLE_GRID, width_of
from fl_plugin.algorithms.private.releases import snapped
from fl_plugin.summand import Array, Arrays, Floats

CURVATURE = 0.25
SMOOTHING = 3.0  # weight of a difference, in units of the noise left after all rounds
SHRINKAGE = 0.1  # weight of an entry itself, in the same units
COOLING = 0.8  # the last step is by so much smaller than the first: noise averages out
_LEAST = 1.0  # keeps an empty bin's curvature above 0 where there is no noise
_CANDIDATES = 30  # features whose pairs are looked at
_WAVES = 3  # smooth shapes per feature that a pair is judged by

Asking = Generator[Question, Arrays, "Tables"]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How steps are taken.

    Args:
        rate: Share of a step that is taken.
        momentum: Share of the step before that is carried on.
        rounds: Of features alone, and again of features with pairs.
        pairs: How many are chosen.
        bins: Of a numeric feature.
    """

    rate: float
    momentum: float
    rounds: int
    pairs: int
    bins: int


@dataclass(frozen=True)
class Tables:
    """What the steps have made so far: the question that would ask on from here."""

    asked: Asked
    rows: float


class _Steps:
    """Steps of tables of one shape: (tables, entries) with their curvature.

    Args:
        counts: (tables, entries), rows of each entry, noisy.
        differences: (tables, entries, entries), the penalty on neighbours.
        noise: Standard deviation in one entry of the mean of all rounds' sums.
        pace: Of the fit.
    """

    def __init__(
        self, counts: Floats, differences: Floats, noise: float, pace: Pace
    ) -> None:
        eye = np.eye(counts.shape[1])
        self._penalty = noise * (SMOOTHING * differences + SHRINKAGE * eye)
        weight = CURVATURE * np.maximum(counts, 0.0) + _LEAST
        self._inverse = np.linalg.inv(weight[:, :, None] * eye + self._penalty)
        self._share = weight / weight.sum(axis=1, keepdims=True)
        self._pace = pace
        self._last = np.zeros_like(counts)
        self._taken = 0

    def on(self, tables: Floats, sums: Floats) -> Floats:
        """Return the tables one step on; each has a weighted mean of 0."""
        gradient = sums + np.einsum("tij,tj->ti", self._penalty, tables)
        rate = self._pace.rate * (1.0 - COOLING * self._taken / self._pace.rounds)
        self._taken += 1
        step = -rate * np.einsum("tij,tj->ti", self._inverse, gradient)
        # All tables would correct the intercept at once; it has a step of its own.
        step -= (self._share * step).sum(axis=1, keepdims=True)
        self._last = self._pace.momentum * self._last + step
        return np.asarray(np.clip(tables + self._last, -FARTHEST, FARTHEST))


def fit(features: Sequence[Feature], pace: Pace, noises: Mapping[int, float]) -> Asking:
    """Ask, step by step, and return the tables.

    Args:
        features: In order.
        pace: Of the fit.
        noises: Standard deviation of the noise in an entry of the sums, by kind.
    """
    empty = np.zeros((len(features), CELLS))
    asked = Asked(
        kind=COUNT,
        start=0.0,
        mains=empty,
        places=empty.astype(np.int64),
        coarse=empty.astype(np.int64),
        pairs=np.zeros((0, 2), dtype=np.int64),
        tables=np.zeros((0, COARSE**2)),
    )
    counts = (yield _ask(asked))["counts"]
    places = bins_of(features, counts, pace.bins)
    asked = replace(
        asked,
        kind=MAINS,
        places=places,
        coarse=coarse_of(features, places, pace.bins),
    )
    here = Tables(asked, max(float(counts.sum()) / len(features), 1.0))
    here = yield from _descend(here, features, counts, pace, noises[MAINS])
    pairs = _candidates(here)
    if len(pairs) and pace.pairs:
        found = yield _ask(_with(here.asked, SCAN, pairs))
        chosen = pairs[_strongest(found["pairs"], pace.pairs)]
        asked = _with(here.asked, BOTH, chosen)
        kind = BOTH
    else:
        asked, kind = here.asked, MAINS
    here = Tables(asked, here.rows)
    return (yield from _descend(here, features, counts, pace, noises[kind]))


def _descend(
    here: Tables,
    features: Sequence[Feature],
    counts: Floats,
    pace: Pace,
    noise: float,
) -> Asking:
    asked = here.asked
    wide = width_of(asked)
    left = noise / np.sqrt(pace.rounds)
    many = _folded(counts, asked.places, wide)
    chains = np.stack([_chain(wide) * f.numeric for f in features])
    mains = _Steps(many, chains, left, pace)
    pair_rows = np.full(asked.tables.shape, here.rows / COARSE**2)
    grid = np.kron(_chain(COARSE), np.eye(COARSE))
    grid = grid + np.kron(np.eye(COARSE), _chain(COARSE))
    grids = np.tile(grid, (len(asked.pairs), 1, 1))
    pairs = _Steps(pair_rows, grids, left, pace) if len(asked.pairs) else None
    table = _unfolded(asked.mains, asked.places, wide)
    for _ in range(pace.rounds):
        sums = yield _ask(asked)
        table = mains.on(table, sums["mains"])
        # Each feature's bins together hold all rows: as many looks at one sum.
        pull = float(sums["mains"].sum()) / len(features) / (CURVATURE * here.rows)
        asked = replace(
            asked,
            start=float(np.clip(asked.start - pull, -FARTHEST, FARTHEST)),
            mains=np.take_along_axis(table, asked.places, axis=1),
        )
        if pairs is not None:
            asked = replace(asked, tables=pairs.on(asked.tables, sums["pairs"]))
    return Tables(_on_grid(asked), here.rows)


def _candidates(here: Tables) -> Array:
    """Return pairs of the features that matter most by themselves."""
    strength = here.asked.mains.std(axis=1)
    kept = np.sort(np.argsort(-strength, kind="stable")[:_CANDIDATES])
    pairs = list(combinations(kept.tolist(), 2))[:MOST_PAIRS]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _strongest(sums: Floats, many: int) -> Array:
    """Return which pairs' residuals vary most, and smoothly, with both features.

    Projected on the first cosines of either feature: what varies with one alone
    vanishes, and noise is spread over all 64 shapes, of which 9 count.
    """
    place = (np.arange(COARSE) + 0.5)[:, None] * np.arange(1, _WAVES + 1)
    waves = np.cos(np.pi * place / COARSE)
    waves /= np.linalg.norm(waves, axis=0)
    shapes = waves.T @ sums.reshape(-1, COARSE, COARSE) @ waves
    order = np.arange(1, _WAVES + 1)
    score = (shapes**2 / np.outer(order, order)).sum(axis=(1, 2))
    return np.argsort(-score, kind="stable")[:many]


def _with(asked: Asked, kind: int, pairs: Array) -> Asked:
    tables = np.zeros((len(pairs), COARSE**2))
    return replace(asked, kind=kind, pairs=pairs, tables=tables)


def _ask(asked: Asked) -> Question:
    return Question(arrays=_on_grid(asked).arrays())


def _on_grid(asked: Asked) -> Asked:
    """Return the tables as the parties round them."""
    return replace(
        asked,
        start=float(snapped(np.array(asked.start), TABLE_GRID)),
        mains=snapped(asked.mains, TABLE_GRID),
        tables=snapped(asked.tables, TABLE_GRID),
    )


def _folded(cells: Floats, places: Array, wide: int) -> Floats:
    bins = np.zeros((len(cells), wide))
    for row, place, total in zip(cells, places, bins, strict=True):
        np.add.at(total, place, row)
    return bins


def _unfolded(cells: Floats, places: Array, wide: int) -> Floats:
    """Return each bin's entry out of its cells', which are all alike."""
    bins = np.zeros((len(cells), wide))
    np.put_along_axis(bins, places, cells, axis=1)
    return bins


def _chain(size: int) -> Floats:
    """Return the matrix of the squared differences of neighbours."""
    steps = np.diff(np.eye(size), axis=0)
    return np.asarray(steps.T @ steps)
