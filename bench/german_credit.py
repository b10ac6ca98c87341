"""The federation's credit-risk model beside scikit-learn on the pooled rows.

Reads the public raw file and the latest registered model of `credit_risk`; the split
is made again from the customers' keys, so both saw the same training rows.
`--all-attributes` trains over the lenders with all 20 attributes instead, as a study
of the same data by others does, in memory.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from bench import parties, pooled, statlog
from bench.figures import Figure, finish, parser
from fl_plugin.algorithms.logistic_regression import LogisticRegression
from fl_plugin.coordinator.judging import judge_fits
from fl_plugin.errors import MeshError, RegistryError
from fl_plugin.model.fitted import FittedModel
from fl_plugin.model.pipeline import model_of
from fl_plugin.party.rows import Rows
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.splits import Hashes, Split, row_hashes
from fl_plugin.registry.run_record import RunRecord
from fl_plugin.registry.store import Entry, open_model

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

COEFFICIENT_BAR = 1e-6
GAP_BAR = 0.01
AUC_BAR = 0.78
FOLDS, REPEATS, SEED = 5, 5, 20261102
BINS = 16_384


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """All lenders' rows in one place, as no domain of the mesh can see them."""

    table: pa.Table
    bad: Mask
    hashes: Hashes
    features: tuple[Feature, ...]
    l2: float

    def fit(self, split: Split, seed: int) -> tuple[Floats, Pipeline]:
        """Fit on a split's training rows; return every row's probability too."""
        model = pooled.pipeline(self.features, self.l2)
        chosen = split.select(self.hashes, seed)
        fitted = pooled.fit(model, self.table, self.bad, chosen)
        return pooled.chances(fitted, self.table), fitted

    def auc(self, scores: Floats, split: Split, seed: int) -> float:
        """Return the ROC-AUC over the split's other rows."""
        test = split.other().select(self.hashes, seed)
        return float(roc_auc_score(self.bad[test], scores[test]))


def registered(entry: Entry) -> list[Figure]:
    """Compare a registered model with the one fitted on its pooled rows.

    Raises:
        RegistryError: The model was trained on other rows than the file holds.
    """
    run, model = entry.run, entry.estimator()
    kept = model_of(model)
    rows = _pooled_of(run, kept)
    split = Split(
        name="holdout", part="train", share=_number(run.evaluation["holdout"])
    )
    scores, own = rows.fit(split, run.seed)
    _insist_on_same_rows(kept, int(split.select(rows.hashes, run.seed).sum()))
    theirs = pooled.chances(model, rows.table)
    apart = np.abs(pooled.point_of(own) - pooled.point_of(model)).max()
    return [
        Figure(name="rows of all lenders", value=len(rows.bad)),
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
        Figure(
            name="hold-out ROC-AUC, pooled", value=rows.auc(scores, split, run.seed)
        ),
        Figure(
            name="hold-out ROC-AUC, federated", value=rows.auc(theirs, split, run.seed)
        ),
        *_folds(run, rows),
    ]


def all_attributes() -> list[Figure]:
    """Train over the lenders with all 20 attributes in 5 x 5 folds."""
    raw = statlog.raw_rows()
    features = _all_features(raw)
    task = parties.Task(algorithm=LogisticRegression(), features=features, seed=SEED)
    federation = parties.federation(
        task, {d: _held(rows, features) for d, rows in statlog.by_lender(raw).items()}
    )
    splits = _cross_validation(FOLDS, REPEATS)
    fits = parties.fit(task, splits, federation)
    spec = parties.spec_for(task, len(raw), BINS)
    judged, _ = judge_fits(fits, spec, federation)
    scores = [auc for m in judged if (auc := m.value("roc_auc")) is not None]
    pooled_scores = _pooled_folds(_pooled_codes(raw, features), splits, SEED)
    mean, own = float(np.mean(scores)), float(np.mean(pooled_scores))
    gap = abs(mean - own)
    return [
        Figure(name="columns of the design", value=fits[0].task.width),
        Figure(name="mean ROC-AUC, federated", value=mean, least=AUC_BAR),
        Figure(name="spread over the folds (sd)", value=float(np.std(scores, ddof=1))),
        Figure(name="mean ROC-AUC, pooled", value=own),
        Figure(name="gap of the means", value=gap, most=GAP_BAR),
    ]


def _folds(run: RunRecord, rows: Pooled) -> list[Figure]:
    found = run.cross_validation
    if found is None or "roc_auc" not in found.metrics:
        return []
    splits = _cross_validation(found.folds, found.repeats)
    own = float(np.mean(_pooled_folds(rows, splits, run.seed)))
    theirs = found.metrics["roc_auc"].mean
    name = f"{found.repeats} x {found.folds} folds, mean ROC-AUC"
    gap = abs(own - theirs)
    return [
        Figure(name=f"{name}, pooled", value=own),
        Figure(name=f"{name}, federated", value=theirs),
        Figure(name="gap of the means", value=gap, most=GAP_BAR),
    ]


def _cross_validation(folds: int, repeats: int) -> list[Split]:
    """Return the training part of every fold of every repeat."""
    return [
        Split(name="cv", part="train", folds=folds, repeat=repeat, fold=fold)
        for repeat in range(repeats)
        for fold in range(folds)
    ]


def _pooled_folds(rows: Pooled, splits: Sequence[Split], seed: int) -> list[float]:
    return [rows.auc(rows.fit(s, seed)[0], s, seed) for s in splits]


def _pooled_of(run: RunRecord, kept: FittedModel) -> Pooled:
    domains = {p.domain for p in run.products}
    raw = [
        row
        for domain, rows in statlog.by_lender(statlog.raw_rows()).items()
        if domain in domains
        for row in rows
    ]
    return Pooled(
        table=statlog.labelled(raw),
        bad=statlog.outcomes(raw),
        hashes=row_hashes(parties.key_bytes(statlog.keys(raw))),
        features=kept.schema.features,
        l2=_number(kept.parameters["l2"]),
    )


def _pooled_codes(raw: Sequence[statlog.Row], features: tuple[Feature, ...]) -> Pooled:
    columns = {n: pa.array(statlog.numeric(raw, [n])[0]) for n in statlog.NUMBERS}
    columns |= {n: pa.array(statlog.codes(raw, n)) for n in statlog.attributes(raw)}
    return Pooled(
        table=pa.table(columns),
        bad=statlog.outcomes(raw),
        hashes=row_hashes(parties.key_bytes(statlog.keys(raw))),
        features=features,
        l2=1.0,
    )


def _all_features(raw: Sequence[statlog.Row]) -> tuple[Feature, ...]:
    numbers = [Feature(name=n, kind="numeric") for n in statlog.NUMBERS]
    words = [
        Feature(
            name=name,
            kind="categorical",
            categories=tuple(sorted(set(statlog.codes(raw, name)))),
        )
        for name in statlog.attributes(raw)
    ]
    return (*numbers, *words)


def _held(rows: Sequence[statlog.Row], features: Sequence[Feature]) -> Rows:
    words = [f.name for f in features if f.kind == "categorical"]
    return parties.rows_of(
        statlog.numeric(rows, statlog.NUMBERS),
        {name: statlog.codes(rows, name) for name in words},
        statlog.outcomes(rows),
        statlog.keys(rows),
    )


def _insist_on_same_rows(kept: FittedModel, rows: int) -> None:
    if kept.prepared.rows != rows:
        raise RegistryError(
            "The registered model was trained on other rows than the public file has.",
            remedy="Build the domains from their seeds and train the study again.",
        )


def _number(word: object) -> float:
    return float(str(word))


def main() -> int:
    """Print the comparison; exit with 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--project", type=Path, default=statlog.ROOT)
    arguments.add_argument("--study", default="credit_risk")
    arguments.add_argument("--all-attributes", action="store_true")
    chosen = arguments.parse_args()
    if chosen.all_attributes:
        title = "German credit, all 20 attributes at three lenders, 5 x 5 folds"
        return finish(title, all_attributes(), as_json=chosen.json)
    try:
        entry = open_model(chosen.project / "registry", chosen.study)
        figures = registered(entry)
    except MeshError as error:
        print(f"{error.problem} {error.remedy}", file=sys.stderr)
        return error.exit_code
    title = f"{entry.study} v{entry.version} beside scikit-learn on the pooled rows"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
