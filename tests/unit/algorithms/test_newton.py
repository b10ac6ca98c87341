"""Newton's method: hard rows, hostile questions, sums without a bound, certificates."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as Pooled
from sklearn.linear_model import PoissonRegressor

from fl_plugin.algorithms.base import Block, Target
from fl_plugin.algorithms.gamma_regression import GammaRegression
from fl_plugin.algorithms.linear_models.certificate import Point, certify
from fl_plugin.algorithms.linear_models.newton import newton_step
from fl_plugin.algorithms.logistic_regression import LogisticRegression
from fl_plugin.algorithms.multinomial_logistic_regression import (
    MultinomialLogisticRegression,
)
from fl_plugin.algorithms.poisson_regression import PoissonRegression
from fl_plugin.algorithms.tweedie_regression import TweedieRegression
from fl_plugin.errors import ContractError, MessageError, TrainingError
from tests.federated import fit_over, task_over
from tests.unit.algorithms.glm_rows import blocks, columns, held

TIGHT = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 300}


def test_a_fit_starts_at_the_log_odds():
    _, y, _, task = held("binary", "binary")
    start = LogisticRegression().start(task)
    assert start[-1] == pytest.approx(math.log(y.mean() / (1 - y.mean())))
    assert not start[:-1].any()


def test_separable_rows_have_the_answer_that_the_penalty_gives_them():
    x = np.linspace(-1, 1, 300)[:, None] * np.ones(3)
    y = (x[:, 0] > 0).astype(float)
    parts = blocks(x, y, (100, 200))
    task = task_over(parts)
    found = fit_over(LogisticRegression(l2=0.01), task, parts)
    pooled = Pooled(C=100.0, **TIGHT).fit(x, y)
    np.testing.assert_allclose(found.model["coefficients"], pooled.coef_, atol=1e-8)


def test_the_last_rounds_ask_for_the_gradient_alone():
    _, _, parts, task = held("binary", "binary")
    flags = []

    class Noted(LogisticRegression):
        def step(self, question, task, design):
            if design is parts[0]:
                flags.append(int(question["curved"][0]))
            return super().step(question, task, design)

    fit_over(Noted(), task, parts)
    assert flags[0] == 1
    assert flags[-1] == 0
    assert flags == sorted(flags, reverse=True)


def test_two_classes_of_a_multiclass_target_are_the_binary_model():
    _, _, parts, task = held("binary", "binary")
    binary = fit_over(LogisticRegression(l2=2.0), task, parts)
    two = replace(task, target=Target(kind="multiclass", classes=("no", "yes")))
    several = MultinomialLogisticRegression(l2=2.0)
    found = fit_over(several, two, parts)
    for name in ("coefficients", "intercept"):
        np.testing.assert_allclose(found.model[name], binary.model[name], atol=1e-9)
    chances = several.predict(found.model, two, parts[0])
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)


def test_the_intercepts_of_several_classes_add_up_to_zero():
    _, _, parts, task = held("multiclass", "multiclass")
    found = fit_over(MultinomialLogisticRegression(), task, parts)
    assert abs(found.model["intercept"].sum()) < 1e-12


@pytest.mark.parametrize("counts", [(0, 1_900), (1_900, 0)])
def test_one_class_alone_is_an_error(counts):
    _, _, parts, task = held("binary", "binary")
    with pytest.raises(TrainingError, match="one class"):
        fit_over(LogisticRegression(), replace(task, class_counts=counts), parts)


def test_a_class_without_rows_is_an_error():
    _, _, parts, task = held("multiclass", "multiclass")
    with pytest.raises(TrainingError, match="no training row"):
        fit_over(
            MultinomialLogisticRegression(),
            replace(task, class_counts=(900, 0, 1_000)),
            parts,
        )


def test_too_few_rounds_are_an_error_not_an_answer():
    _, _, parts, task = held("binary", "binary")
    with pytest.raises(TrainingError, match="did not converge"):
        fit_over(LogisticRegression(max_rounds=3), task, parts)


def test_columns_that_repeat_without_a_penalty_are_an_error():
    x = columns()
    x[:, 1] = x[:, 0]
    _, _, parts, task = held("count", "count", x=x)
    with pytest.raises(TrainingError, match="repeat"):
        fit_over(PoissonRegression(alpha=0.0), task, parts)


def test_an_overflowing_step_is_halved_and_the_answer_stays_the_pooled_one():
    # A few rows far out: the first Newton step sends exp(z) through the cap there.
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1_500, 2))
    x[:5, 0] = 40.0
    y = rng.poisson(np.exp(0.1 * x[:, 0])).astype(float)
    y[5:60] += 300.0 * (x[5:60, 0] > 1.0)
    parts = blocks(x, y, (500, 1_000))
    task = task_over(parts, Target(kind="count", classes=()))
    overflows = []

    class Noted(PoissonRegression):
        def step(self, question, task, design):
            sums = super().step(question, task, design)
            overflows.append(int(sums["overflow"][0]))
            return sums

    found = fit_over(Noted(alpha=1e-6), task, parts)
    pooled = PoissonRegressor(alpha=1e-6, **TIGHT).fit(x, y)
    assert sum(overflows) > 0
    np.testing.assert_allclose(found.model["coefficients"], pooled.coef_, atol=1e-9)


def test_a_party_that_breaks_the_cap_sends_nothing_but_that_it_did():
    _, _, parts, task = held("count", "count")
    algorithm = PoissonRegression()
    question = {
        **algorithm.ask(np.append(np.full(6, 80.0), 1.0), None, task),
        "curved": np.array([1]),
    }
    sums = algorithm.step(question, task, parts[0])
    assert sums["overflow"][0] == 1
    assert not any(sums[name].any() for name in ("loss", "gradient", "hessian"))


@pytest.mark.parametrize(
    ("algorithm", "wrong"),
    [
        (PoissonRegression(), -1.0),
        (TweedieRegression(), -1.0),
        (GammaRegression(), 0.0),
        (GammaRegression(), np.nan),
        (PoissonRegression(), np.inf),
    ],
    ids=lambda v: str(getattr(v, "name", v)),
)
def test_a_target_that_the_model_does_not_know_is_refused_without_its_value(
    algorithm, wrong
):
    _, _, parts, task = held("positive", "regression")
    parts[1].y[7] = wrong
    question = {
        **algorithm.ask(np.zeros(7), None, task),
        "curved": np.array([1]),
    }
    with pytest.raises(TrainingError) as caught:
        algorithm.step(question, task, parts[1])
    assert str(wrong) not in f"{caught.value} {caught.value.remedy}"


def test_a_target_of_zeros_is_an_error():
    _, _, parts, task = held("count", "count", y=np.zeros(1_900))
    with pytest.raises(TrainingError, match="mean"):
        fit_over(PoissonRegression(), task, parts)


ASKED = {"point": np.zeros(7), "curved": np.array([1]), "cap": np.array([1e9])}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("point", np.zeros(6)),
        ("point", np.zeros((7, 1))),
        ("point", np.zeros(7, dtype=np.float32)),
        ("point", np.full(7, np.nan)),
        ("point", np.full(7, 1e10)),
        ("curved", np.array([2])),
        ("curved", np.array([1.0])),
        ("curved", np.array([1, 1])),
        ("cap", np.array([0.0])),
        ("cap", np.array([-1.0])),
        ("cap", np.array([1.0])),  # below what the target's mean already tells
        ("cap", np.array([np.inf])),
        ("cap", np.array([1e280])),
        ("cap", np.zeros(0)),
    ],
)
def test_a_question_out_of_range_is_refused(name, value):
    _, _, _, task = held("count", "count")
    algorithm = PoissonRegression()
    assert algorithm.answers(ASKED, task)
    with pytest.raises(MessageError, match=name):
        algorithm.answers({**ASKED, name: value}, task)
    rest = {key: array for key, array in ASKED.items() if key != name}
    with pytest.raises(MessageError, match=name):
        algorithm.answers(rest, task)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LogisticRegression(l2=0.0),
        lambda: LogisticRegression(l2=float("inf")),
        lambda: LogisticRegression(tolerance=0.0),
        lambda: LogisticRegression(max_rounds=0),
        lambda: MultinomialLogisticRegression(l2=-1.0),
        lambda: PoissonRegression(alpha=-0.5),
        lambda: TweedieRegression(power=1.0),
        lambda: TweedieRegression(power=2.0),
        lambda: TweedieRegression(power=float("nan")),
    ],
)
def test_a_parameter_out_of_range_is_refused(make):
    with pytest.raises(ContractError):
        make()


def test_a_model_of_more_columns_than_newton_can_carry_is_refused():
    wide = [Block(np.zeros((2_500, 2)), np.array([0.0, 1.0]))] * 3
    with pytest.raises(TrainingError, match="2501 coefficients"):
        fit_over(LogisticRegression(), task_over(wide), wide)


def point(gradient, hessian, **more):
    facts = {"noise": 0.0, "hessian_noise": 0.0, "curved_at": np.zeros(2), **more}
    return Point(
        at=np.zeros(2), loss=1.0, gradient=np.array(gradient), hessian=hessian, **facts
    )


def proven(here, concordance):
    proof = certify(here, concordance)
    assert proof is not None
    return proof.distance_bound


def test_the_proven_distance_is_that_of_a_quadratic_where_nothing_bends():
    here = point([3e-9, 4e-9], np.diag([2.0, 5.0]))
    assert proven(here, 1e-6) == pytest.approx(2.5e-9)


def test_the_proven_distance_of_an_exponential_holds_with_equality():
    # f(w) = exp(w) - w bends as fast as R = 1 allows: f''' = f''. Its optimum is 0.
    at, curve = math.log(0.5), 0.5
    here = Point(
        at=np.array([at]),
        loss=0.0,
        gradient=np.array([curve - 1.0]),
        hessian=np.array([[curve]]),
        curved_at=np.array([at]),
        noise=0.0,
        hessian_noise=0.0,
    )
    assert certify(here, 1.0) is None  # too far away for a proof
    near = replace(
        here,
        at=np.array([0.1]),
        curved_at=np.array([0.1]),
        gradient=np.array([math.expm1(0.1)]),
        hessian=np.array([[math.exp(0.1)]]),
    )
    assert proven(near, 1.0) == pytest.approx(0.1)


def test_rounding_widens_the_proven_distance():
    hessian = np.diag([2.0, 5.0])
    exact = proven(point([1e-9, 0.0], hessian), 1e-6)
    assert proven(point([1e-9, 0.0], hessian, noise=1e-9), 1e-6) > exact
    assert proven(point([1e-9, 0.0], hessian, hessian_noise=0.5), 1e-6) > exact
    moved = point([1e-9, 0.0], hessian, curved_at=np.array([0.5, 0.0]))
    assert proven(moved, 1.0) > 1.6 * proven(point([1e-9, 0.0], hessian), 1.0)
    assert certify(point([1e-9, 0.0], hessian, hessian_noise=1.0), 1e-6) is None


def test_newton_s_step_does_not_suffer_from_units():
    units = np.array([1e-8, 1e8])
    even = np.array([[2.0, 1.0], [1.0, 3.0]])
    gradient = np.array([1.0, -2.0])
    plain = newton_step(point(gradient, even))
    scaled = newton_step(point(gradient * units, even * units * units[:, None]))
    np.testing.assert_allclose(scaled * units, plain, rtol=1e-12)
