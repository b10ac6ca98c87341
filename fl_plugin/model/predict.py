"""Predict rows with a fitted pipeline; what comes in is somebody else's file."""

from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.pipeline import Pipeline

from fl_plugin.algorithms.base import Category
from fl_plugin.errors import UsageError
from fl_plugin.model.fitted import FittedModel
from fl_plugin.model.pipeline import MODEL, model_of
from fl_plugin.preparation.features import Feature
from fl_plugin.summand import Array

_KINDS: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    str: pa.string(),
}


def predict(pipeline: Pipeline, rows: pa.Table, *, threshold: float = 0.5) -> pa.Table:
    """Return the rows with what the model says beside them.

    Of a binary target `score` (the second class's probability) and `predicted`; of
    several classes `predicted` and each one's probability, `score_<class>`; of a
    number `predicted`; of none `cluster`, or `component_1` and so on.

    Args:
        pipeline: A fitted pipeline of the registry.
        rows: A table with the pipeline's columns; further ones are kept.
        threshold: A score above it is predicted to be of the second class.

    Raises:
        UsageError: A column is missing, or cannot be read as what the model knows.
    """
    model = model_of(pipeline)
    table = _inputs(model, rows)
    if rows.num_rows:
        found = _outputs(pipeline, model, table, threshold)
    else:  # scikit-learn takes no empty table: ask about one row, and keep none of it
        blank = pa.table({n: pa.nulls(1, table[n].type) for n in table.column_names})
        found = {
            name: values[:0]
            for name, values in _outputs(pipeline, model, blank, threshold).items()
        }
    kept = rows.select([n for n in rows.column_names if n not in found])
    for name, values in found.items():
        kept = kept.append_column(name, pa.array(values))
    return kept


def _inputs(model: FittedModel, rows: pa.Table) -> pa.Table:
    missing = [name for name in model.names if name not in rows.column_names]
    if missing:
        raise UsageError(
            f"The rows lack the model's columns {', '.join(missing)}.",
            remedy=f"The model needs: {', '.join(model.names)}.",
        )
    schema = model.schema
    columns = {f.name: _cast(rows, f.name, pa.float64()) for f in schema.numbers}
    for feature in schema.vocabularies:
        columns[feature.name] = _cast(rows, feature.name, _kind(feature))
    return pa.table(columns)


def _outputs(
    pipeline: Any, model: FittedModel, table: pa.Table, threshold: float
) -> dict[str, Array]:
    kind, classes = model.target.kind, model.target.classes
    if kind == "binary":
        scores = pipeline.predict_proba(table)[:, 1]
        return {"score": scores, "predicted": _picked(classes, scores > threshold)}
    if kind == "multiclass":
        chances = pipeline.predict_proba(table)
        found = {"predicted": _picked(classes, chances.argmax(axis=1))}
        return found | {f"score_{c}": chances[:, i] for i, c in enumerate(classes)}
    if kind != "none":
        return {"predicted": np.asarray(pipeline.predict(table), dtype=np.float64)}
    if hasattr(pipeline.named_steps[MODEL], "predict"):
        return {"cluster": np.asarray(pipeline.predict(table), dtype=np.int64)}
    parts = np.asarray(pipeline.transform(table), dtype=np.float64).T
    return {f"component_{i}": part for i, part in enumerate(parts, start=1)}


def _picked(classes: tuple[Category, ...], places: Array) -> Array:
    return np.array(classes)[places.astype(np.int64)]


def _kind(feature: Feature) -> pa.DataType:
    return _KINDS[type((feature.categories or ("",))[0])]


def _cast(rows: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    try:
        return rows[name].cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UsageError(
            f"The column {name} of the rows cannot be read as {kind}.",
            remedy="Give it the type that the product's contract says.",
        ) from None
