"""Score rows with a fitted pipeline; what comes in is somebody else's file."""

import numpy as np
import pyarrow as pa
from sklearn.pipeline import Pipeline

from fl_plugin.errors import UsageError
from fl_plugin.model.pipeline import spec_of


def predict(pipeline: Pipeline, rows: pa.Table, *, threshold: float = 0.5) -> pa.Table:
    """Return the rows with `score` and `predicted` beside them.

    Args:
        pipeline: A fitted pipeline of the registry.
        rows: A table with the pipeline's columns; further ones are kept.
        threshold: A score above it is predicted positive.

    Raises:
        UsageError: A column is missing, or cannot be read as what the model knows.
    """
    spec = spec_of(pipeline)
    missing = [name for name in spec.names if name not in rows.column_names]
    if missing:
        raise UsageError(
            f"The rows lack the model's columns {', '.join(missing)}.",
            remedy=f"The model needs: {', '.join(spec.names)}.",
        )
    columns = {c.name: _numbers(rows[c.name], c.name) for c in spec.numeric}
    for column in spec.categorical:
        kind = pa.bool_() if isinstance(column.categories[0], bool) else pa.string()
        columns[column.name] = _cast(rows[column.name], column.name, kind)
    if not rows.num_rows:
        scores = np.empty(0)
    else:
        scores = pipeline.predict_proba(pa.table(columns))[:, 1]
    kept = [n for n in rows.column_names if n not in {"score", "predicted"}]
    return (
        rows.select(kept)
        .append_column("score", pa.array(scores, type=pa.float64()))
        .append_column("predicted", pa.array(scores > threshold, type=pa.bool_()))
    )


def _numbers(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    return _cast(column, name, pa.float64())


def _cast(column: pa.ChunkedArray, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UsageError(
            f"The column {name} of the rows cannot be read as {kind}.",
            remedy="Give it the type that the product's contract says.",
        ) from None
