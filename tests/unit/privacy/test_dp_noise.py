"""Noise on one part: enough of it, whoever colludes; inside its grid; counted."""

from dataclasses import dataclass

import numpy as np
import pytest

from fl_plugin.errors import ContractError, PolicyError, TrainingError
from fl_plugin.privacy.dp.accountant import composed
from fl_plugin.privacy.dp.guard import Guard
from fl_plugin.privacy.dp.noise import SMOOTHING, Noise
from fl_plugin.privacy.encoding import decode, encode
from fl_plugin.summand import Summand

WIDE = Summand(shape=(20_000,), bound=1e6)


@dataclass(frozen=True)
class Told:
    sensitivity: float
    share: float


def unit(summand, scale):
    return float(np.ldexp(1.0, -summand.exponents)) * 2**scale.shift


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("colluding", [0, 1, 3])
@pytest.mark.parametrize("share", [1.0, 0.01])
def test_the_others_noise_alone_is_enough(masked, colluding, share):
    noise = Noise(mu=0.3, parties=5, masked=masked, colluding=colluding)
    scale = noise.scale(WIDE, 2.0, share)
    honest = 5 - colluding if masked else 1
    step = unit(WIDE, scale)
    # What is left for the accountant once smoothing and rounding are paid.
    variance = (honest * scale.sigma**2 - SMOOTHING) * step**2
    moved = 2.0 + 2.0 * np.sqrt(20_000) * step
    assert moved / np.sqrt(variance) <= 0.3 * np.sqrt(share) * (1 + 1e-12)
    # And not much more noise than that.
    assert 2.0 / np.sqrt(variance) >= 0.3 * np.sqrt(share) * 0.98


def test_the_noise_of_a_part_has_the_size_it_is_said_to_have():
    noise = Noise(mu=0.5, parties=4, masked=True)
    words = noise.noised(WIDE, np.full(20_000, 123.25), 1.0, 1.0)
    found = decode(WIDE, words) - 123.25
    expected = 1.0 / 0.5 / np.sqrt(3)
    assert found.std() == pytest.approx(expected, rel=0.03)
    assert abs(found.mean()) < 6 * expected / np.sqrt(20_000)


def test_two_parts_get_different_noise():
    noise = Noise(mu=0.5, parties=4, masked=True)
    part = np.zeros(20_000)
    first, second = (noise.noised(WIDE, part, 1.0, 1.0) for _ in range(2))
    assert (first != second).mean() > 0.99


@pytest.mark.parametrize("width", [4, 5, 6, 8])
def test_every_width_of_the_wire_gives_the_same_privacy(width):
    summand = Summand(shape=(100,), bound=1e5, width=width)
    noise = Noise(mu=0.1, parties=3, masked=True)
    scale = noise.scale(summand, 1.0, 1.0)
    step = unit(summand, scale)
    moved = 1.0 + 2.0 * 10.0 * step
    assert moved / (step * np.sqrt(2 * scale.sigma**2 - SMOOTHING)) <= 0.1


def test_rounding_is_inside_the_sensitivity():
    """Neighbouring parts, rounded as they are sent, are never further apart."""
    summand = Summand(shape=(50,), bound=1e5, width=4)
    noise = Noise(mu=0.1, parties=3, masked=True)
    scale = noise.scale(summand, 1.0, 1.0)
    step = unit(summand, scale)
    quiet = type(scale)(shift=scale.shift, sigma=scale.sigma)
    rng = np.random.default_rng(0)
    for _ in range(200):
        part = rng.normal(0, 1e3, 50)
        by = rng.normal(size=50)
        pair = [encode(summand, p) for p in (part, part + by / np.linalg.norm(by))]
        half = np.int64(1 << max(quiet.shift - 1, 0))
        ends = [(w.view(np.int64) + half) >> np.int64(quiet.shift) for w in pair]
        apart = np.linalg.norm((ends[0] - ends[1]).astype(float)) * step
        assert apart <= 1.0 + 2.0 * np.sqrt(50) * step


@pytest.mark.parametrize(
    "unfit",
    [
        Summand(shape=(3,), bound=None),
        Summand(shape=(3,), bound=np.array([1.0, 2.0, 3.0])),
        Summand.count((3,), 100),
        Summand(shape=(3,), bound=1e6, width=1),
        Summand(shape=(3,), bound=0.001),
    ],
)
def test_an_array_without_room_for_noise_is_refused(unfit):
    with pytest.raises(TrainingError):
        Noise(mu=0.5, parties=3, masked=True).scale(unfit, 1.0, 1.0)


@pytest.mark.parametrize(
    "wrong", [(0.0, 1.0), (1.0, 0.0), (1.0, 1.1), (np.nan, 1.0), (np.inf, 1)]
)
def test_an_array_without_a_sensitivity_is_refused(wrong):
    with pytest.raises(TrainingError):
        Noise(mu=0.5, parties=3, masked=True).scale(WIDE, *wrong)


@pytest.mark.parametrize(
    "facts",
    [
        {"mu": 0.0},
        {"mu": float("inf")},
        {"mu": float("nan")},
        {"colluding": 3},
        {"colluding": -1},
        {"parties": 2},
    ],
)
def test_noise_that_protects_nobody_is_refused(facts):
    with pytest.raises(ContractError):
        Noise(**{"mu": 1.0, "parties": 3, "masked": True, **facts})


def test_a_part_beyond_its_bound_is_refused():
    noise = Noise(mu=0.5, parties=3, masked=True)
    for bad in (1e7, np.nan, np.inf):
        with pytest.raises(TrainingError):
            noise.noised(WIDE, np.full(20_000, bad), 1.0, 1.0)


SMALL = {"a": Summand(shape=(2,), bound=1e4)}
PART = {"a": np.zeros(2)}


def test_a_fit_answers_until_its_budget_is_used_and_never_beyond():
    guard = Guard(Noise(mu=0.2, parties=3, masked=True))
    for _ in range(10):
        guard.words(SMALL, PART, {"a": Told(1.0, 0.1)})
    with pytest.raises(PolicyError) as refusal:
        guard.words(SMALL, PART, {"a": Told(1.0, 0.1)})
    assert refusal.value.reason == "budget.exceeded"
    assert composed(guard.events) == pytest.approx(0.2, rel=1e-9)


@pytest.mark.parametrize(
    "told", [{}, {"b": Told(1.0, 0.1)}, {"a": Told(1, 0.1), "b": Told(1, 0.1)}]
)
def test_an_array_that_nothing_is_declared_for_never_leaves(told):
    with pytest.raises(TrainingError):
        Guard(Noise(mu=0.2, parties=3, masked=True)).words(SMALL, PART, told)


def test_a_share_that_is_no_number_is_refused():
    with pytest.raises(PolicyError):
        Guard(Noise(mu=0.2, parties=3, masked=True)).words(
            SMALL, PART, {"a": Told(1.0, float("nan"))}
        )


def test_a_negative_share_gives_nothing_back():
    guard = Guard(Noise(mu=0.2, parties=3, masked=True))
    with pytest.raises(PolicyError):
        guard.words(SMALL, PART, {"a": Told(1.0, -0.5)})
    guard.words(SMALL, PART, {"a": Told(1.0, 1.0)})
    with pytest.raises(PolicyError):
        guard.words(SMALL, PART, {"a": Told(1.0, 0.4)})
