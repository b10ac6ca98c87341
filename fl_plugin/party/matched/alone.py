"""What the label's domain could do alone: the best of some models of its own columns.

A federation is worth what it adds to that, so the other side must not be a bad one:
boosted trees with the usual options fall apart where a class is rare. Each kind of
model is fitted on most of the training rows and judged on the rest of them; the best is
fitted on all of them.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import log_loss, mean_poisson_deviance, mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fl_plugin.algorithms.base import Target
from fl_plugin.summand import Floats

CLASSED = ("binary", "multiclass")
_PLAIN: Mapping[str, Any] = {"random_state": 0, "early_stopping": False}
# Small steps over small trees with large leaves: for few rows and for rare classes.
_CAREFUL: Mapping[str, Any] = {
    **_PLAIN,
    "learning_rate": 0.05,
    "max_leaf_nodes": 7,
    "min_samples_leaf": 100,
    "max_iter": 200,
    "l2_regularization": 1.0,
}
_JUDGED = 0.2  # of the training rows
_LEAST = 200  # training rows, for a choice to mean anything
_LEAST_OF_CLASS = 5
_TWO = 2  # classes, for there to be anything to learn


def alone(x: Floats, y: Floats, unseen: Floats, target: Target) -> Floats | None:
    """Return predictions of the best own model.

    Args:
        x: (rows, columns) that are trained on, NaN where missing.
        y: (rows,) as in a block.
        unseen: (rows, columns) to predict.
        target: What is predicted.

    Returns:
        (rows,) chances of the second class, or numbers; (rows, classes) chances of
        several classes; None where there is no column, or one class only.
    """
    if not x.shape[1] or (target.kind in CLASSED and len(np.unique(y)) < _TWO):
        return None
    candidates = _candidates(target.kind)
    best = candidates[0]
    if _can_choose(y, target.kind):
        best = _best(candidates, x, y, target)
    return _predicted(_fitted(best, x, y), unseen, target)


def _candidates(kind: str) -> Sequence[BaseEstimator]:
    """Return unfitted models, the one for few rows first."""
    if kind in CLASSED:
        trees, line = HistGradientBoostingClassifier, LogisticRegression(max_iter=500)
        return (trees(**_PLAIN), trees(**_CAREFUL), _scaled(line))
    loss = "poisson" if kind == "count" else "squared_error"
    numbers = HistGradientBoostingRegressor
    line = PoissonRegressor(max_iter=500) if kind == "count" else Ridge()
    return (
        numbers(loss=loss, **_PLAIN),
        numbers(loss=loss, **_CAREFUL),
        _scaled(line),
    )


def _scaled(line: BaseEstimator) -> BaseEstimator:
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(filled, StandardScaler(), line)


def _can_choose(y: Floats, kind: str) -> bool:
    if len(y) < _LEAST:
        return False
    return kind not in CLASSED or min(np.unique(y, return_counts=True)[1]) >= (
        _LEAST_OF_CLASS
    )


def _best(
    candidates: Sequence[BaseEstimator], x: Floats, y: Floats, target: Target
) -> BaseEstimator:
    classes = y if target.kind in CLASSED else None
    rows = np.arange(len(y))
    fitted, judged = train_test_split(
        rows, test_size=_JUDGED, random_state=0, stratify=classes
    )
    losses = []
    for candidate in candidates:
        model = _fitted(candidate, x[fitted], y[fitted])
        found = _predicted(model, x[judged], target)
        losses.append(_loss(y[judged], found, target))
    return candidates[int(np.argmin(losses))]


def _fitted(model: BaseEstimator, x: Floats, y: Floats) -> BaseEstimator:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is then judged as is
        return model.fit(x, y)


def _predicted(model: BaseEstimator, x: Floats, target: Target) -> Floats:
    if target.kind not in CLASSED:
        return np.asarray(model.predict(x), dtype=np.float64)
    chances = np.zeros((len(x), len(target.classes)))
    chances[:, model.classes_.astype(np.int64)] = model.predict_proba(x)
    return chances if target.kind == "multiclass" else chances[:, 1]


def _loss(y: Floats, found: Floats, target: Target) -> float:
    if target.kind in CLASSED:
        return float(log_loss(y, found, labels=range(len(target.classes))))
    if target.kind == "count":
        least = np.finfo(np.float64).tiny
        return float(mean_poisson_deviance(y, np.maximum(found, least)))
    return float(mean_squared_error(y, found))
