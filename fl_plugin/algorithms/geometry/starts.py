"""Starts for k-means that use no row: centres split until there are enough of them.

k-means++ starts at rows, which may leave no domain. Linde, Buzo & Gray (1980,
doi:10.1109/TCOM.1980.1094577) start at the mean of all rows, split centres in two, let
Lloyd's algorithm settle them, and split again. All it needs are sums by centre.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Question
from fl_plugin.summand import Arrays, Floats

Growth = Generator[Question, Arrays, tuple[list[Floats], int]]

# Lloyd's steps between two splits: fewer split centres that have not settled yet.
SETTLING = 2
# Each half lies this many standard deviations of its centre's rows from it.
APART = 0.5
# Of the centres that there are, at most this share is split at a time.
AT_ONCE = 0.25


@dataclass(frozen=True)
class Spread:
    """How rows lie about the centres that they are nearest to.

    Args:
        centres: (k, p), moved to the mean of their rows; where they were without any.
        deviations: (k, p), of their rows, by column; 0 without rows.
        inertia: (k,), squared distances of their rows.
    """

    centres: Floats
    deviations: Floats
    inertia: Floats

    @classmethod
    def of(cls, centres: Floats, sums: Arrays) -> "Spread":
        """Return it from rows (k,), sums and sums of squares (k, p) by centre."""
        counts = sums["counts"][:, None]
        rows = np.maximum(counts, 1)
        means = np.where(counts > 0, sums["sums"] / rows, centres)
        variances = np.maximum(sums["squares"] / rows - means**2, 0.0) * (counts > 0)
        return cls(means, np.sqrt(variances), (variances * counts).sum(axis=1))


def split(spread: Spread, most: int, rng: np.random.Generator) -> Floats:
    """Return the centres with the worst ones split in two, at most `most` in all.

    A half lies to either side of its centre, in a direction drawn from how the
    centre's rows spread.
    """
    here = len(spread.centres)
    worst = min(most - here, int(np.ceil(AT_ONCE * here)))
    chosen = np.argsort(-spread.inertia, kind="stable")[:worst]
    drawn = rng.standard_normal((worst, spread.centres.shape[1]))
    step = APART * drawn * spread.deviations[chosen]
    centres = spread.centres.copy()
    centres[chosen] -= step
    return np.concatenate([centres, spread.centres[chosen] + step])


def grow(
    origin: Floats, variances: Floats, wanted: tuple[int, int], seed: int
) -> Growth:
    """Return `wanted` starts of so many centres, and how many questions they took.

    Args:
        origin: (p,), means of the columns.
        variances: (p,), of the columns.
        wanted: How many starts, and centres of each.
        seed: Of the directions in which centres are split; each start has its own.
    """
    rng = np.random.default_rng(seed)
    most = wanted[1]
    whole = Spread(origin[None], np.sqrt(variances)[None], np.ones(1))
    starts = [split(whole, most, rng) for _ in range(wanted[0])]
    asked = 0
    while len(starts[0]) < most:
        spreads: list[Spread] = []
        for _ in range(SETTLING):
            sums = yield _about(origin, starts)
            parts = [{n: v[i] for n, v in sums.items()} for i in range(len(starts))]
            spreads = [Spread.of(*one) for one in zip(starts, parts, strict=True)]
            starts = [spread.centres for spread in spreads]
            asked += 1
        starts = [split(spread, most, rng) for spread in spreads]
    return starts, asked


def _about(origin: Floats, starts: list[Floats]) -> Question:
    arrays = {
        "origin": origin,
        "centres": np.stack(starts),
        "growing": np.ones(1, dtype=np.int64),
    }
    return Question(arrays=arrays, progress={"centres": float(len(starts[0]))})
