"""Newton's guards, one by one: what the coordinator does with sums that are odd."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fl_plugin.algorithms.base import DesignColumn, Question, Target, Task
from fl_plugin.algorithms.linear_models import newton
from fl_plugin.algorithms.linear_models.certificate import Point
from fl_plugin.algorithms.linear_models.newton import newton_step
from fl_plugin.algorithms.logistic_regression import LogisticRegression
from fl_plugin.algorithms.multinomial_logistic_regression import (
    MultinomialLogisticRegression,
)
from fl_plugin.algorithms.poisson_regression import PoissonRegression
from fl_plugin.errors import MessageError, TrainingError
from tests.unit.algorithms.glm_rows import held

TASK = Task(
    target=Target(kind="binary", classes=(False, True)),
    columns=(DesignColumn(name="x", feature="x"),),
    rows=100,
)


def sums(loss, gradient, hessian=(1.0, 0.0, 1.0), **more):
    arrays = {"loss": [loss], "gradient": gradient, "hessian": hessian, **more}
    return {name: np.array(value, dtype=float) for name, value in arrays.items()}


def point(at, curved_at=None, **more):
    at = np.asarray(at, dtype=float)
    told = {
        "loss": 1.0,
        "gradient": np.zeros(len(at)),
        "hessian": np.eye(len(at)),
        "noise": 0.0,
        "hessian_noise": 0.0,
        "curved_at": at if curved_at is None else curved_at,
    }
    return Point(at=at, **{**told, **more})


def asked(algorithm, *answers):
    """Return the questions of a fit that gets these answers."""
    rounds = algorithm.rounds(TASK)
    found = [next(rounds)]
    for answer in answers:
        found.append(rounds.send(answer))
        assert isinstance(found[-1], Question)
    return found


def lengths(questions):
    """Return how far each question is from the first, along the step of 1."""
    first = questions[0].arrays["point"]
    return [float(np.abs(q.arrays["point"] - first).max()) for q in questions]


def test_a_step_is_halved_until_the_loss_has_fallen_enough():
    higher = sums(20.0, [1.0, 0.0])
    found = asked(LogisticRegression(), sums(10.0, [2.0, 0.0]), higher, higher)
    full = lengths(found)[1]
    assert full > 0.5
    assert lengths(found)[2:] == [full / 2, full / 4]


def test_a_loss_that_falls_by_less_than_it_should_halves_the_step():
    """Armijo's rule: any fall at all is not enough."""
    start = sums(10.0, [2.0, 0.0])
    step = newton_step(point([0.0, 0.0], gradient=start["gradient"] * 1.0))
    least = newton.ARMIJO * abs(float(start["gradient"] @ step)) / 4
    barely = sums(10.0 - least, [1.0, 0.0])
    found = asked(LogisticRegression(l2=1e-9), start, barely)
    assert len(found) == 3
    assert lengths(found)[2] == pytest.approx(lengths(found)[1] / 2)
    enough = sums(10.0 - 100 * least, [1.0, 0.0])
    found = asked(LogisticRegression(l2=1e-9), start, enough)
    assert lengths(found)[2] > lengths(found)[1]


def test_a_loss_equal_but_for_rounding_is_accepted():
    start = sums(1e9, [1e-9, 0.0])
    same = sums(1e9 * (1 + 1e-13), [0.0, 0.0])
    algorithm = LogisticRegression(l2=1e-9, tolerance=1e-12)
    rounds = algorithm.rounds(TASK)
    next(rounds)
    rounds.send(start)
    with pytest.raises(StopIteration) as end:
        rounds.send(same)
    assert end.value.value.rounds == 2


def test_an_overflow_counts_as_an_infinite_loss():
    told = sums(0.0, [1.0, 0.0])  # a party that overflowed sends zeros
    honest = LogisticRegression()._point(({**ask([0.5, 0.0])}, told), None, TASK)
    assert math.isfinite(honest.loss)
    over = {**told, "overflow": np.array([1])}
    found = LogisticRegression()._point((ask([0.5, 0.0]), over), None, TASK)
    assert found.loss == math.inf


def ask(at, *, curved=1):
    return {
        "point": np.array(at, dtype=float),
        "curved": np.array([curved], dtype=np.int64),
    }


def test_the_first_answer_must_hold_the_hessian():
    told = {n: a for n, a in sums(1.0, [0.0, 0.0]).items() if n != "hessian"}
    with pytest.raises(MessageError, match="hessian"):
        LogisticRegression()._point((ask([0.0, 0.0], curved=0), told), None, TASK)


def test_an_answer_without_one_keeps_the_hessian_and_where_it_was_measured():
    before = point([0.0, 0.0], hessian=np.diag([3.0, 4.0]), hessian_noise=0.25)
    told = {n: a for n, a in sums(1.0, [0.5, 0.0]).items() if n != "hessian"}
    found = LogisticRegression()._point((ask([1.0, 0.0], curved=0), told), before, TASK)
    np.testing.assert_array_equal(found.hessian, before.hessian)
    assert found.curved_at is before.at
    assert found.hessian_noise == 0.25


def test_progress_is_told_of_the_point_that_was_accepted_last():
    found = asked(LogisticRegression(), sums(10.0, [2.0, 0.0]), sums(5.0, [0.5, 0.0]))
    assert found[0].progress == {}
    assert found[1].progress["loss"] == 10.0
    assert found[1].progress["gradient_norm"] == 2.0
    assert found[1].progress["step"] == pytest.approx(lengths(found)[1])
    assert found[2].progress["loss"] < 10.0


NEAR = 1e-12  # a reach at which the curvature provably hardly changes


def steady(algorithm, move, before, *, fresh=True, curved_at=(0.0, 0.0)):
    here = point([0.0, 0.0])
    if not fresh:
        here = replace(here, curved_at=np.array(curved_at))
    return algorithm._steady(here, np.array([move, 0.0]), before, TASK)


def test_the_hessian_is_asked_for_again_before_a_step_is_known():
    """After the first point nothing says how fast the steps shrink."""
    assert not steady(LogisticRegression(), NEAR, math.inf)
    assert steady(LogisticRegression(), NEAR, 1e-6)


def test_a_hessian_is_kept_only_where_that_ends_the_search():
    slow, fast = LogisticRegression(tolerance=1e-15), LogisticRegression(tolerance=0.1)
    # Fresh, the step after next is C^2 s^3 with C = s/s'^2; kept, s^2/s'.
    step, before = 1e-3, 2e-3
    fresh, kept = step**5 / before**4, step**2 / before
    assert fresh < kept
    between = LogisticRegression(tolerance=(fresh + kept) / 2)
    assert steady(between, step, before, fresh=True)
    assert not steady(between, step, before, fresh=False)
    assert not steady(slow, step, before, fresh=True)
    assert steady(fast, step, before, fresh=False)


def test_a_hessian_measured_far_away_is_not_kept():
    loose = LogisticRegression(tolerance=0.1)
    assert steady(loose, 1e-6, 1e-5, fresh=False, curved_at=(1e-6, 0.0))
    assert not steady(loose, 1e-6, 1e-5, fresh=False, curved_at=(10.0, 0.0))


def test_a_fit_settles_at_its_noise_only_once_the_steps_stop_shrinking():
    algorithm = LogisticRegression()
    here = point([0.0, 0.0], gradient=np.array([1.0, 0.0]), noise=0.1)
    assert algorithm._settled(here, np.array([1e-3, 0.0]), shrinks=False)
    assert not algorithm._settled(here, np.array([1e-3, 0.0]), shrinks=True)
    loud = replace(here, gradient=np.array([1.7, 0.0]))
    assert not algorithm._settled(loud, np.array([1e-3, 0.0]), shrinks=False)
    assert algorithm._settled(loud, np.array([1e-11, 0.0]), shrinks=True)


def test_the_tolerance_is_a_share_of_coefficients_above_one():
    algorithm = LogisticRegression(tolerance=1e-6)
    far, near = point([1e3, 0.0]), point([0.5, 0.0])
    move = np.array([5e-4, 0.0])
    assert algorithm._settled(far, move, shrinks=True)
    assert not algorithm._settled(near, move, shrinks=True)
    assert not algorithm._settled(far, move[::-1], shrinks=True)


def test_a_singular_hessian_is_refused_whatever_the_units():
    repeated = np.array([[1.0, 1.0], [1.0, 1.0]])
    for units in (np.array([1.0, 1.0]), np.array([1e-6, 1e6])):
        hessian = repeated * units * units[:, None]
        with pytest.raises(TrainingError, match="repeat one another"):
            newton_step(point([0.0, 0.0], hessian=hessian))
    almost = np.array([[1.0, 1.0 - 1e-10], [1.0 - 1e-10, 1.0]])
    assert np.isfinite(newton_step(point([0.0, 0.0], hessian=almost))).all()


def test_a_hessian_with_a_column_of_zeros_is_refused():
    with pytest.raises(TrainingError, match="repeat one another"):
        newton_step(point([0.0, 0.0], hessian=np.diag([1.0, 0.0])))


def test_halving_goes_on_to_the_smallest_step_and_no_further():
    rounds = LogisticRegression(max_rounds=10_000).rounds(TASK)
    next(rounds)
    rounds.send(sums(10.0, [2.0, 0.0]))
    for _ in range(newton_halvings()):
        rounds.send(sums(1e9, [2.0, 0.0]))
    with pytest.raises(TrainingError):
        rounds.send(sums(1e9, [2.0, 0.0]))


def newton_halvings():
    return round(-math.log2(newton.SMALLEST_STEP))


def test_no_more_rounds_are_asked_for_than_allowed_while_halving():
    rounds = LogisticRegression(max_rounds=4).rounds(TASK)
    next(rounds)
    rounds.send(sums(10.0, [2.0, 0.0]))
    rounds.send(sums(1e9, [2.0, 0.0]))
    rounds.send(sums(1e9, [2.0, 0.0]))
    with pytest.raises(TrainingError, match="in 4 rounds"):
        rounds.send(sums(1e9, [2.0, 0.0]))


def test_a_loss_that_is_no_number_halves_the_step_too():
    """NaN is not at most anything; the fit must not walk on from it."""
    nan = sums(math.nan, [0.0, 0.0])
    found = asked(LogisticRegression(), sums(10.0, [2.0, 0.0]), nan, nan)
    full = lengths(found)[1]
    assert lengths(found)[2:] == [full / 2, full / 4]


def test_an_overflow_of_a_real_fit_stays_out_of_the_model():
    _, _, parts, task = held("count", "count")
    algorithm = PoissonRegression(alpha=0.01)
    rounds = algorithm.rounds(task)
    question = next(rounds)
    workers = [algorithm.worker(task, part) for part in parts]

    def answered(question):
        found = [worker.answer(question.arrays) for worker in workers]
        return {name: sum(part[name] for part in found) for name in found[0]}

    second = rounds.send(answered(question))
    over = {name: np.zeros_like(array) for name, array in answered(second).items()}
    third = rounds.send({**over, "overflow": np.array([1])})
    start = question.arrays["point"]
    np.testing.assert_allclose(
        third.arrays["point"], (start + second.arrays["point"]) / 2, rtol=1e-12
    )


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("rows", [1_000, 10**6, 10**9])
def test_the_hessian_of_several_classes_is_as_fine_as_its_penalty_needs(classes, rows):
    algorithm = MultinomialLogisticRegression(l2=0.5)
    target = Target(kind="multiclass", classes=tuple(range(classes)))
    columns = tuple(DesignColumn(name=f"x{j}", feature="x") for j in range(4))
    task = Task(target=target, columns=columns, rows=rows, parties=3)
    size = classes * 5
    question = ask(np.zeros(size))
    summand = algorithm.answers(question, task)["hessian"]
    pairs = classes * (classes - 1) // 2
    off = np.full(pairs * 15, task.parties * summand.rounding)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], off.size)
    proven = size * algorithm.repeated(task) * task.parties * summand.rounding
    for errors in (off, off * signs):
        wrong = algorithm.hessian({"hessian": errors}, task)
        largest = np.abs(np.linalg.eigvalsh(wrong)).max()
        assert largest <= proven * 1.4  # with the term that fixes the intercepts' sum
    assert summand.width == 8 or proven <= algorithm.l2 / 64.0
    assert algorithm.answers(question, task)["gradient"].width == 8
    if rows == 1_000:
        assert summand.width < 6


def test_rounding_is_counted_by_the_largest_curvature():
    told = sums(1.0, [0.0, 0.0], hessian=[1e12, 0.0, 1.0])
    found = LogisticRegression()._point((ask([0.0, 0.0]), told), None, TASK)
    assert found.noise >= newton.FLOAT_NOISE * 1e12


def test_a_gradient_within_its_noise_ends_a_fit_once_steps_no_longer_shrink():
    # Flat in one direction: a gradient of rounding errors still asks for a large step.
    flat = sums(1.0, [0.0, 1e-10], hessian=[1e6, 0.0, 1e-8])
    rounds = LogisticRegression().rounds(TASK)
    next(rounds)
    assert isinstance(rounds.send(flat), Question)  # nothing to compare the step with
    with pytest.raises(StopIteration) as end:
        rounds.send(flat)
    assert end.value.value.rounds == 2


def test_a_fit_says_where_no_distance_is_proven():
    algorithm = LogisticRegression()
    sharp = algorithm._result(point([0.0, 0.0]), TASK, 1)
    assert sharp.certificate is not None
    assert sharp.notes == ()
    vague = point([0.0, 0.0], gradient=np.array([1e6, 0.0]))
    blunt = algorithm._result(vague, TASK, 1)
    assert blunt.certificate is None
    assert "could not be bounded" in blunt.notes[0]
