"""What noise costs: against Google's accountant and the exact closed form."""

import csv
from pathlib import Path

import pytest

from fl_plugin.errors import ContractError
from fl_plugin.privacy.dp.accountant import (
    GaussianEvent,
    composed,
    delta_of,
    epsilon_of,
    mu_for,
)

FOUND = Path(__file__).parents[2] / "golden" / "dp_accounting.csv"


def settings():
    with FOUND.open(newline="") as file:
        return list(csv.DictReader(file))


def events(told):
    parts = (event.split("x") for event in told.split(";"))
    return [
        GaussianEvent(sensitivity=3.0, sigma=3.0 * float(sigma), count=int(count))
        for sigma, count in parts
    ]


def test_two_hundred_settings_cost_what_google_s_accountant_says(figure):
    apart = []
    for row in settings():
        ours = epsilon_of(composed(events(row["events"])), float(row["delta"]))
        apart.append(abs(ours - float(row["google"])))
    assert len(apart) == 200
    assert max(apart) <= 1e-6
    figure("DP settings within 1e-6 of Google's accountant", len(apart))


def test_a_stated_epsilon_is_never_below_the_exact_one():
    for row in settings():
        ours = epsilon_of(composed(events(row["events"])), float(row["delta"]))
        exact = float(row["exact"])
        assert exact <= ours <= exact * (1 + 1e-9)


@pytest.mark.parametrize("epsilon", [0.01, 0.1, 1.0, 8.0, 50.0])
@pytest.mark.parametrize("delta", [1e-3, 1e-6, 1e-12])
def test_mu_for_a_budget_costs_that_budget_and_no_more(epsilon, delta):
    mu = mu_for(epsilon, delta)
    assert epsilon_of(mu, delta) <= epsilon * (1 + 1e-9)
    assert epsilon_of(mu * (1 + 1e-6), delta) > epsilon
    assert delta_of(mu, epsilon) <= delta


def test_less_noise_costs_more():
    costs = [epsilon_of(mu, 1e-6) for mu in (0.01, 0.1, 1.0, 5.0, 30.0)]
    assert costs == sorted(costs)
    assert costs[0] > 0.0
    assert epsilon_of(0.0, 1e-6) == 0.0


def test_many_small_releases_cost_as_one_large_one():
    many = composed([GaussianEvent(sensitivity=1, sigma=20.0)] * 100)
    counted = composed([GaussianEvent(sensitivity=1, sigma=20.0, count=100)])
    one = composed([GaussianEvent(sensitivity=1, sigma=2.0)])
    assert many == pytest.approx(one, rel=1e-12)
    assert counted == pytest.approx(one, rel=1e-12)


@pytest.mark.parametrize(
    "wrong",
    [(0.0, 1e-6), (-1.0, 1e-6), (float("nan"), 1e-6), (1.0, 0.0), (1.0, 1.0), (1.0, 2)],
)
def test_a_budget_that_is_none_is_refused(wrong):
    with pytest.raises(ContractError):
        mu_for(*wrong)


def test_too_little_noise_to_speak_of_is_refused():
    with pytest.raises(ContractError):
        epsilon_of(float("inf"), 1e-6)
