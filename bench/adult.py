"""Adult: three domains by occupation, federated, beside scikit-learn on all rows.

Adult, Becker & Kohavi 1996, doi:10.24432/C5XW20, CC BY 4.0. The file is not part of
this repository: name a parquet file with the columns of `adult.data`, a column
`income` and no index. Without one the command says so and ends well.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from bench import parties, pooled
from bench.figures import Figure, finish, parser
from fl_plugin.algorithms.logistic_regression import LogisticRegression
from fl_plugin.coordinator.judging import judge_fits
from fl_plugin.model.pipeline import build_pipeline
from fl_plugin.party.rows import Rows
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.splits import Split, row_hashes

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

PLACE = Path(__file__).resolve().parents[2] / "shared" / "data" / "adult.parquet"
COEFFICIENT_BAR = 1e-6
AUC_BAR = 1e-4  # the histogram's own resolution is part of the gap
NUMBERS = (
    "age",
    "education_num",
    "capital_gain",
    "capital_loss",
    "hours_per_week",
)
WORDS = (
    "workclass",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native_country",
)
# Every other occupation is the third domain's.
OFFICE = ("Adm-clerical", "Exec-managerial", "Prof-specialty", "Sales", "Tech-support")
WORKSHOP = (
    "Craft-repair",
    "Farming-fishing",
    "Handlers-cleaners",
    "Machine-op-inspct",
    "Transport-moving",
)
HOLDOUT = Split(name="holdout", part="train", share=0.2)
BINS = 16_384
SEED = 20261102


@dataclass(frozen=True, kw_only=True)
class Federated:
    """What the federation found: a model, and its hold-out ROC-AUC from summed bins."""

    model: Pipeline
    columns: int
    auc: float
    rounds: int
    bytes_up: int  # of one party in one step


def compare(table: pa.Table) -> list[Figure]:
    """Return how far the federation's model is from the pooled one."""
    table = table.append_column("row_key", [_row_keys(len(table))])
    features = features_of(table)
    rich = _rich(table)
    test = HOLDOUT.other().select(_hashes(table), SEED)
    model = pooled.fit(pooled.pipeline(features), table, rich, ~test)
    scores = pooled.chances(model, table)
    found = federated(table, features)
    theirs = pooled.chances(found.model, table)
    apart = np.abs(pooled.point_of(model) - pooled.point_of(found.model)).max()
    auc = float(roc_auc_score(rich[test], scores[test]))
    return [
        Figure(name="rows", value=len(table)),
        Figure(name="columns of the design", value=found.columns),
        *(
            Figure(
                name=f"share of positives, {domain}", value=float(_rich(part).mean())
            )
            for domain, part in by_occupation(table).items()
        ),
        Figure(
            name="largest difference of a coefficient",
            value=float(apart),
            most=COEFFICIENT_BAR,
        ),
        Figure(
            name="largest difference of a probability",
            value=float(np.abs(scores - theirs).max()),
            most=COEFFICIENT_BAR,
        ),
        Figure(name="hold-out ROC-AUC, pooled", value=auc),
        Figure(name="hold-out ROC-AUC, federated (summed bins)", value=found.auc),
        Figure(name="gap", value=abs(auc - found.auc), most=AUC_BAR),
        Figure(name="rounds of the fit", value=found.rounds),
        Figure(name="bytes up, per party and round", value=found.bytes_up),
    ]


def federated(table: pa.Table, features: tuple[Feature, ...]) -> Federated:
    """Fit and judge over the domains; nothing but messages crosses between them."""
    task = parties.Task(algorithm=LogisticRegression(), features=features, seed=SEED)
    held = {d: _held(part) for d, part in by_occupation(table).items()}
    run = parties.federation(task, held)
    (found,) = parties.fit(task, (HOLDOUT,), run)
    spec = parties.spec_for(task, len(table), BINS)
    ((judged,), _) = judge_fits((found,), spec, run)
    auc = judged.value("roc_auc")
    return Federated(
        model=build_pipeline(parties.model_of(found, task)),
        columns=found.task.width,
        auc=float("nan") if auc is None else auc,
        rounds=found.fitted.rounds,
        bytes_up=max(e.bytes_up for e in run.traffic if e.kind == "step"),
    )


def by_occupation(table: pa.Table) -> Mapping[str, pa.Table]:
    """Return each domain's rows."""
    office, workshop = (
        pc.is_in(table["occupation"], pa.array(group, table["occupation"].type))
        for group in (OFFICE, WORKSHOP)
    )
    return {
        "office": table.filter(office),
        "others": table.filter(pc.invert(pc.or_(office, workshop))),
        "workshop": table.filter(workshop),
    }


def features_of(table: pa.Table) -> tuple[Feature, ...]:
    """Return the features; categories are the union over the domains."""
    numbers = [Feature(name=n, kind="numeric") for n in NUMBERS]
    words = [
        Feature(
            name=name,
            kind="categorical",
            categories=tuple(sorted(set(table[name].to_pylist()))),
        )
        for name in WORDS
    ]
    return (*numbers, *words)


def _held(table: pa.Table) -> Rows:
    return parties.rows_of(
        np.array([table[n].to_numpy().astype(np.float64) for n in NUMBERS]),
        {name: table[name].to_pylist() for name in WORDS},
        _rich(table),
        table["row_key"].to_pylist(),
    )


def _row_keys(rows: int) -> pa.Array:
    return pa.array([f"P{number:05d}" for number in range(rows)])


def _hashes(table: pa.Table) -> npt.NDArray[np.uint64]:
    return row_hashes(parties.key_bytes(table["row_key"].to_pylist()))


def _rich(table: pa.Table) -> Mask:
    return np.array([income == ">50K" for income in table["income"].to_pylist()])


def main() -> int:
    """Print the comparison; exit with 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("file", type=Path, nargs="?", default=PLACE)
    chosen = arguments.parse_args()
    if not chosen.file.is_file():
        print("The adult data set is not here: name its parquet file.")
        return 0
    figures = compare(pq.read_table(chosen.file))
    title = "Adult, three domains by occupation, beside scikit-learn on all rows"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
