"""What a preparation costs against scikit-learn's own on the pooled rows, and equals.

Both sides run in one process on one thread: CPU seconds of fitting and of transforming
1,000,000 rows x 30 numbers with 5 % missing, three unlike domains. The federated side
encodes, masks, adds and decodes every answer as a run does.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from threadpoolctl import threadpool_limits

from bench import synthetic
from bench.figures import Figure, finish, parser
from fl_plugin.algorithms.base import BATCH, Target
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.fit import PreparationWorker, answers, preparing
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.raw import RawBlock, RawMemory
from fl_plugin.privacy.aggregator import Aggregator
from fl_plugin.privacy.encoding import decode, encode
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.summand import Arrays, Floats, Summand

K = 20
MISSING = 0.05
CPU_BAR, MOMENT_BAR, POOLED_BAR = 1.2, 1e-12, 1e-9


def main() -> int:
    """Measure, print, and return 1 where a bar is missed."""
    made = parser(__doc__)
    made.add_argument("--rows", type=int, default=1_000_000)
    given = made.parse_args()
    with threadpool_limits(1):
        figures = measure(given.rows)
    title = f"Preparation of {given.rows:,} rows x {synthetic.FEATURES}, three domains"
    return finish(title, figures, as_json=given.json)


def measure(rows: int) -> list[Figure]:
    """Return every figure."""
    parts = _parts(rows)
    pooled = np.ascontiguousarray(np.concatenate([p.numeric for p in parts], axis=1).T)
    return [
        *_case(
            "standard, mean",
            parts,
            (PreparationPlan(), "matrix"),
            (make_pipeline(SimpleImputer(), StandardScaler()), pooled),
        ),
        *_case(
            "robust, median, exact",
            parts,
            (
                PreparationPlan(numeric="robust", impute="median", edges="exact"),
                "matrix",
            ),
            (make_pipeline(SimpleImputer(strategy="median"), RobustScaler()), pooled),
        ),
        *_case(
            "bins, exact",
            parts,
            (PreparationPlan(edges="exact"), "bins"),
            (_BinMapper(subsample=None), pooled),
        ),
        *_case(
            "bins, k-anonymous",
            parts,
            (PreparationPlan(), "bins"),
            (_BinMapper(subsample=None), pooled),
        ),
    ]


def _case(
    name: str,
    parts: Sequence[RawBlock],
    ours: tuple[PreparationPlan, str],
    theirs: tuple[Any, Floats],
) -> list[Figure]:
    plan, prepares = ours
    schema = Schema(
        tuple(Feature(name=f"f{i}", kind="numeric") for i in range(synthetic.FEATURES)),
        target=Target(kind="binary"),
        prepares=prepares,
        min_cohort=K,
        edges=plan.edges,
    )
    found, fit, traffic = _fit(schema, plan, parts)
    _, transform = _timed(lambda: _transform(found, parts))
    estimator, pooled = theirs
    _, their_fit = _timed(lambda: estimator.fit(pooled))
    _, their_transform = _timed(lambda: estimator.transform(pooled))
    both = (fit + transform) / (their_fit + their_transform)
    return [
        Figure(name=f"{name}: fit, CPU s", value=fit),
        Figure(name=f"{name}: fit of scikit-learn, CPU s", value=their_fit),
        Figure(name=f"{name}: transform, CPU s", value=transform),
        Figure(name=f"{name}: transform of scikit-learn, CPU s", value=their_transform),
        Figure(name=f"{name}: CPU ratio, fit and transform", value=both, most=CPU_BAR),
        Figure(name=f"{name}: rounds", value=traffic["rounds"]),
        Figure(name=f"{name}: MB up per party", value=traffic["bytes"] / 1e6),
        *_equal(name, found, estimator, parts),
    ]


def _equal(
    name: str, found: Prepared, estimator: Any, parts: Sequence[RawBlock]
) -> list[Figure]:
    if isinstance(estimator, Pipeline):
        theirs = _moments(estimator)
        ours = np.stack([found.fills, found.centers, found.scales])
        told = f"{name}: largest relative difference from scikit-learn"
        figures = [Figure(name=told, value=_away(ours, theirs), most=POOLED_BAR)]
        if found.recipe.numeric == "standard":
            true = _true_moments(parts)
            told = f"{name}: largest relative error"
            figures += [
                Figure(name=told, value=_away(ours, true), most=MOMENT_BAR),
                Figure(name=f"{told} of scikit-learn", value=_away(theirs, true)),
            ]
        return figures
    if found.recipe.edges == "exact":
        same = map(np.array_equal, found.edges, estimator.bin_thresholds_)
        missed = len(found.edges) - sum(same)
        return [Figure(name=f"{name}: features unlike", value=missed, most=0)]
    values = np.concatenate([p.numeric for p in parts], axis=1)
    hits, fewest, away = 0, len(values[0]), 0.0
    for edges, column in zip(found.edges, values, strict=True):
        own = column[~np.isnan(column)]
        hits += int(np.isin(edges, own).sum())
        counts = np.bincount(np.searchsorted(edges, own), minlength=len(edges) + 1)
        fewest = min(fewest, int(counts.min()))
        wanted = np.arange(1, len(counts)) / len(counts)
        away = max(away, float(np.abs(counts.cumsum()[:-1] / len(own) - wanted).max()))
    return [
        Figure(name=f"{name}: edges that are a row's value", value=hits, most=0),
        Figure(name=f"{name}: fewest rows in a bin", value=fewest, least=K),
        Figure(name=f"{name}: largest rank error", value=away),
    ]


def _moments(estimator: Pipeline) -> Floats:
    imputer, scaler = estimator
    centers = getattr(scaler, "mean_", None)
    centers = scaler.center_ if centers is None else centers
    return np.stack([imputer.statistics_, centers, scaler.scale_])


def _true_moments(parts: Sequence[RawBlock]) -> Floats:
    """Return fills, means and scales computed with 64 bits of mantissa."""
    rows = []
    for number in range(synthetic.FEATURES):
        column = np.concatenate([p.numeric[number] for p in parts])
        own = column[~np.isnan(column)].astype(np.longdouble)
        mean = own.sum() / len(own)
        scale = np.sqrt(((own - mean) ** 2).sum() / len(column))
        rows.append([mean, mean, scale])
    return np.array(rows, dtype=np.float64).T


def _away(found: Floats, true: Floats) -> float:
    return float(np.max(np.abs(found - true) / np.abs(true)))


def _fit(
    schema: Schema, plan: PreparationPlan, parts: Sequence[RawBlock]
) -> tuple[Prepared, float, dict[str, float]]:
    """Return the preparation, CPU seconds of all, and what went over the wire."""
    cohort = _Cohort(len(parts))
    traffic = {"rounds": 0.0, "bytes": 0.0}

    def whole() -> Prepared:
        workers = [
            PreparationWorker(schema, RawMemory(p), np.ones(p.rows, dtype=np.bool_))
            for p in parts
        ]
        rounds = preparing(schema, plan)
        try:
            question = next(rounds).arrays
            while True:
                traffic["rounds"] += 1
                expected = answers(question, schema)
                told = [worker.answer(question) for worker in workers]
                sums, sent = cohort.add(told, expected)
                traffic["bytes"] += sent
                question = rounds.send(sums).arrays
        except StopIteration as end:
            prepared: Prepared = end.value
            return prepared

    found, seconds = _timed(whole)
    return found, seconds, traffic


class _Cohort:
    """Parties with masks, and the coordinator that adds; keys are made beforehand."""

    def __init__(self, parties: int) -> None:
        names = [f"p{i}" for i in range(parties)]
        terms, trust = Terms.stopping("bench", names), Trust(unsigned=True)
        self._aggregator = Aggregator(terms, trust)
        self._parties = {n: PartyMasks(n, terms, trust) for n in names}
        keys = self._aggregator.collect(
            {n: m.announce() for n, m in self._parties.items()}
        )
        for masks in self._parties.values():
            masks.share(keys)
        self._number = -1

    def add(
        self, parts: Sequence[Arrays], expected: Mapping[str, Summand]
    ) -> tuple[dict[str, Any], int]:
        """Return the sums, and the bytes that each party has sent."""
        self._number += 1
        sent = {
            name: masks.hide(
                {n: encode(s, part[n]) for n, s in expected.items()},
                expected,
                self._number,
                context=str(self._number),
            )
            for (name, masks), part in zip(self._parties.items(), parts, strict=True)
        }
        context = str(self._number)
        total = self._aggregator.add(sent, expected, self._number, context).unmask({})
        sums = {n: decode(s, total[n]) for n, s in expected.items()}
        return sums, sum(a.nbytes for a in next(iter(sent.values())).values())


def _transform(found: Prepared, parts: Sequence[RawBlock]) -> None:
    for part in parts:
        for block in RawMemory(part).blocks(BATCH * 4):
            found.design_block(block)


def _parts(rows: int) -> list[RawBlock]:
    rng = np.random.default_rng(0)
    blocks = []
    for table in synthetic.make(rows).values():
        x = np.ascontiguousarray(table.x.T)
        x[rng.random(x.shape) < MISSING] = np.nan
        blocks.append(RawBlock(x, (), table.y.astype(np.float64)))
    return blocks


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.process_time()
    done = work()
    return done, time.process_time() - begin


if __name__ == "__main__":
    sys.exit(main())
