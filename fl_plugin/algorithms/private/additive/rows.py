"""A party's half of private boosting: histograms of residuals, summed exactly.

Tables are rounded to a grid, the score of a row is a sum of their entries (exact), its
chance is looked up, and residuals are rounded to a grid: so what a row adds depends on
that row and the question alone, and sums are exact in any order (`private.py`).
"""

import numpy as np
from scipy.special import expit

from fl_plugin.algorithms.base import Design, Task, Worker
from fl_plugin.algorithms.private.additive.asked import (
    BOTH,
    COUNT,
    MAINS,
    SCAN,
    Asked,
    read,
)
from fl_plugin.algorithms.private.additive.features import (
    CELLS,
    COARSE,
    Codes,
    codes_of,
    features_of,
)
from fl_plugin.algorithms.private.releases import snapped
from fl_plugin.summand import Array, Arrays, Floats

TABLE_GRID = 2.0**14
RESIDUAL_GRID = 2.0**14
_BLOCK = 65_536
_Z_GRID, _Z_END = 2**9, 32


class Rows(Worker):
    """One party's rows as cells: a byte per row and feature.

    Args:
        task: Of the fit.
        design: A matrix design; it is read once.
    """

    def __init__(self, task: Task, design: Design) -> None:
        self._features = features_of(task.columns)
        codes = [np.zeros((len(self._features), 0), dtype=np.uint8)]
        targets = [np.zeros(0)]
        for block in design.blocks(_BLOCK):
            codes.append(codes_of(self._features, block.x))
            targets.append(np.where(block.y > 0, 1.0, 0.0))  # NaN is no 1
        self._codes: Codes = np.concatenate(codes, axis=1)
        self._y: Floats = np.concatenate(targets)

    def answer(self, question: Arrays) -> dict[str, Floats]:
        """Return the sums that `asked.kind` names."""
        asked = read(question, len(self._features))
        if asked.kind == COUNT:
            ones = np.ones(len(self._y))
            return {
                "counts": np.stack([_sums(row, ones, CELLS) for row in self._codes])
            }
        residuals = self._residuals(asked)
        answer = {}
        if asked.kind in {MAINS, BOTH}:
            answer["mains"] = self._mains(asked, residuals)
        if asked.kind in {SCAN, BOTH}:
            answer["pairs"] = self._pairs(asked, residuals)
        return answer

    def _residuals(self, asked: Asked) -> Floats:
        mains, tables = (snapped(t, TABLE_GRID) for t in (asked.mains, asked.tables))
        score = np.full(len(self._y), snapped(np.array(asked.start), TABLE_GRID))
        for table, row in zip(mains, self._codes, strict=True):
            score += table[row]
        if asked.kind == BOTH:
            for table, pair in zip(tables, asked.pairs, strict=True):
                score += table[self._cells(asked, pair)]
        z = np.arange(-_Z_END * _Z_GRID, _Z_END * _Z_GRID + 1) / _Z_GRID
        chances = snapped(expit(z), RESIDUAL_GRID)
        at = np.clip(np.rint(score * _Z_GRID), -_Z_END * _Z_GRID, _Z_END * _Z_GRID)
        return np.asarray(chances[at.astype(np.int64) + _Z_END * _Z_GRID] - self._y)

    def _mains(self, asked: Asked, residuals: Floats) -> Floats:
        sums = np.zeros((len(self._codes), CELLS))
        for place, row, total in zip(asked.places, self._codes, sums, strict=True):
            np.add.at(total, place, _sums(row, residuals, CELLS))
        return sums[:, : width_of(asked)]

    def _pairs(self, asked: Asked, residuals: Floats) -> Floats:
        sums = np.zeros((len(asked.pairs), COARSE**2))
        for pair, total in zip(asked.pairs, sums, strict=True):
            total[:] = _sums(self._cells(asked, pair), residuals, COARSE**2)
        return sums

    def _cells(self, asked: Asked, pair: Array) -> Array:
        """Return each row's bin of a pair."""
        first, second = (asked.coarse[j][self._codes[j]] for j in pair)
        return np.asarray(first * COARSE + second)


def width_of(asked: Asked) -> int:
    """Return how many bins the widest feature of a question has."""
    return int(asked.places.max(initial=0)) + 1


def _sums(cells: Array, values: Floats, many: int) -> Floats:
    summed = np.bincount(cells, weights=values, minlength=many)
    return np.asarray(summed, dtype=np.float64)
