"""Privacy measured, not claimed: on the path that a run takes.

Many fits on each of two neighbouring tables, and a lower bound on epsilon at 95 % from
how well the two can be told apart (Jagielski, Ullman & Oprea 2020, "Auditing
Differentially Private Machine Learning"). It must stay below what was paid for, and
must not where clipping is dropped or the noise is halved: else the audit sees nothing.
A large delta is audited, where few fits tell much; mu is the same for all deltas.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import beta

from fl_plugin.algorithms import private_statistics
from fl_plugin.algorithms.base import (
    Block,
    DesignColumn,
    Fitted,
    Question,
    Target,
    Task,
)
from fl_plugin.algorithms.private_boosting import PrivateBoosting
from fl_plugin.algorithms.private_linear_regression import PrivateLinearRegression
from fl_plugin.algorithms.private_logistic_regression import PrivateLogisticRegression
from fl_plugin.algorithms.private_poisson_regression import PrivatePoissonRegression
from fl_plugin.algorithms.private_statistics import PrivateStatistics
from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.base import EvaluationSpec
from fl_plugin.evaluation.private import binary
from fl_plugin.evaluation.private.base import private_evaluation_for
from fl_plugin.privacy.dp import noise as noise_module
from fl_plugin.privacy.dp.accountant import mu_for
from fl_plugin.privacy.dp.guard import Guard
from fl_plugin.privacy.dp.noise import Noise
from fl_plugin.privacy.dp.sampler import discrete_gaussian
from fl_plugin.privacy.encoding import encode
from tests.masked_sums import MaskedSums
from tests.private_federated import guards_for, private_fit_over

EPSILON, DELTA = 1.0, 0.1
FITS = 800
PAIRS = 1_000


@dataclass(frozen=True, kw_only=True)
class Looking(PrivateStatistics):
    """Statistics whose model is what the coordinator sees."""

    def rounds(self, task):  # noqa: ARG002 - as its base
        sums = yield Question(arrays={})
        return Fitted(model=sums, rounds=1)


class Colluder(Guard):
    """A party that adds no noise: the coordinator knows it and takes it away."""

    def words(self, expected, part, releases):  # noqa: ARG002 - as a guard
        return {n: encode(expected[n], part[n]) for n in expected}


@pytest.fixture
def seeded(monkeypatch):
    """The same draws in every run of the tests; the program never has such a source."""
    source = np.random.default_rng(2024).bytes
    monkeypatch.setattr(
        noise_module,
        "discrete_gaussian",
        lambda sigma, size, _: discrete_gaussian(sigma, size, source),
    )


def audit(fits=FITS):
    """Return the lower bound on epsilon for one row, far outside its bounds."""
    algorithm = Looking(norm=1.0, bins=4)
    columns = tuple(DesignColumn(name=f"x{j}", feature=f"x{j}") for j in range(2))
    task = Task(
        target=Target(kind="none", classes=()),
        columns=columns,
        rows=64,
        parties=3,
        mu=mu_for(EPSILON, DELTA),
    )
    rng = np.random.default_rng(1)
    rest = [Block(rng.uniform(-0.5, 0.5, (2, 8)), np.zeros(8)) for _ in range(3)]
    row = np.array([[5.0], [0.0]])  # clipped: 1 and 0
    more = Block(np.hstack([rest[0].x, row]), np.zeros(9))
    without, within = (
        [_score(algorithm, task, blocks) for _ in range(fits)]
        for blocks in (rest, [more, *rest[1:]])
    )
    return lower_bound(np.array(without), np.array(within))


def _score(algorithm, task, blocks):
    """Return the likeliest tell of the row: each sum along what the row adds to it."""
    guards = [*guards_for(task)[:2], Colluder(guards_for(task)[2].noise)]
    seen = private_fit_over(algorithm, task, blocks, guards).model
    row = {
        "rows": np.array([1.0]),
        "sums": np.array([1.0, 0.0]),
        "squares": np.array([1.0, 0.0]),
        "histograms": np.array([[0, 0, 0, 1.0], [0, 0, 1.0, 0]]),
    }
    told = algorithm.releases({}, task)
    return sum(
        told[n].share * float((seen[n] * row[n]).sum()) / told[n].sensitivity ** 2
        for n in row
    )


def lower_bound(without, within):
    """Choose a threshold on one half; bound both chances on the other, 97.5 % each."""
    middle = len(without) // 2
    thresholds = np.quantile(
        np.concatenate([without, within]), np.linspace(0.3, 0.98, 35)
    )

    def ratio(threshold):
        true = (within[:middle] > threshold).mean()
        false = ((without[:middle] > threshold).sum() + 5) / middle
        return (true - DELTA) / false

    chosen = max(thresholds, key=ratio)
    rest = len(without) - middle
    hits = int((within[middle:] > chosen).sum())
    slips = int((without[middle:] > chosen).sum())
    low = beta.ppf(0.025, hits, rest - hits + 1)
    high = beta.ppf(0.975, slips + 1, rest - slips)
    return float(np.log(max(low - DELTA, 1e-9) / high))


@pytest.mark.usefixtures("seeded")
def test_the_audit_s_lower_bound_is_at_most_epsilon(figure):
    found = audit()
    assert 0.3 < found <= EPSILON
    figure("DP audit: lower bound at 95 % where epsilon is 1", found)


@pytest.mark.usefixtures("seeded")
def test_the_audit_fails_where_clipping_is_dropped(monkeypatch, figure):
    def unclipped(x, norm):
        return np.trunc(x * 1024) / 1024

    monkeypatch.setattr(private_statistics, "clipped", unclipped)
    found = audit(400)
    assert found > EPSILON
    figure("DP audit: lower bound without clipping, epsilon said to be 1", found)


@pytest.fixture
def half_noise(monkeypatch):
    """Leave half of the noise away."""
    honest = Noise.scale

    def halved(self, summand, sensitivity, share):
        scale = honest(self, summand, sensitivity, share)
        return replace(scale, sigma=scale.sigma // 2)

    monkeypatch.setattr(Noise, "scale", halved)


@pytest.mark.usefixtures("seeded", "half_noise")
def test_the_audit_fails_where_the_noise_is_halved(figure):
    found = audit(500)
    assert found > EPSILON
    figure("DP audit: lower bound with half the noise, epsilon said to be 1", found)


# --- sensitivity, on neighbours, with equal randomness: no noise at all -----------

CASES = {
    "binary": (PrivateLogisticRegression, PrivateBoosting),
    "count": (PrivatePoissonRegression,),
    "regression": (PrivateLinearRegression,),
    "none": (PrivateStatistics,),
}
KINDS = [(kind, target) for target, kinds in CASES.items() for kind in kinds]


def neighbours(rng, columns):
    """Return rows, and the same without one of them, wherever it stands."""
    rows = int(rng.integers(1, 12))
    x = rng.normal(0, rng.choice([0.1, 1.0, 100.0]), (columns, rows))
    x[rng.random(x.shape) < 0.05] = rng.choice([np.nan, np.inf, -np.inf, 1e300])
    y = rng.choice([0.0, 1.0, -7.5, 1e9, np.nan], rows)
    gone = int(rng.integers(rows))
    return Block(x, y), Block(np.delete(x, gone, axis=1), np.delete(y, gone))


def questions(algorithm, task, rng):
    """Return every kind of question that a fit asks, at points far from each other."""
    noisy = algorithm.rounds(task)
    asked = []
    try:
        question = next(noisy)
        while True:
            asked.append(question.arrays)
            sums = {
                name: rng.normal(0, 10.0 ** rng.integers(0, 4), summand.shape)
                for name, summand in algorithm.answers(question.arrays, task).items()
            }
            question = noisy.send(sums)
    except (StopIteration, TrainingError):  # noise may drown what it asks for
        return asked


@pytest.mark.parametrize(("kind", "target"), KINDS)
def test_no_row_moves_an_answer_further_than_declared(kind, target, figure):
    rng = np.random.default_rng(3)
    features = [*(f"x{j}" for j in range(4)), "c", "c"]
    columns = tuple(
        DesignColumn(name=f"{j} {f}", feature=f) for j, f in enumerate(features)
    )
    classes = (False, True) if target == "binary" else ()
    task = Task(
        target=Target(kind=target, classes=classes), columns=columns, rows=64, mu=1.0
    )
    algorithm = kind()
    asked = questions(algorithm, task, rng)
    nearest = 0.0
    for number in range(PAIRS):
        if number % 50 == 0:
            asked = questions(algorithm, task, rng)
        question = asked[int(rng.integers(len(asked)))]
        parts = [
            algorithm.worker(task, block).answer(question)
            for block in neighbours(rng, len(columns))
        ]
        for name, told in algorithm.releases(question, task).items():
            moved = float(np.linalg.norm(parts[0][name] - parts[1][name]))
            assert moved <= told.sensitivity
            assert np.abs(parts[0][name]).max(initial=0.0) <= told.bound
            nearest = max(nearest, moved / told.sensitivity)
    assert nearest > 0.45  # the declared sensitivity is not idle
    figure(f"pairs of neighbours within {kind.name}'s sensitivity", PAIRS)


@pytest.mark.parametrize(("kind", "target"), KINDS)
def test_where_a_row_stands_changes_no_bit_of_an_answer(kind, target):
    """Sums are exact, so no rounding of other rows tells that a row has gone."""
    rng = np.random.default_rng(4)
    columns = tuple(DesignColumn(name=f"x{j}", feature=f"x{j}") for j in range(5))
    classes = (False, True) if target == "binary" else ()
    task = Task(
        target=Target(kind=target, classes=classes), columns=columns, rows=8192, mu=1.0
    )
    algorithm = kind()
    x, y = rng.normal(0, 0.5, (5, 5000)), np.where(rng.random(5000) > 0.5, 1.0, 0.0)
    order = rng.permutation(5000)
    shuffled = Block(np.ascontiguousarray(x[:, order]), y[order])
    halves = [Block(x[:, :777], y[:777]), Block(x[:, 777:], y[777:])]
    for question in questions(algorithm, task, rng):
        whole, other, *parts = (
            algorithm.worker(task, block).answer(question)
            for block in (Block(x, y), shuffled, *halves)
        )
        for name, sums in whole.items():
            np.testing.assert_array_equal(sums, other[name])
            np.testing.assert_array_equal(sums, parts[0][name] + parts[1][name])


# --- the figures of held-out rows, on the path of a run ---------------------------


def audit_figures(fits=FITS):
    """Return the lower bound on epsilon for one held-out row, as figures tell it."""
    evaluation = private_evaluation_for(EvaluationSpec(kind="binary", rows=64))
    budget = Task(
        target=Target(), columns=(), rows=64, parties=3, mu=mu_for(1.0, DELTA)
    )
    told = evaluation.releases()
    looks = {name: release.summand(budget) for name, release in told.items()}
    rng = np.random.default_rng(5)
    rest = [(rng.random(8), np.rint(rng.random(8))) for _ in range(3)]
    row = (np.array([0.0]), np.array([1.0]))  # as wrong as can be
    more = tuple(np.concatenate(pair) for pair in zip(rest[0], row, strict=True))
    adds = evaluation.sums(*row)

    def told_of(parts):
        guards = [*guards_for(budget)[:2], Colluder(guards_for(budget)[2].noise)]
        words = [
            guard.words(looks, evaluation.sums(*part), told)
            for guard, part in zip(guards, parts, strict=True)
        ]
        seen = MaskedSums(3).add_words(words, looks)
        return sum(
            told[n].share * float((seen[n] * adds[n]).sum()) / told[n].sensitivity ** 2
            for n in adds
        )

    without, within = (
        [told_of(parts) for _ in range(fits)] for parts in (rest, [more, *rest[1:]])
    )
    return lower_bound(np.array(without), np.array(within))


@pytest.mark.usefixtures("seeded")
def test_the_audit_of_figures_finds_at_most_epsilon(figure):
    found = audit_figures()
    assert 0.3 < found <= EPSILON
    figure("DP audit of figures: lower bound at 95 % where epsilon is 1", found)


@pytest.mark.usefixtures("seeded")
def test_the_audit_of_figures_fails_where_losses_are_not_clipped(monkeypatch, figure):
    log_loss, brier, bins = binary._tables()
    monkeypatch.setattr(binary, "_tables", lambda: (9.0 * log_loss, brier, bins))
    found = audit_figures(500)
    assert found > EPSILON
    figure("DP audit of figures: lower bound without clipping", found)


@pytest.mark.usefixtures("seeded", "half_noise")
def test_the_audit_of_figures_fails_where_the_noise_is_halved(figure):
    found = audit_figures(500)
    assert found > EPSILON
    figure("DP audit of figures: lower bound with half the noise", found)
