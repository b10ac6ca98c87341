"""scikit-learn's linear estimators, filled as their own fit would, and read."""

from typing import Any

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked, whole_number
from fl_plugin.summand import Arrays


def fill_regressor(estimator: Any, model: Arrays, width: int) -> None:
    """Give a linear regressor its `coef_`, `intercept_` and `n_features_in_`.

    Raises:
        MessageError: The arrays are no model of so many columns.
    """
    estimator.coef_ = checked(model, "coefficients", (width,)).copy()
    estimator.intercept_ = checked(model, "intercept", (1,))[0]
    estimator.n_features_in_ = width


def regressor_arrays(estimator: Any) -> dict[str, Any]:
    """Return the `coefficients` (p,) and the `intercept` (1,) of a regressor."""
    return {
        "coefficients": np.asarray(estimator.coef_, dtype=np.float64),
        "intercept": np.array([estimator.intercept_], dtype=np.float64),
    }


def fill_classifier(
    estimator: Any, model: Arrays, classes: tuple[Any, ...], width: int
) -> None:
    """Give a `LogisticRegression` everything that its own fit would.

    Raises:
        MessageError: The arrays are no model of so many classes and columns.
    """
    rows = 1 if len(classes) == 2 else len(classes)  # noqa: PLR2004
    estimator.classes_ = np.array(classes)
    estimator.coef_ = checked(model, "coefficients", (rows, width)).copy()
    estimator.intercept_ = checked(model, "intercept", (rows,)).copy()
    estimator.n_iter_ = np.array([whole_number(model, "iterations")], dtype=np.int32)
    estimator.n_features_in_ = width


def classifier_arrays(estimator: Any) -> dict[str, Any]:
    """Return `coefficients` (k, p), `intercept` (k,) and `iterations` (1,)."""
    return {
        "coefficients": np.asarray(estimator.coef_, dtype=np.float64),
        "intercept": np.asarray(estimator.intercept_, dtype=np.float64),
        "iterations": np.asarray(estimator.n_iter_, dtype=np.int64),
    }
