"""Models without a target, beside scikit-learn's own figures."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from fl_plugin.errors import ContractError, MessageError, TrainingError
from fl_plugin.evaluation.base import (
    EvaluationSpec,
    baseline_metrics,
    evaluation_for,
)

JUDGE = evaluation_for(EvaluationSpec(kind="none"))
X = np.random.default_rng(5).normal(size=(300, 6)) @ np.diag([5, 3, 2, 1, 1, 1])
SPREAD = ((X - X.mean(axis=0)) ** 2).sum(axis=1)


def test_a_clusterings_loss_is_its_inertia():
    model = KMeans(4, n_init=1, random_state=0).fit(X)
    losses = model.transform(X).min(axis=1) ** 2
    found = JUDGE.metrics(JUDGE.sums(losses, SPREAD))
    assert found.value("total_loss") == pytest.approx(model.inertia_, rel=1e-12)
    assert found.value("mean_loss") == pytest.approx(model.inertia_ / 300, rel=1e-12)


def test_a_pcas_explained_share_is_scikit_learns():
    model = PCA(2).fit(X)
    missed = X - model.inverse_transform(model.transform(X))
    found = JUDGE.metrics(JUDGE.sums((missed**2).sum(axis=1), SPREAD))
    wanted = model.explained_variance_ratio_.sum()
    assert found.value("explained_share") == pytest.approx(wanted, rel=1e-12)


def test_the_baseline_describes_every_row_by_the_means():
    totals = JUDGE.sums(SPREAD / 4, SPREAD)
    found = baseline_metrics(JUDGE.spec, totals)
    assert found.value("mean_loss") == pytest.approx(SPREAD.mean(), rel=1e-12)
    assert found.value("explained_share") == 0.0


def test_without_the_spread_no_share_is_explained():
    found = JUDGE.metrics(JUDGE.sums(SPREAD, np.zeros(300)))
    assert found.value("explained_share") is None
    assert (
        JUDGE.metrics(JUDGE.sums(np.zeros(0), np.zeros(0))).value("mean_loss") is None
    )


def test_the_loss_is_what_two_models_are_compared_by():
    found = JUDGE.paired(SPREAD / 2, SPREAD, SPREAD)
    assert found is not None
    assert found.difference == pytest.approx(-SPREAD.mean() / 2)
    assert found.high < 0


def test_a_loss_below_zero_is_refused():
    with pytest.raises(TrainingError, match="below 0"):
        JUDGE.sums(np.array([-1.0]), np.zeros(1))


def test_totals_that_cannot_be_are_refused():
    totals = JUDGE.sums(SPREAD, SPREAD)
    with pytest.raises(MessageError, match="spread"):
        JUDGE.metrics({n: a for n, a in totals.items() if n != "spread"})


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(ContractError, match=r"evaluation\.kind"):
        evaluation_for(EvaluationSpec(kind="poetry"))
