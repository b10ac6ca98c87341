"""A fitted scikit-learn pipeline, assembled from federated numbers.

No estimator sees a row. The preparation is fitted on two made-up rows so that
scikit-learn itself sets its bookkeeping; then every learned number is replaced. A test
compares the result, attribute by attribute, with a pipeline fitted on pooled rows.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fl_plugin.model.spec import CategoricalColumn, ModelSpec, NumericColumn

__all__ = [
    "CategoricalColumn",
    "ModelSpec",
    "NumericColumn",
    "build_pipeline",
    "inverse_strength",
    "spec_of",
    "unfitted_pipeline",
]


def build_pipeline(spec: ModelSpec) -> Pipeline:
    """Return the fitted pipeline; it takes a pyarrow table or a data frame."""
    pipeline = unfitted_pipeline(spec)
    prepare = pipeline.named_steps["prepare"].fit(_made_up_rows(spec))
    if spec.numeric:
        _set_numeric(prepare.named_transformers_["numeric"], spec)
    _set_model(pipeline.named_steps["model"], spec)
    return pipeline


def unfitted_pipeline(spec: ModelSpec) -> Pipeline:
    """Return the same pipeline before learning: what a pooled fit would start from."""
    steps: list[tuple[str, Any, list[str]]] = []
    if spec.numeric:
        numeric = Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())])
        steps.append(("numeric", numeric, [c.name for c in spec.numeric]))
    if spec.categorical:
        categories = [list(c.categories) for c in spec.categorical]
        onehot = OneHotEncoder(
            categories=categories, handle_unknown="ignore", sparse_output=False
        )
        steps.append(("categorical", onehot, [c.name for c in spec.categorical]))
    # Newton with a Cholesky factor is what the federation runs; a clone that is
    # fitted on rows elsewhere then stops at the same optimum, not near it.
    model = LogisticRegression(C=inverse_strength(spec), solver="newton-cholesky")
    return Pipeline([("prepare", ColumnTransformer(steps)), ("model", model)])


def inverse_strength(spec: ModelSpec) -> float:
    """scikit-learn's C; infinite where there is no penalty."""
    return 1.0 / spec.l2 if spec.l2 > 0 else float("inf")


def _made_up_rows(spec: ModelSpec) -> pa.Table:
    columns: dict[str, pa.Array] = {
        c.name: pa.array([0.0, 1.0], pa.float64()) for c in spec.numeric
    }
    for column in spec.categorical:
        columns[column.name] = pa.array([column.categories[0]] * 2)
    return pa.table(columns)


def _set_numeric(numeric: Pipeline, spec: ModelSpec) -> None:
    means = np.array([c.mean for c in spec.numeric])
    numeric.named_steps["impute"].statistics_ = means
    scaler = numeric.named_steps["scale"]
    # Imputing the mean leaves the mean where it is.
    scaler.mean_ = means.copy()
    scaler.var_ = np.array([c.spread for c in spec.numeric])
    scaler.scale_ = np.array([c.scale for c in spec.numeric])
    scaler.n_samples_seen_ = np.float64(spec.rows)


def _set_model(model: LogisticRegression, spec: ModelSpec) -> None:
    model.classes_ = np.array(spec.classes)
    model.coef_ = spec.coef.reshape(1, -1).copy()
    model.intercept_ = np.array([spec.intercept])
    model.n_iter_ = np.array([spec.n_rounds], dtype=np.int32)
    model.n_features_in_ = spec.width


def spec_of(pipeline: Pipeline) -> ModelSpec:
    """Read the spec back from a pipeline that `build_pipeline` made.

    `n_seen` is not kept by scikit-learn and comes back as the number of rows; the
    penalty comes back as 1/C, which may differ from the given one in the last bit.
    """
    fitted = pipeline.named_steps["prepare"].named_transformers_
    model = pipeline.named_steps["model"]
    numeric = fitted.get("numeric")
    onehot = fitted.get("categorical")
    return ModelSpec(
        numeric=_numeric_of(numeric) if numeric is not None else (),
        categorical=_categorical_of(onehot) if onehot is not None else (),
        coef=model.coef_[0],
        intercept=float(model.intercept_[0]),
        l2=1.0 / model.C,
        n_rounds=int(model.n_iter_[0]),
        rows=_rows_of(numeric),
        classes=(model.classes_[0].item(), model.classes_[1].item()),
    )


def _numeric_of(numeric: Pipeline) -> tuple[NumericColumn, ...]:
    scaler = numeric.named_steps["scale"]
    names = numeric.named_steps["impute"].feature_names_in_
    numbers = zip(names, scaler.mean_, scaler.scale_, scaler.var_, strict=True)
    return tuple(
        NumericColumn(
            name=str(name),
            mean=float(mean),
            scale=float(scale),
            variance=float(variance),
            n_seen=_rows_of(numeric),
        )
        for name, mean, scale, variance in numbers
    )


def _categorical_of(onehot: OneHotEncoder) -> tuple[CategoricalColumn, ...]:
    pairs = zip(onehot.feature_names_in_, onehot.categories, strict=True)
    return tuple(
        CategoricalColumn(name=str(name), categories=tuple(categories))
        for name, categories in pairs
    )


def _rows_of(numeric: Pipeline | None) -> int:
    return int(numeric.named_steps["scale"].n_samples_seen_) if numeric else 0
