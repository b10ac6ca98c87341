"""What the linear models share: symmetric matrices, checked arrays, estimators."""

from typing import Any

import numpy as np

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.summand import Arrays, Floats

FARTHEST = 1e9  # no coefficient of a column of ordinary scale is larger
LARGEST = 2_000  # coefficients; their Hessian then has 2 million numbers
MOST_ITERATIONS = 2**31 - 1  # scikit-learn keeps them in 32 bits


def triangle(matrix: Floats) -> Floats:
    """Return the upper half of a symmetric matrix, row after row."""
    return np.asarray(matrix[np.triu_indices(len(matrix))])


def full(half: Floats, size: int) -> Floats:
    """Return the symmetric matrix of which `half` is the upper half."""
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size)] = half
    return matrix + np.triu(matrix, 1).T


def half_size(size: int) -> int:
    """Return how many numbers the upper half of a symmetric matrix has."""
    return size * (size + 1) // 2


def checked(arrays: Arrays, name: str, shape: tuple[int, ...]) -> Floats:
    """Return a finite float64 array of that shape out of a question or a model.

    Raises:
        MessageError: It is missing, misshapen or not finite.
    """
    array = arrays.get(name)
    if (
        array is None
        or array.dtype != np.float64
        or array.shape != shape
        or not np.isfinite(array).all()
    ):
        raise malformed(name)
    return array


def whole_number(arrays: Arrays, name: str, most: int = MOST_ITERATIONS) -> int:
    """Return a number of 0 to `most` that is sent as int64 (1,).

    Raises:
        MessageError: It is missing, misshapen or out of range.
    """
    array = arrays.get(name)
    if array is None or array.dtype != np.int64 or array.shape != (1,):
        raise malformed(name)
    if not 0 <= array[0] <= most:
        raise malformed(name)
    return int(array[0])


def point_of(question: Arrays, size: int) -> Floats:
    """Return the `point` that a question asks about.

    Raises:
        MessageError: It is missing, misshapen, not finite or absurdly far out.
    """
    point = checked(question, "point", (size,))
    if np.abs(point).max(initial=0.0) > FARTHEST:
        raise malformed("point")
    return point


def curved_of(question: Arrays) -> bool:
    """Return whether a question asks for the Hessian too.

    Raises:
        MessageError: It does not say.
    """
    told = question.get("curved")
    if told is None or told.dtype != np.int64 or told.shape != (1,):
        raise malformed("curved")
    if told[0] not in (0, 1):
        raise malformed("curved")
    return bool(told[0])


def capped(size: int) -> None:
    """Refuse a model whose Hessian no network should carry."""
    if size > LARGEST:
        raise TrainingError(
            f"The model has {size} coefficients; Newton's method takes {LARGEST}.",
            remedy="Choose fewer features, or raise the minimum count of categories.",
        )


def malformed(name: str) -> MessageError:
    """Return the error for an array that no algorithm of ours sends."""
    return MessageError(
        f"A message's array {name} is missing, misshapen or out of range.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )


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
