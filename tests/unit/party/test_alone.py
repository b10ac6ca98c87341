"""What a federation is measured by: the best own model, never a broken one."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from fl_plugin.algorithms.base import Target
from fl_plugin.party.matched.alone import alone

BINARY = Target(kind="binary", classes=(False, True))


def rare(rows, seed=0):
    """Return columns and a class that one row in 400 has."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 8))
    z = x @ np.linspace(1.0, 0.2, 8) - 8.5
    return x, (random.random(rows) < 1 / (1 + np.exp(-z))).astype(float)


def test_where_a_class_is_rare_it_is_not_the_model_that_falls_apart():
    x, y = rare(60_000)
    seen, unseen = slice(0, 40_000), slice(40_000, None)
    usual = HistGradientBoostingClassifier(random_state=0, early_stopping=False)
    usual.fit(x[seen], y[seen])
    found = alone(x[seen], y[seen], x[unseen], BINARY)
    assert found is not None
    ours = roc_auc_score(y[unseen], found)
    theirs = roc_auc_score(y[unseen], usual.predict_proba(x[unseen])[:, 1])
    assert ours > 0.9 > theirs + 0.05


def test_where_trees_are_better_they_are_taken():
    random = np.random.default_rng(1)
    x = random.normal(size=(3_000, 4))
    y = (x[:, 0] * x[:, 1] > 0).astype(float)  # no line tells it
    found = alone(x[:2_000], y[:2_000], x[2_000:], BINARY)
    assert found is not None
    assert roc_auc_score(y[2_000:], found) > 0.9


@pytest.mark.parametrize("kind", ["regression", "count"])
def test_numbers_are_predicted_better_than_by_their_mean(kind):
    random = np.random.default_rng(2)
    x = random.normal(size=(2_000, 3))
    x[::7, 1] = np.nan
    z = 0.8 * x[:, 0]
    y = random.poisson(np.exp(z)).astype(float) if kind == "count" else z
    found = alone(x[:1_500], y[:1_500], x[1_500:], Target(kind=kind))
    assert found is not None
    assert found.shape == (500,)
    far = ((y[1_500:] - y[:1_500].mean()) ** 2).mean()
    assert ((y[1_500:] - found) ** 2).mean() < 0.8 * far


def test_a_class_that_no_trained_row_has_gets_no_chance():
    random = np.random.default_rng(3)
    x, y = random.normal(size=(400, 2)), random.integers(0, 2, 400).astype(float)
    target = Target(kind="multiclass", classes=("a", "b", "c"))
    found = alone(x[:300], 2 * y[:300], x[300:], target)
    assert found is not None
    assert found.shape == (100, 3)
    assert (found[:, 1] == 0.0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_few_rows_are_learned_from_without_a_choice():
    x, y = np.arange(60.0).reshape(-1, 1), (np.arange(60) % 2).astype(float)
    found = alone(x[:40], y[:40], x[40:], BINARY)
    assert found is not None
    assert found.shape == (20,)


@pytest.mark.parametrize(("columns", "classes"), [(0, 2), (2, 1)])
def test_nothing_to_learn_from_is_no_model(columns, classes):
    y = (np.arange(50) % classes).astype(float)
    assert alone(np.zeros((50, columns)), y, np.zeros((5, columns)), BINARY) is None
