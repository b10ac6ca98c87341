"""What noise costs in AUC: private fits against pooled scikit-learn on the same rows.

`python -m bench.differential_privacy` prints, for each epsilon, the worst of several
fits over three domains with masks' noise shares, 100,000 training rows, 30 columns.
The bounds of the columns are what a contract would say: whole numbers around them.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench.figures import Figure, finish, parser
from bench.synthetic import make
from fl_plugin.algorithms.base import Block, DesignColumn, Target, Task, solve
from fl_plugin.algorithms.private.releases import PrivateAlgorithm
from fl_plugin.algorithms.private_boosting import PrivateBoosting
from fl_plugin.algorithms.private_logistic_regression import PrivateLogisticRegression
from fl_plugin.privacy.dp.accountant import mu_for
from fl_plugin.privacy.dp.guard import Guard
from fl_plugin.privacy.dp.noise import Noise
from fl_plugin.privacy.dp.preparation import ColumnFacts, PublicColumn, public_column
from fl_plugin.privacy.dp.sampler import discrete_gaussian
from fl_plugin.privacy.encoding import decode, pack, unpack
from fl_plugin.summand import Array, Arrays, Floats, Summand

ROWS = 125_000  # a fifth of them is tested on
HELD_OUT = 0.2
BOUNDS = 4.0  # standard deviations on either side of the mean
DELTA = 1e-6
REPEATS = 5
BARS = {0.3: None, 1.0: 0.02, 8.0: 0.005}


@dataclass(frozen=True)
class Rows:
    """Three domains' prepared training rows, and raw rows for pooled training.

    Args:
        parts: One block per domain.
        task: Facts about them, without a budget.
        train: Raw features and targets of all domains.
        test: The same of the rows held out, and prepared features.
    """

    parts: Sequence[Block]
    task: Task
    train: tuple[Floats, Floats]
    test: tuple[Floats, Floats, Floats]


def rows_of(total: int) -> Rows:
    """Return synthetic rows of three unlike domains, prepared by contract alone."""
    tables = list(make(total).values())
    public = _contract(np.concatenate([t.x for t in tables]))

    def prepared(x: Floats) -> Floats:
        return np.stack([c.prepared(x[:, j]) for j, c in enumerate(public)])

    held = [
        np.random.default_rng(place).random(len(table.y)) < HELD_OUT
        for place, table in enumerate(tables)
    ]
    both = list(zip(tables, held, strict=True))
    parts = [Block(prepared(t.x[~h]), t.y[~h].astype(np.float64)) for t, h in both]
    train = np.concatenate([t.x[~h] for t, h in both])
    tested = np.concatenate([t.x[h] for t, h in both])
    columns = tuple(DesignColumn(name=c.column, feature=c.column) for c in public)
    known = 2 ** int(np.ceil(np.log2(len(train))))  # a public bound, not the count
    return Rows(
        parts=parts,
        task=Task(target=Target(), columns=columns, rows=known, parties=len(parts)),
        train=(train, np.concatenate([p.y for p in parts])),
        test=(tested, np.concatenate([t.y[h] for t, h in both]), prepared(tested).T),
    )


def _contract(x: Floats) -> list[PublicColumn]:
    """Return the columns as a contract with rounded bounds would have them."""
    spread = BOUNDS * x.std(axis=0)
    low, high = np.floor(x.mean(axis=0) - spread), np.ceil(x.mean(axis=0) + spread)
    return [
        public_column(
            [
                ColumnFacts(
                    domain="north",
                    product="north.rows",
                    column=f"x{j}",
                    kind="numeric",
                    bounds=(float(low[j]), float(high[j])),
                )
            ]
        )
        for j in range(x.shape[1])
    ]


def private_auc(algorithm: PrivateAlgorithm, rows: Rows, epsilon: float) -> float:
    """Return the AUC of one private fit; masks cancel, so they are left out."""
    task = replace(rows.task, mu=mu_for(epsilon, DELTA))
    noise = Noise(mu=task.mu, parties=len(rows.parts), masked=True)
    guards = [Guard(noise) for _ in rows.parts]
    workers = [algorithm.worker(task, part) for part in rows.parts]

    def total(question: Arrays, expected: Mapping[str, Summand]) -> Arrays:
        told = algorithm.releases(question, task)
        sent = [
            guard.words(expected, worker.answer(question), told)
            for guard, worker in zip(guards, workers, strict=True)
        ]
        return {n: _sum([w[n] for w in sent], s) for n, s in expected.items()}

    fitted = solve(algorithm, task, total)
    estimator: Any = algorithm.estimator(fitted.model, task)
    chances = estimator.predict_proba(rows.test[2])[:, 1]
    return float(roc_auc_score(rows.test[1], chances))


def _sum(parts: Sequence[Array], summand: Summand) -> Array:
    """Return what the coordinator decodes."""
    cut = [unpack(pack(p, summand.width), summand.shape, summand.width) for p in parts]
    return decode(summand, np.asarray(np.sum(cut, axis=0, dtype=np.uint64)))


def losses(rows: Rows, repeats: int) -> list[Figure]:
    """Return how far each private fit's AUC lies below pooled scikit-learn's."""
    x, y = rows.train
    pooled = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
        "boosting": HistGradientBoostingClassifier(early_stopping=False),
    }
    ours: dict[str, PrivateAlgorithm] = {
        "logistic regression": PrivateLogisticRegression(),
        "boosting": PrivateBoosting(),
    }
    figures = []
    for name, model in pooled.items():
        chances = model.fit(x, y).predict_proba(rows.test[0])[:, 1]
        best = float(roc_auc_score(rows.test[1], chances))
        figures.append(Figure(name=f"{name}: pooled AUC", value=best))
        for epsilon, bar in BARS.items():
            found = [private_auc(ours[name], rows, epsilon) for _ in range(repeats)]
            label = f"{name}: AUC lost at epsilon {epsilon:g}"
            worst = best - min(found)
            figures.append(Figure(name=f"{label}, worst fit", value=worst, most=bar))
            figures.append(
                Figure(name=f"{label}, mean", value=best - float(np.mean(found)))
            )
    return figures


def speed() -> Figure:
    """Return CPU seconds for 100,000 draws on a wide scale."""
    begin = time.process_time()
    discrete_gaussian(2**22 - 1, 100_000)
    took = time.process_time() - begin
    return Figure(name="CPU seconds for 100,000 exact draws of noise", value=took)


def main() -> int:
    """Print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--rows", type=int, default=ROWS)
    arguments.add_argument("--repeats", type=int, default=REPEATS)
    chosen = arguments.parse_args()
    figures = [*losses(rows_of(chosen.rows), chosen.repeats), speed()]
    return finish(
        f"Differential privacy, {chosen.rows * 4 // 5:,} rows, delta {DELTA:g}",
        figures,
        as_json=chosen.json,
    )


if __name__ == "__main__":
    raise SystemExit(main())
