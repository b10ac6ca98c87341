"""Records made by tests from public or made-up data; no real run stands behind them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fl_plugin.evaluation.base import (
    EvaluationSpec,
    baseline_metrics,
    evaluation_for,
)
from fl_plugin.evaluation.paired import verdict
from fl_plugin.mesh.figures import (
    ProtectedColumn,
    calibration_of,
    confusion_of,
    cross_validation_of,
    difference_of,
    quality_fields,
)
from fl_plugin.registry import run_record as rec
from fl_plugin.registry.record_json import record_from_json

KINDS = ("binary", "multiclass", "regression", "count", "none")
ROWS = 3_000
PROTECTED = (
    ProtectedColumn(name="sex", categories=("female", "male")),
    ProtectedColumn(name="age_band", categories=("below 30", "30 to 60", "above 60")),
)
CLASSES = {
    "binary": (False, True),
    "multiclass": ("adelie", "chinstrap", "gentoo"),
}


@pytest.fixture(scope="session")
def run():
    path = Path(__file__).with_name("sample_run.json")
    return record_from_json(path.read_bytes())


@pytest.fixture(scope="session")
def bare(run):
    """A record with everything left out that may be."""
    return dataclasses.replace(
        run,
        rounds=(),
        metrics={},
        cross_validation=None,
        domains=(),
        baselines={},
        curves=type(run.curves)(),
        confusion=None,
        coefficients=(),
        certificate=None,
        left_domain=(),
        seconds={},
        audit_heads={},
        software={},
        evaluation={},
        preparation=type(run.preparation)(),
        label="",
        description="",
        owner="",
    )


@pytest.fixture(scope="session")
def of_kind(run):
    """Return a function from a kind of target to a full record of it."""
    return {kind: made_up(run, kind) for kind in KINDS}


def made_up(run: rec.RunRecord, kind: str) -> rec.RunRecord:
    """Return a record of this kind, judged on drawn rows."""
    spec = spec_for(kind)
    judge, (predictions, y, codes) = evaluation_for(spec), drawn(kind, ROWS, 1)
    totals = judge.sums(predictions, y, codes)
    holdout = judge.metrics(totals)
    train = [int((y == i).sum()) for i in range(len(spec.classes))]
    baseline = baseline_metrics(spec, totals, train)
    folds = [evaluate(kind, 400, seed) for seed in range(10)]
    fields = quality_fields(holdout, spec.classes, PROTECTED)
    name = "mean" if kind in {"regression", "count", "none"} else "majority"
    return dataclasses.replace(
        run,
        **fields,
        study="made_up",
        label="",
        main=judge.main,
        better=judge.better,
        confusion=confusion_of(holdout, 0.5),
        baselines={name: baseline.values()},
        cross_validation=cross_validation_of(folds, folds_each=5, repeats=2),
        domains=tuple(domain_of(kind, d, i) for i, d in enumerate(run.domains)),
        **EXTRAS[kind],
    )


def spec_for(kind: str) -> EvaluationSpec:
    return EvaluationSpec(
        kind=kind,
        classes=CLASSES.get(kind, ()),
        rows=ROWS,
        low=0.0,
        high=30_000.0 if kind == "regression" else 12.0,
        centre=15_000.0 if kind == "regression" else 1.6,
        group_sizes=tuple(len(column.categories) for column in PROTECTED),
    )


def evaluate(kind: str, rows: int, seed: int) -> Any:
    judge = evaluation_for(spec_for(kind))
    return judge.metrics(judge.sums(*drawn(kind, rows, seed)))


def drawn(kind: str, rows: int, seed: int) -> tuple[Any, Any, Any]:
    """Return predictions, a target and codes; the last age band is a small one."""
    rng = np.random.default_rng(seed)
    sex = rng.integers(0, 2, rows)
    age = np.where(rng.random(rows) < 0.002, 2, rng.integers(-1, 2, rows))
    signal = rng.normal(size=rows) + 0.4 * sex
    if kind == "binary":
        y = (rng.random(rows) < 1 / (1 + np.exp(1 - 1.4 * signal))).astype(float)
        return 1 / (1 + np.exp(1 - 1.2 * signal)), y, (sex, age)
    if kind == "multiclass":
        y = rng.integers(0, 3, rows)
        logits = rng.normal(size=(rows, 3)) + 0.3 * sex[:, None] * [1, 0, 0]
        logits[np.arange(rows), y] += 2
        chances = np.exp(logits)
        return chances / chances.sum(axis=1, keepdims=True), y.astype(float), (sex, age)
    if kind == "regression":
        y = 15_000 + 4_000 * signal + 2_500 * rng.normal(size=rows) + 300 * sex
        return 15_000 + 3_900 * signal, y, (sex, age)
    expected = np.exp(0.3 + 0.5 * signal)
    return expected * 1.05, rng.poisson(expected).astype(float), (sex, age)


def domain_of(kind: str, domain: rec.DomainResult, place: int) -> rec.DomainResult:
    judge = evaluation_for(dataclasses.replace(spec_for(kind), group_sizes=()))
    predictions, y, _ = drawn(kind, 600, 50 + place)
    own = drawn(kind, 600, 90 + place)[0] if kind != "none" else predictions * 1.1
    mixed = 0.9 * predictions + 0.1 * own
    pair = judge.paired(predictions, mixed, y)
    found = judge.metrics(judge.sums(predictions, y))
    return dataclasses.replace(
        domain,
        federated=found.values(),
        own=judge.metrics(judge.sums(mixed, y)).values(),
        difference=difference_of(pair),
        verdict=verdict(pair),
        calibration=calibration_of(found.calibration),
        measure=judge.main,
        personalised=judge.metrics(judge.sums(predictions, y)).values()
        if kind == "multiclass"
        else {},
    )


NO_WEIGHTS: dict[str, Any] = {
    "coefficients": (),
    "certificate": None,
    "importances": tuple(
        rec.Importance(name=name, value=0.08 / (i + 1), sd=0.004)
        for i, name in enumerate(("duration", "amount", "age", "housing"))
    ),
}
EXTRAS: dict[str, dict[str, Any]] = {
    "binary": {
        "privacy": rec.Privacy(
            secure_aggregation=True,
            statement="Differentially private for each row.",
            epsilon=2.0,
            delta=1e-6,
            mode="differential privacy",
            mechanism="discrete Gaussian",
            sigma=4.2,
            dropout="the round goes on without it",
            signed_keys=True,
        ),
    },
    "multiclass": NO_WEIGHTS
    | {
        "algorithm": rec.AlgorithmUsed(
            name="hist_gradient_boosting",
            title="Histogram gradient boosting",
            parameters={"max_iter": 100, "learning_rate": 0.1},
            equals="scikit-learn's HistGradientBoostingClassifier on the pooled rows",
        ),
        "rounds": tuple(
            rec.RoundRecord(
                round=i,
                bytes_up=4_000_000,
                bytes_down=20_000,
                seconds=0.2,
                loss=1.1 * 0.97**i,
                progress={"trees": float(i)},
            )
            for i in range(80)
        ),
        "search": rec.Search(
            method="halving",
            measure="log_loss",
            better="lower",
            epsilon=1.5,
            candidates=(
                rec.Candidate(
                    parameters={"learning_rate": 0.1},
                    mean=0.44,
                    sd=0.02,
                    fits=15,
                    epsilon=0.75,
                    chosen=True,
                ),
                rec.Candidate(
                    parameters={"learning_rate": 0.5},
                    mean=0.52,
                    sd=0.03,
                    fits=5,
                    epsilon=0.75,
                ),
                rec.Candidate(parameters={"learning_rate": 9.0}, mean=None, fits=5),
            ),
        ),
        "notes": ("It stopped early, after 80 trees.",),
    },
    "regression": {
        "preparation": rec.Preparation(
            columns=(
                rec.ColumnPrepared(
                    name="age", steps=("missing becomes 36", "less 35.5, over 11.4")
                ),
            )
        )
    },
    "count": {},
    "none": NO_WEIGHTS | {"importances": ()},
}
