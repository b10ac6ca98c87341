"""CPU seconds of one federated logistic regression beside scikit-learn's.

Three unlike domains, 30 numeric columns, one thread for BLAS and OpenMP on both sides,
one process, repetitions interleaved; both sides standardise, then fit. The federated
side includes keys, masks, fixed point and every message's encoding and decoding. It
leaves out reading the tables (`bench.reading`), decisions and ledgers (`bench.engine`).
CPU seconds, not wall time: they hold on a machine that others use too.
"""

import gc
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression as Sklearn
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from bench import parties, pooled, synthetic
from bench.figures import Figure, finish, parser
from fl_plugin.algorithms.logistic_regression import LogisticRegression
from fl_plugin.coordinator.fitting import fit, prepare
from fl_plugin.party.rows import Rows
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.splits import Split

Floats = npt.NDArray[np.float64]

RATIO_BAR = 1.0
COEFFICIENT_BAR = 1e-6
ALL = Split(name="all", part="train")
FEATURES = tuple(
    Feature(name=f"f{i:02d}", kind="numeric") for i in range(synthetic.FEATURES)
)
# scikit-learn as most people call it, as its best solver, and each solved further.
SOLVERS: Mapping[str, Callable[[], Sklearn]] = {
    "lbfgs": Sklearn,
    "newton-cholesky": lambda: Sklearn(solver="newton-cholesky"),
    "lbfgs at tol 1e-9": lambda: Sklearn(tol=1e-9, max_iter=1000),
    "tight": pooled.tight_logistic,
}


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One fit: coefficients and intercept, CPU seconds, and for the federation more.

    Args:
        parts: CPU seconds by kind of round.
        bytes_up: Of one party in one round of the fit.
    """

    point: Floats
    seconds: float
    rounds: int
    bytes_up: int = 0
    parts: Mapping[str, float] | None = None


def held(domains: Mapping[str, synthetic.Table]) -> dict[str, Rows]:
    """Return the parties' rows as a party holds them: one line per feature."""
    return {
        domain: Rows(
            numeric=np.ascontiguousarray(table.x.T),
            text={},
            target=table.y,
            hashes=np.arange(len(table.y), dtype=np.uint64),
            fingerprint="",
        )
        for domain, table in domains.items()
    }


def federated(rows: Mapping[str, Rows]) -> Timed:
    """Prepare and fit over the parties, all in this thread."""
    task = parties.Task(algorithm=LogisticRegression(), features=FEATURES)
    clock = _Clock()
    run = parties.federation(task, rows)
    run.listener = clock.lap
    (moments,) = prepare((ALL,), run)
    (found,) = fit(task.algorithm, (ALL,), (moments,), len(FEATURES), run).fits
    clock.lap("end", 0)
    return Timed(
        point=found.point,
        seconds=clock.total,
        rounds=found.fitted.rounds,
        bytes_up=max(e.bytes_up for e in run.traffic if e.kind == "step"),
        parts=clock.laps,
    )


def scikit_learn(x: Floats, y: npt.NDArray[np.bool_], solver: str) -> Timed:
    """Standardise and fit the pooled rows."""
    begun = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "tight" may stop on rounding error
        model = SOLVERS[solver]().fit(StandardScaler().fit_transform(x), y)
    seconds = time.process_time() - begun
    point = np.append(model.coef_[0], model.intercept_[0])
    return Timed(point=point, seconds=seconds, rounds=int(model.n_iter_[0]))


def measure(rows: int, repeats: int) -> list[Figure]:
    """Fit each way `repeats` times in turn; medians."""
    domains = synthetic.make(rows)
    x = np.concatenate([t.x for t in domains.values()])
    y = np.concatenate([t.y for t in domains.values()])
    here = held(domains)
    del domains
    ours: list[Timed] = []
    theirs: dict[str, list[Timed]] = {solver: [] for solver in SOLVERS}
    with threadpool_limits(1):
        for _ in range(repeats):
            ours.append(federated(here))
            gc.collect()
            for solver, runs in theirs.items():
                runs.append(scikit_learn(x, y, solver))
                gc.collect()
    return _figures(len(y), ours, theirs)


def _figures(
    rows: int, ours: list[Timed], theirs: Mapping[str, list[Timed]]
) -> list[Figure]:
    last = ours[-1]
    seconds = median(t.seconds for t in ours)
    spent = {s: median(t.seconds for t in runs) for s, runs in theirs.items()}
    apart = {s: np.abs(r[-1].point - last.point).max() for s, r in theirs.items()}
    parts = last.parts or {}
    return [
        Figure(name="rows", value=rows),
        Figure(name="CPU seconds, federated", value=seconds),
        *(Figure(name=f"  of which {k}", value=v) for k, v in parts.items()),
        *(Figure(name=f"CPU seconds, {s}", value=v) for s, v in spent.items()),
        Figure(name="ratio to lbfgs", value=seconds / spent["lbfgs"], most=RATIO_BAR),
        Figure(
            name="ratio to newton-cholesky", value=seconds / spent["newton-cholesky"]
        ),
        Figure(
            name="ratio to lbfgs at tol 1e-9",
            value=seconds / spent["lbfgs at tol 1e-9"],
        ),
        Figure(name="ratio to tight newton-cholesky", value=seconds / spent["tight"]),
        Figure(
            name="largest difference of a coefficient from tight",
            value=float(apart["tight"]),
            most=COEFFICIENT_BAR,
        ),
        *(
            Figure(name=f"  from {s}", value=float(apart[s]))
            for s in SOLVERS
            if s != "tight"
        ),
        Figure(name="rounds of the fit", value=last.rounds),
        *(
            Figure(name=f"iterations of {s}", value=runs[-1].rounds)
            for s, runs in theirs.items()
        ),
        Figure(name="bytes up, per party and round", value=last.bytes_up),
    ]


class _Clock:
    """CPU seconds by kind of round: a round lasts until the next one begins."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._kind = "keys"
        self._last = time.process_time()

    @property
    def total(self) -> float:
        """CPU seconds since the start."""
        return sum(self.laps.values())

    def lap(self, kind: str, _number: int) -> None:
        """Book what was spent since the last call to the round that ran."""
        now = time.process_time()
        spent = now - self._last
        self.laps[self._kind] = self.laps.get(self._kind, 0.0) + spent
        self._kind, self._last = kind, now


def main() -> int:
    """Print the medians; exit with 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--repeats", type=int, default=3)
    chosen = arguments.parse_args()
    figures = measure(chosen.rows, chosen.repeats)
    title = "Logistic regression, three domains x 30 columns, one thread"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
