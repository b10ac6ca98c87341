"""What a label domain can tell of single rows' bins from the sums of a strict fit.

Usage: python -m bench.vertical_boosting_bins [--rows 2000] [--json]

The label domain knows every number that it encrypts, and opens sums of them by bin.
Each sum is an equation about which rows are in the bin. Here it solves them (the
solution of least squares, then each row into the bin that fits best), for more and
more trees; beside it, what guessing every column's fullest bin would get right.
"""

import sys
from collections.abc import Callable, Iterator
from unittest import mock

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from bench.figures import Figure, finish, parser
from bench.vertical_boosting import LABEL, OTHER, fit, rows_of, sides_of
from fl_plugin.algorithms.base import Target
from fl_plugin.summand import Array
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.boosting.joint import Numbers
from fl_plugin.vertical.boosting.peers import SealedPeers
from fl_plugin.vertical.boosting.turns import Talk
from fl_plugin.vertical.vertical_boosting import VerticalBoosting

COLUMNS = 8
BINS = 32
PLAIN = SealedPeers.sums


class Seen:
    """What the label domain has: numbers per row, and their sums by bin."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.numbers: list[Array] = []
        self.sums: list[Array] = []

    def listen(self, told: SealedPeers, nodes: list[Numbers]) -> Talk[list[Array]]:
        """Return what `SealedPeers.sums` does, and keep it."""
        found = yield from PLAIN(told, nodes)
        for node, sums in zip(nodes, found, strict=True):
            whole = np.zeros((len(sums), self.rows))
            whole[:-1, node.rows] = node.kinds
            whole[-1, node.rows] = 1.0
            self.numbers += list(whole)
            self.sums += list(sums[:, COLUMNS // 2 :].astype(float))
        return found

    def told(self, x: Array) -> float:
        """Return the share of bins, (columns, rows), that are found."""
        numbers, sums = np.stack(self.numbers), np.stack(self.sums)
        scale = np.linalg.norm(numbers, axis=1, keepdims=True)
        flat = sums.reshape(len(sums), -1) / scale
        solved = np.linalg.lstsq(numbers / scale, flat, rcond=1e-9)[0]
        guess = solved.reshape(self.rows, *sums.shape[1:]).argmax(axis=2)
        return float((x == guess.T).mean())


def _heard_by(seen: Seen) -> Callable[[SealedPeers, list[Numbers]], Talk[list[Array]]]:
    def sums(told: SealedPeers, nodes: list[Numbers]) -> Talk[list[Array]]:
        return seen.listen(told, nodes)

    return sums


def main() -> int:
    """Print the figures."""
    arguments = parser(__doc__)
    arguments.add_argument("--rows", type=int, default=2_000)
    chosen = arguments.parse_args()
    with threadpool_limits(1):
        figures = list(measure(chosen.rows))
    title = f"Bins from sums, {chosen.rows:,} x {COLUMNS}, {BINS} bins, 31 leaves"
    return finish(title, figures, as_json=chosen.json)


def measure(rows: int) -> Iterator[Figure]:
    """Yield the figures."""
    x, y = rows_of(rows, COLUMNS)
    pooled = HistGradientBoostingClassifier(max_iter=1, max_bins=BINS).fit(x, y)
    sides = sides_of(pooled, x, y)
    task = VerticalTask(
        target=Target(),
        widths={p: len(side.columns) for p, side in sides.items()},
        label_party=LABEL,
        rows=rows,
    )
    bins = sides[OTHER].block.x
    fullest = np.mean([np.bincount(column).max() / rows for column in bins])
    yield Figure(name="the fullest bin, share of rows", value=float(fullest))
    for trees in (2, 5, 10, 20, 40):
        seen = Seen(rows)
        algorithm = VerticalBoosting(max_iter=trees, max_bins=BINS, sums_per_row=10.0)
        with mock.patch.object(SealedPeers, "sums", _heard_by(seen)):
            fit(algorithm, task, sides)
        share = len(seen.numbers) / rows
        yield Figure(name=f"{trees} trees: sums of a bin per row", value=share)
        yield Figure(name="  bins found, share", value=seen.told(bins))


if __name__ == "__main__":
    sys.exit(main())
