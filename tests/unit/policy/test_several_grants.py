"""Where stewards have given several grants, one that carries it all is enough."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from fl_plugin.policy.decision import decide
from fl_plugin.policy.fingerprint import policy_fingerprint

DECIDED = date(2026, 11, 4)


@pytest.fixture
def facts(facts_with, grant_with):
    """Return facts with a grant for each epsilon, the newest first."""

    def make(asked, *granted):
        base = facts_with(request={"epsilon": asked})
        grants = [
            replace(
                grant_with(base.product, epsilon=epsilon, name=f"g_{age}"),
                decided_at=DECIDED - timedelta(days=age),
            )
            for age, epsilon in enumerate(granted)
        ]
        return replace(base, grants=tuple(grants))

    return make


@pytest.mark.parametrize(
    ("asked", "granted", "by"),
    [
        (None, (None,), "g_0"),
        (None, (1.0, None), "g_1"),
        (None, (None, 1.0), "g_0"),
        (1.0, (0.5, 2.0), "g_1"),
        (1.0, (None, 1.0), "g_1"),
        (1.0, (4.0, 1.0), "g_0"),
    ],
)
def test_the_newest_that_carries_the_epsilon_is_relied_on(facts, asked, granted, by):
    decision = decide(facts(asked, *granted))
    assert decision.complete
    assert decision.grant == by


@pytest.mark.parametrize(
    ("asked", "granted", "reason"),
    [
        (None, (1.0, 2.0), "privacy.dp_required"),
        (1.0, (None, None), "budget.not_granted"),
        (3.0, (1.0, 2.0), "budget.not_granted"),
    ],
)
def test_epsilons_of_two_grants_are_never_added_up(facts, asked, granted, reason):
    refusal = decide(facts(asked, *granted)).refusal
    assert refusal is not None
    assert refusal.reason == reason


EXACT = [
    ((1.0,), "privacy.dp_required"),  # the grant is for noised answers alone
    ((None, 1.0), None),
    ((1.0, None), None),
    ((None,), "budget.not_granted"),
]


@pytest.mark.parametrize(("granted", "reason"), EXACT)
def test_exact_figures_of_a_private_run_need_a_grant_without_epsilon(
    facts, granted, reason
):
    base = facts(1.0, *granted)
    asked = replace(base, request=replace(base.request, evaluation=0.0))
    refusal = decide(asked).refusal
    assert (refusal.reason if refusal else None) == reason
    noised = replace(base, request=replace(base.request, evaluation=0.1))
    allowed = 1.0 in granted
    assert decide(noised).complete is allowed


@pytest.mark.parametrize("named", ["evaluate", "credit_risk"])
def test_exact_figures_are_refused_where_the_contract_wants_noise_for_them(
    facts, named
):
    base = facts(1.0, None, 1.0)
    assert base.product is not None
    contract = base.product.contract
    dp = contract.dp.model_copy(update={"required_for": (named,)})
    product = replace(base.product, contract=contract.model_copy(update={"dp": dp}))
    policy = policy_fingerprint(product)
    grants = tuple(replace(grant, policy=policy) for grant in base.grants)
    asked = replace(
        base,
        product=product,
        grants=grants,
        policy_fingerprint=policy,
        request=replace(base.request, evaluation=0.0),
    )
    refusal = decide(asked).refusal
    assert refusal is not None
    assert refusal.reason == "privacy.dp_required"
    assert "evaluation" in refusal.remedy
    noised = replace(asked, request=replace(asked.request, evaluation=0.1))
    assert decide(noised).complete
