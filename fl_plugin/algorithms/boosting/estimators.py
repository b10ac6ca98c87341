"""scikit-learn's fitted estimators around finished trees."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.preprocessing import LabelEncoder

from fl_plugin.algorithms.base import Block, DesignColumn, Task
from fl_plugin.algorithms.boosting.compiled import (
    MISSING_BIN,
    N_BINS,
    BinMapper,
)
from fl_plugin.algorithms.boosting.layout import layout_of
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.algorithms.boosting.options import Options
from fl_plugin.algorithms.boosting.trees import arrays_of, malformed, predictors
from fl_plugin.summand import Array, Arrays, Floats

MOST_SCORES = 20_000


def fitted(model: Arrays, task: Task, options: Options, loss: Loss) -> Any:
    """Return the estimator; it takes raw values, NaN for missing, codes of categories.

    Raises:
        MessageError: The arrays are not such a model.
    """
    trees = predictors(model, task.columns)
    start = _finite(model, "start", (loss.trees,))
    scores = _finite(model, "scores", (None, 2))
    if len(trees) % loss.trees or len(scores) > MOST_SCORES:
        raise malformed("sizes")
    estimator = _unfitted(task, options, loss)
    estimator._predictors = [  # noqa: SLF001 - where scikit-learn keeps them
        trees[i : i + loss.trees] for i in range(0, len(trees), loss.trees)
    ]
    facts = {
        "_baseline_prediction": start.reshape(1, -1).copy(),
        "train_score_": scores[:, 0].copy(),
        "validation_score_": scores[:, 1].copy() if options.held_out else np.zeros(0),
        **_facts(task, options, loss),
    }
    estimator.__dict__.update(facts)
    return estimator


def arrays_from(estimator: Any) -> dict[str, Array]:
    """Return the arrays that `fitted` makes this estimator from."""
    trees = [tree for group in estimator._predictors for tree in group]  # noqa: SLF001
    train = np.asarray(estimator.train_score_, dtype=np.float64)
    held = np.asarray(estimator.validation_score_, dtype=np.float64)
    # Where nothing was held out, the mean over no rows was kept as 0.
    held = held if len(held) == len(train) else np.zeros(len(train))
    start = np.asarray(estimator._baseline_prediction, dtype=np.float64)  # noqa: SLF001
    return {
        **arrays_of(trees),
        "start": start.reshape(-1).copy(),
        "scores": np.column_stack([train, held]),
    }


def predicted(model: Arrays, task: Task, loss: Loss, block: Block) -> Floats:
    """Return predictions for binned rows, as the estimator gives for raw ones.

    Raises:
        MessageError: The arrays are not such a model, or the rows are not binned.
    """
    trees = predictors(model, task.columns)
    start = _finite(model, "start", (loss.trees,))
    if len(trees) % loss.trees:
        raise malformed("sizes")
    if block.x.dtype != np.uint8 or block.x.shape[0] != task.width:
        raise malformed("x")
    x = np.ascontiguousarray(block.x.T)  # a row's bins side by side
    raw = np.tile(start, (block.rows, 1))
    for i, tree in enumerate(trees):
        raw[:, i % loss.trees] += tree.predict_binned(x, MISSING_BIN, 1)
    if not loss.bounded:
        return np.asarray(loss.compiled.link.inverse(raw[:, 0]))
    one = raw[:, 0] if loss.trees == 1 else raw
    chances = np.asarray(loss.compiled.predict_proba(one), dtype=np.float64)
    return chances[:, 1] if task.target.kind == "binary" else chances


def _unfitted(task: Task, options: Options, loss: Loss) -> Any:
    """Return the estimator that would train like this on the pooled rows."""
    categorical = [column.categorical for column in task.columns]
    monotonic = [column.monotonic for column in task.columns]
    shared = {
        "learning_rate": options.learning_rate,
        "max_iter": options.max_iter,
        "max_leaf_nodes": options.max_leaf_nodes,
        "max_depth": options.max_depth or None,
        "min_samples_leaf": options.min_samples_leaf,
        "l2_regularization": options.l2_regularization,
        "max_bins": options.max_bins,
        "categorical_features": categorical if any(categorical) else None,
        "monotonic_cst": monotonic if any(monotonic) else None,
        "early_stopping": options.early_stopping,
        "validation_fraction": options.held_out or None,
        "n_iter_no_change": options.n_iter_no_change,
        "tol": options.tol,
        "random_state": 0,
    }
    if loss.bounded:
        return HistGradientBoostingClassifier(**shared)
    return HistGradientBoostingRegressor(loss=loss.name, **shared)


def _facts(task: Task, options: Options, loss: Loss) -> dict[str, Any]:
    """Return what scikit-learn's `fit` leaves on an estimator, apart from trees."""
    layout = layout_of(task.columns)
    categorical = layout.categorical if layout.categorical.any() else None
    facts: dict[str, Any] = {
        "_loss": loss.compiled,
        "_bin_mapper": _bin_mapper(task.columns),
        # Categories come as codes in the design's order: nothing is left to encode.
        "_preprocessor": None,
        "_is_categorical_remapped": categorical,
        "is_categorical_": categorical,
        "n_trees_per_iteration_": loss.trees,
        "n_features_in_": task.width,
        "_n_features": task.width,
        "do_early_stopping_": options.early_stopping,
        "_use_validation_data": bool(options.held_out),
        "_scorer": None,
        "_random_seed": task.seed,
    }
    if loss.bounded:
        encoder = LabelEncoder()
        encoder.classes_ = np.array(task.target.classes)
        facts |= {"classes_": encoder.classes_, "_label_encoder": encoder}
    return facts


def _bin_mapper(columns: Sequence[DesignColumn]) -> BinMapper:
    layout = layout_of(columns)
    mapper: Any = BinMapper(n_bins=N_BINS, random_state=0)
    mapper.is_categorical_ = layout.categorical.astype(np.uint8)
    mapper.missing_values_bin_idx_ = MISSING_BIN
    mapper.n_bins_non_missing_ = layout.bins.astype(np.uint32)
    mapper.bin_thresholds_ = [
        np.arange(column.bins, dtype=np.float64)
        if column.categorical or column.edges is None
        else np.asarray(column.edges, dtype=np.float64)
        for column in columns
    ]
    return mapper


def _finite(model: Arrays, name: str, shape: tuple[int | None, ...]) -> Floats:
    array = model.get(name)
    if array is None or array.dtype != np.float64 or array.ndim != len(shape):
        raise malformed(name)
    right = all(n in {None, m} for n, m in zip(shape, array.shape, strict=True))
    if not right or not (np.abs(array) <= np.finfo(np.float64).max).all():
        raise malformed(name)
    return array
