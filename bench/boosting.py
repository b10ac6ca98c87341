"""Boosted trees over parties beside scikit-learn's on the pooled rows.

CPU seconds of one process with one thread, best of several runs. The pooled side finds
its bins, bins its rows and grows its trees. The federated side is given those bins,
bins the rows of every party and grows its trees: all parties' work and the
coordinator's is counted, with the masks of every message, the cut to the bytes that
are sent, and the sum.
"""

import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier as PooledClassifier,
)
from sklearn.ensemble import (
    HistGradientBoostingRegressor as PooledRegressor,
)
from threadpoolctl import threadpool_limits

from bench.boosting_data import Rows, made
from bench.figures import Figure, finish, parser
from bench.sent import Sent
from fl_plugin.algorithms.base import Block, DesignColumn, Fitted, Task, Worker, solve
from fl_plugin.algorithms.boosting.booster import Booster
from fl_plugin.algorithms.hist_gradient_boosting_classifier import (
    HistGradientBoostingClassifier,
)
from fl_plugin.algorithms.hist_gradient_boosting_regressor import (
    HistGradientBoostingRegressor,
)
from fl_plugin.summand import Array, Arrays, Summand

TREES = 60
STRUCTURE = (
    "bin_threshold",
    "count",
    "is_leaf",
    "left",
    "missing_go_to_left",
    "num_threshold",
    "right",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of the table.

    Args:
        rows: How many, in all.
        parties: Who hold them.
        masked: Whether parties mask what they send.
        growth: As the algorithm's option.
        bins: Most bins of a column, on both sides.
        ratio: Bar on the ratio of CPU seconds.
        megabytes: Bar on what a party sends.
    """

    rows: int
    parties: int = 3
    masked: bool = True
    growth: str = "ahead"
    bins: int = 255
    ratio: float | None = None
    megabytes: float | None = None


CASES = (
    Case(rows=24_000, parties=7),
    Case(rows=24_000, parties=7, bins=63, ratio=4.0),
    Case(rows=90_000, ratio=2.0),
    Case(rows=90_000, masked=False),
    Case(rows=900_000, growth="exact"),
    Case(rows=900_000, masked=False),
    Case(rows=900_000, ratio=1.25, megabytes=250.0),
)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Both sides.

    Args:
        reference: scikit-learn's estimator, fitted to the pooled rows.
        estimator: Ours.
        seconds: CPU of the pooled and of the federated side.
        fitted: What our rounds returned.
        octets: Sent by each party.
    """

    reference: Any
    estimator: Any
    seconds: tuple[float, float]
    fitted: Fitted
    octets: int

    @property
    def trees(self) -> int:
        """How many trees scikit-learn has grown."""
        return sum(len(group) for group in self.reference._predictors)  # noqa: SLF001

    @property
    def identical(self) -> int:
        """How many trees have the same nodes, splits and sets of categories."""
        pairs = zip(
            (t for group in self.reference._predictors for t in group),  # noqa: SLF001
            (t for group in self.estimator._predictors for t in group),  # noqa: SLF001
            strict=True,
        )
        return sum(self._alike(one, other) for one, other in pairs)

    def _alike(self, one: Any, other: Any) -> bool:
        if len(one.nodes) != len(other.nodes):
            return False
        order = _order(self.reference, self.estimator.n_features_in_)
        inner = one.nodes["is_leaf"] == 0
        sets = one.nodes["bitset_idx"][one.nodes["is_categorical"] == 1]
        columns = (order[one.nodes["feature_idx"]], other.nodes["feature_idx"])
        return (
            all(np.array_equal(one.nodes[n], other.nodes[n]) for n in STRUCTURE)
            and np.array_equal(columns[0][inner], columns[1][inner])
            and np.array_equal(
                one.raw_left_cat_bitsets[sets], other.raw_left_cat_bitsets[sets]
            )
        )


def compare(rows: Rows, *, masked: bool = True, **options: Any) -> Compared:
    """Fit both sides to the same rows with the same bins; options as ours."""
    growth = options.pop("growth", "ahead")
    options = {"max_iter": TREES, "early_stopping": False} | options
    algorithm: Booster = HistGradientBoostingClassifier(growth=growth, **options)
    pooled = PooledClassifier
    if rows.target.kind == "count":
        algorithm = HistGradientBoostingRegressor(growth=growth, **options)
        pooled, options = PooledRegressor, options | {"loss": "poisson"}
    if any(rows.categorical):
        options["categorical_features"] = list(rows.categorical)
    with threadpool_limits(1):
        begin = time.process_time()
        reference = pooled(random_state=0, **options).fit(rows.x, rows.y)
        middle = time.process_time()
        columns = _columns(reference, rows)
        blocks = [_binned(reference, columns, part) for part in _parts(rows)]
        task = _task(rows, columns, len(blocks))
        sent = Sent([f"p{i:02d}" for i in range(len(blocks))], masked)
        fitted = _fit(algorithm, task, blocks, sent)
        seconds = (middle - begin, time.process_time() - middle)
    return Compared(
        reference=reference,
        estimator=algorithm.estimator(fitted.model, task),
        seconds=seconds,
        fitted=fitted,
        octets=sent.octets,
    )


def _fit(algorithm: Any, task: Task, blocks: Sequence[Block], sent: Sent) -> Fitted:
    workers: dict[str, Worker] = {
        party: algorithm.worker(task, block)
        for party, block in zip(sent.parties, blocks, strict=True)
    }

    def total(question: Arrays, expected: Mapping[str, Summand]) -> Arrays:
        answers = {party: w.answer(question) for party, w in workers.items()}
        return sent.total(answers, expected)

    return solve(algorithm, task, total)


def _parts(rows: Rows) -> list[Rows]:
    return [
        Rows(
            x=rows.x[rows.party == p],
            y=rows.y[rows.party == p],
            party=rows.party[rows.party == p],
            target=rows.target,
            categorical=rows.categorical,
        )
        for p in np.unique(rows.party)
    ]


def _order(reference: Any, columns: int) -> Array:
    """Return scikit-learn's order of columns: categorical ones first."""
    mask = reference.is_categorical_
    return np.argsort(
        ~(np.zeros(columns, bool) if mask is None else mask), kind="stable"
    )


def _columns(reference: Any, rows: Rows) -> tuple[DesignColumn, ...]:
    mapper = reference._bin_mapper  # noqa: SLF001 - both sides get the same bins
    order = _order(reference, rows.x.shape[1]).tolist()
    return tuple(
        DesignColumn(
            name=f"x{j}",
            feature=f"x{j}",
            categorical=categorical,
            edges=None if categorical else mapper.bin_thresholds_[order.index(j)],
            bins=int(mapper.n_bins_non_missing_[order.index(j)]),
        )
        for j, categorical in enumerate(rows.categorical)
    )


def _binned(reference: Any, columns: Sequence[DesignColumn], part: Rows) -> Block:
    order = _order(reference, len(columns))
    mapper = reference._bin_mapper  # noqa: SLF001 - both sides get the same bins
    ordered = mapper.transform(part.x[:, order] if any(part.categorical) else part.x)
    if not any(part.categorical):
        return Block(ordered.T, part.y)
    return Block(np.ascontiguousarray(ordered.T[np.argsort(order)]), part.y)


def _task(rows: Rows, columns: tuple[DesignColumn, ...], parties: int) -> Task:
    return Task(target=rows.target, columns=columns, rows=len(rows.y), parties=parties)


def measure(case: Case, repeats: int) -> list[Figure]:
    """Return the figures of one line of the table, the best of several runs."""
    rows = made(case.rows, case.parties)
    runs = [
        compare(rows, masked=case.masked, growth=case.growth, max_bins=case.bins)
        for _ in range(repeats)
    ]
    pooled, ours = (min(run.seconds[side] for run in runs) for side in (0, 1))
    last = runs[-1]
    difference = np.abs(
        last.reference.predict_proba(rows.x[:50_000])
        - last.estimator.predict_proba(rows.x[:50_000])
    ).max()
    words = "masked" if case.masked else "plain"
    name = f"{case.rows:,} rows, {case.parties} domains, {case.bins} bins, {words}, "
    name += f"{case.growth}: "
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure(name=name + "CPU ratio", value=ours / pooled, most=case.ratio),
        Figure(name=name + "CPU s, pooled", value=pooled),
        Figure(name=name + "CPU s, federated", value=ours),
        Figure(
            name=name + f"same trees of {last.trees}",
            value=last.identical,
            least=float(last.trees),
        ),
        Figure(name=name + "largest difference", value=float(difference), most=1e-9),
        Figure(name=name + "rounds per tree", value=last.fitted.rounds / last.trees),
        Figure(
            name=name + "MB up per party",
            value=last.octets / 1e6,
            most=case.megabytes,
        ),
        Figure(name=name + "peak MB, both sides", value=peak),
    ]


def main() -> int:
    """Print the table."""
    made_parser = parser(__doc__)
    made_parser.add_argument("--most", type=int, default=1_000_000, help="rows")
    made_parser.add_argument("--repeats", type=int, default=3)
    arguments = made_parser.parse_args()
    figures = [
        figure
        for case in CASES
        if case.rows <= arguments.most
        for figure in measure(case, arguments.repeats)
    ]
    return finish("Boosted trees over parties", figures, as_json=arguments.json)


if __name__ == "__main__":
    raise SystemExit(main())
