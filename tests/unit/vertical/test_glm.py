"""Vertical linear models equal scikit-learn on the joined rows."""

import numpy as np
import pytest
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
)

from fl_plugin.algorithms.base import Block, Target
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.vertical_linear_regression import VerticalLinearRegression
from fl_plugin.vertical.vertical_logistic_regression import VerticalLogisticRegression
from fl_plugin.vertical.vertical_poisson_regression import VerticalPoissonRegression
from tests.vertical import fit_over, score_over, sides

TWO = {"bank": 2, "shop": 2}
FOUR = {"bank": 0, "club": 1, "post": 1, "shop": 2}  # the bank has labels only
TIGHT = {"solver": "newton-cholesky", "tol": 1e-12}
CASES = {
    "logistic": (VerticalLogisticRegression(), LogisticRegression(**TIGHT)),
    "balanced": (
        VerticalLogisticRegression(l2=4.0, class_weight="balanced"),
        LogisticRegression(C=0.25, class_weight="balanced", **TIGHT),
    ),
    "linear": (VerticalLinearRegression(), LinearRegression()),
    "ridge": (VerticalLinearRegression(alpha=30.0), Ridge(30.0)),
    "poisson": (
        VerticalPoissonRegression(alpha=0.01),
        PoissonRegressor(alpha=0.01, **TIGHT),
    ),
}
KINDS = {"linear": "regression", "ridge": "regression", "poisson": "count"}


def drawn(kind, width, rows=800):
    draws = np.random.default_rng(5)
    x = draws.normal(size=(rows, width)) @ (
        np.eye(width) + 0.3 * draws.normal(size=(width, width))
    )
    x += draws.normal(size=width)
    z = x @ draws.normal(0.0, 0.5, width) - 0.7
    if kind == "regression":
        return x, 40.0 + 7.0 * z + draws.normal(size=rows)
    if kind == "count":
        return x, draws.poisson(np.exp(np.clip(z, -4.0, 3.0))).astype(float)
    return x, (draws.random(rows) < 1.0 / (1.0 + np.exp(-z))).astype(float)


def split(x, y, widths, label="bank"):
    ends = np.cumsum([widths[p] for p in sorted(widths)])[:-1]
    parts = dict(zip(sorted(widths), np.split(x.T, ends), strict=True))
    none = np.zeros(0)
    return {p: Block(c.copy(), y if p == label else none) for p, c in parts.items()}


def task_of(kind, widths, rows):
    classes = (False, True) if kind == "binary" else ()
    target = Target(kind=kind, classes=classes)
    return VerticalTask(target=target, widths=widths, label_party="bank", rows=rows)


@pytest.mark.parametrize(
    ("case", "widths"),
    [(c, TWO) for c in CASES] + [(c, FOUR) for c in ("linear", "balanced", "poisson")],
)
def test_coefficients_and_predictions_equal_those_of_joined_rows(case, widths):
    algorithm, pooled = CASES[case]
    kind = KINDS.get(case, "binary")
    x, y = drawn(kind, sum(widths.values()))
    task = task_of(kind, widths, len(y))
    fit = fit_over(algorithm, task, sides(split(x, y, widths)))
    pooled.fit(x, y)
    unit = y.std() if kind == "regression" else 1.0
    found = np.concatenate([fit.parts[p]["coefficients"] for p in task.parties])
    assert np.abs(found - pooled.coef_.ravel()).max() < 1e-4 * unit
    intercept = fit.parts["bank"]["intercept"][0]
    assert abs(intercept - np.ravel(pooled.intercept_)[0]) < 1e-4 * unit

    unseen, _ = drawn(kind, x.shape[1], rows=90)
    blocks = split(unseen[::-1], np.zeros(0), widths)
    predicted = score_over(algorithm, task, sides(blocks), fit)
    if kind == "binary":
        expected = pooled.predict_proba(unseen[::-1])[:, 1]
    else:
        expected = pooled.predict(unseen[::-1])
    np.testing.assert_allclose(predicted, expected, atol=2e-4 * unit, rtol=2e-4)


def test_of_columns_that_repeat_one_another_the_shortest_coefficients_are_found():
    """Without a penalty, too: one-hot categories add up to a constant."""
    x, y = drawn("regression", 3)
    kinds = np.arange(len(x)) % 3 == np.arange(3)[:, None]
    x = np.column_stack([x[:, 0], kinds.T, np.full(len(x), 4.0), x[:, 1:]])
    widths = {"bank": 5, "shop": 2}
    fit = fit_over(
        VerticalLinearRegression(),
        task_of("regression", widths, len(y)),
        sides(split(x, y, widths)),
    )
    pooled = LinearRegression().fit(x, y)
    found = np.concatenate([fit.parts[p]["coefficients"] for p in widths])
    assert np.abs(found - pooled.coef_).max() < 1e-4 * y.std()
    assert abs(found[4]) < 1e-9


def test_every_party_ends_with_its_own_coefficients_only():
    x, y = drawn("binary", 4)
    fit = fit_over(
        VerticalLogisticRegression(tolerance=1e-3),
        task_of("binary", TWO, len(y)),
        sides(split(x, y, TWO)),
    )
    shapes = {n: a.shape for n, a in fit.parts["shop"].items()}
    assert shapes == {"coefficients": (2,), "unit": (1,)}
    assert set(fit.parts["bank"]) == {"coefficients", "intercept", "unit"}
    assert not fit.fitted.part
    assert fit.fitted.loss is None


def test_rows_beyond_one_chunk_and_far_out_ones_are_taken_in():
    x, y = drawn("binary", 4, rows=4_500)
    x[:5, 3] *= 400.0
    pooled = LogisticRegression(**TIGHT).fit(x, y)
    fit = fit_over(
        VerticalLogisticRegression(),
        task_of("binary", TWO, len(y)),
        sides(split(x, y, TWO)),
    )
    found = np.concatenate([fit.parts[p]["coefficients"] for p in TWO])
    assert np.abs(found - pooled.coef_[0]).max() < 1e-4


@pytest.mark.parametrize("unit", [1e9, 1e-12])
@pytest.mark.parametrize("widths", [TWO, FOUR])
def test_numbers_are_predicted_in_any_unit(unit, widths):
    """Sales in cents of a whole chain, as well as parts per million millions."""
    x, y = drawn("regression", sum(widths.values()))
    y = unit * y
    task = task_of("regression", widths, len(y))
    fit = fit_over(VerticalLinearRegression(), task, sides(split(x, y, widths)))
    predicted = score_over(
        VerticalLinearRegression(), task, sides(split(x, np.zeros(0), widths)), fit
    )
    expected = LinearRegression().fit(x, y).predict(x)
    assert np.abs(predicted - expected).max() < 1e-4 * y.std()
