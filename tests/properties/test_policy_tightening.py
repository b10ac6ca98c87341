"""Laws of the decision, whatever the contract and whatever is asked."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fl_plugin.policy.decision import decide
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.types import Facts

USES = ("aggregate", "train_horizontal", "train_vertical", "evaluate", "predict")
PURPOSES = ("credit_risk", "fraud_detection")
COLUMNS = ("customer_id", "amount", "age", "opt_out", "is_bad")
ROLES = ("feature", "label", "join_key", "shared_label")
UNITS = ("ml_coe", "marketing")
CLASSES = ("public", "internal", "confidential", "restricted")


Strategy = st.SearchStrategy[Any]
Block = dict[str, Any]


def some(words: Sequence[str]) -> Strategy:
    return st.lists(st.sampled_from(words), min_size=1, unique=True)


consumer = st.fixed_dictionaries({"org_unit": some(UNITS)})
allow_rules = st.fixed_dictionaries(
    {"consumer": consumer, "purposes": some(PURPOSES), "uses": some(USES)}
)
selectors = st.one_of(
    some(("quasi", "identifier")).map(lambda words: {"pii": words}),
    some(CLASSES).map(lambda words: {"classification": words}),
    some(("feature", "label")).map(lambda words: {"roles": words}),
    some(COLUMNS).map(lambda words: {"names": words}),
)
WIDE = {"consumer": {"org_unit": ["ml_coe"]}, "purposes": PURPOSES, "uses": USES}
deny_rules = st.one_of(
    consumer.map(lambda c: {"consumer": c}),
    some(PURPOSES).map(lambda p: {"purposes": p}),
    some(USES).map(lambda u: {"uses": u}),
    selectors.map(lambda s: {"columns": s}),
    st.builds(lambda c, s: {"consumer": c, "columns": s}, consumer, selectors),
)
contracts = st.fixed_dictionaries(
    {
        "purposes": st.just(list(PURPOSES)),
        "uses": st.just(list(USES)),
        # One wide rule in most contracts, and seldom a denial: both answers must occur.
        "allow": st.builds(
            lambda rules, wide: rules + ([WIDE] if wide else []),
            st.lists(allow_rules, max_size=2),
            st.sampled_from((True, True, True, False)),
        ),
        "deny": st.sampled_from((0, 0, 0, 1)).flatmap(
            lambda n: st.lists(deny_rules, min_size=n, max_size=n)
        ),
        "min_cohort": st.one_of(st.none(), st.integers(1, 60)),
        "quality": st.fixed_dictionaries(
            {"completeness": st.floats(0, 0.99), "validity": st.floats(0, 0.99)}
        ),
        "freshness_hours": st.one_of(st.none(), st.floats(1, 100)),
        "approval": st.builds(
            lambda a, b, d: {
                "approvers": min(a, b),
                "restricted_approvers": max(a, b),
                "max_days": d,
            },
            st.integers(1, 2),
            st.sampled_from((1, 2, 2, 3)),
            st.sampled_from((60, 90, 180, 365)),
        ),
    }
)
CHANGED = ("purpose", "uses", "columns", "parties", "parameters")
CHANGES = st.fixed_dictionaries(
    {
        "purpose": st.sampled_from(PURPOSES),
        "uses": some(USES).map(tuple),
        "columns": st.one_of(
            st.just({"amount": "feature", "is_bad": "label"}),
            st.dictionaries(
                st.sampled_from(COLUMNS), st.sampled_from(ROLES), max_size=3
            ),
        ),
        "parties": st.integers(2, 4),
        "parameters": st.dictionaries(
            st.sampled_from(("l2", "max_rounds")), st.floats(0, 200)
        ),
    },
)
# One or two things at a time differ from the request that every rule allows.
requests = st.builds(
    lambda changes, words: {w: changes[w] for w in words},
    CHANGES,
    st.lists(st.sampled_from(CHANGED), max_size=2),
)
rows = st.one_of(st.none(), st.integers(0, 300))
wide_grant = {"uses": USES, "columns": COLUMNS}
LAW = settings(max_examples=300)


@given(contract=contracts, request=requests, rows=rows, data=st.data())
@LAW
def test_tightening_a_contract_never_turns_a_no_into_a_yes(
    facts_with, contract, request, rows, data
):
    tighter = data.draw(tightened(contract))
    parts = {"request": request, "grant": wide_grant, "rows": rows}
    before = decide(facts_with(product={"contract": contract}, **parts))
    after = decide(facts_with(product={"contract": tighter}, **parts))
    assert before.allowed or not after.allowed


@st.composite
def tightened(draw: st.DrawFn, contract: Block) -> Block:
    """Make one thing of a contract stricter; the grant is confirmed again."""
    word = draw(st.sampled_from(sorted(TIGHTEN)))
    stricter: Block = draw(TIGHTEN[word](contract))
    return contract | stricter


def _fewer_uses(contract: Block) -> Strategy:
    return some(contract["uses"]).map(
        lambda kept: {
            "uses": kept,
            "allow": [
                rule | {"uses": left}
                for rule in contract["allow"]
                if (left := [u for u in rule["uses"] if u in kept])
            ],
        }
    )


def _fewer_purposes(contract: Block) -> Strategy:
    return some(contract["purposes"]).map(
        lambda kept: {
            "purposes": kept,
            "allow": [
                rule | {"purposes": left}
                for rule in contract["allow"]
                if (left := [p for p in rule["purposes"] if p in kept])
            ],
        }
    )


TIGHTEN: dict[str, Callable[[Block], Strategy]] = {
    "uses": _fewer_uses,
    "purposes": _fewer_purposes,
    "allow": lambda c: st.just({"allow": c["allow"][1:]}),
    "deny": lambda c: deny_rules.map(lambda r: {"deny": [*c["deny"], r]}),
    "min_cohort": lambda c: st.integers(1, 30).map(
        lambda more: {"min_cohort": max(c["min_cohort"] or 0, 10) + more}
    ),
    "freshness": lambda c: st.just(
        {"freshness_hours": (c["freshness_hours"] or 1) / 2}
    ),
    "quality": lambda c: st.floats(0, 1).map(
        lambda up: {
            "quality": {k: max(v, up) for k, v in c["quality"].items()}
            | {"uniqueness": 1.0}
        }
    ),
    "approvers": lambda c: st.just(
        {
            "approval": c["approval"]
            | {
                "approvers": c["approval"]["restricted_approvers"],
                "max_days": c["approval"]["max_days"] // 2,
            }
        }
    ),
    "dp": lambda _: st.just(
        {
            "dp": {
                "required_for": list(PURPOSES),
                "epsilon": 1.0,
                "delta": 1e-5,
                "period_days": 30,
            }
        }
    ),
    "status": lambda _: st.just({"status": "retired"}),
    "classification": lambda _: st.just({"classification": "restricted"}),
    "filter": lambda _: st.just({"row_filter": "opt_out is null"}),
}


# Not the key: its uses are already narrower than some of these changes.
@given(request=requests, rows=rows, name=st.sampled_from(COLUMNS[1:]), data=st.data())
@LAW
def test_tightening_a_column_never_turns_a_no_into_a_yes(
    facts_with, request, rows, name, data
):
    change = data.draw(
        st.sampled_from(
            [
                {"classification": "restricted"},
                {"uses": []},
                {"uses": ["evaluate"]},
                {"roles": [], "label_sharing": None},
                {"pii": "quasi"},
            ]
        )
    )
    parts = {"request": request, "grant": wide_grant, "rows": rows}
    before = decide(facts_with(**parts))
    after = decide(facts_with(product={"columns": {name: change}}, **parts))
    assert before.allowed or not after.allowed


@given(request=requests, rows=rows)
@LAW
def test_taking_away_what_permits_refuses(facts_with, request, rows):
    parts = {"request": request, "grant": wide_grant, "rows": rows}
    facts = facts_with(**parts)
    product, asked = facts.product, facts.request
    contract = product.contract

    def with_contract(**words: Any) -> Facts:
        changed = replace(product, contract=contract.model_copy(update=words))
        # The stewards confirm the grant, so that only the word itself is missing.
        new = policy_fingerprint(changed)
        grants = tuple(replace(g, policy=new) for g in facts.grants)
        made: Facts = replace(
            facts, product=changed, grants=grants, policy_fingerprint=new
        )
        return made

    without_use = tuple(u for u in contract.uses if u not in asked.uses)
    without_purpose = tuple(p for p in contract.purposes if p != asked.purpose)
    for poorer in (
        replace(facts, grants=()),
        replace(facts, caller=""),
        replace(facts, node=replace(facts.node, consumers={})),
        replace(facts, node=replace(facts.node, algorithms={})),
        with_contract(allow=()),
        with_contract(uses=without_use),
        with_contract(purposes=without_purpose),
        replace(facts, product=None),
        replace(facts, table=None),
        replace(facts, filter_columns=None),
    ):
        assert not decide(poorer).allowed


@given(request=requests, days=st.integers(-400, 400))
@LAW
def test_time_that_passes_never_turns_a_no_into_a_yes_for_a_decided_grant(
    facts_with, request, days
):
    """Only a grant dated in the future may begin; this one was decided before."""
    facts = facts_with(request=request)
    later = facts.now + timedelta(days=abs(days))
    before = decide(facts)
    after = decide(replace(facts, now=later))
    assert before.allowed or not after.allowed


@given(rows=st.integers(0, 200), floor=st.integers(1, 100), mesh=st.integers(1, 100))
@LAW
def test_rows_are_enough_exactly_from_the_stricter_floor_on(
    facts_with, rows, floor, mesh
):
    facts = facts_with(
        product={"contract": {"min_cohort": floor}}, rows=rows, mesh_min_cohort=mesh
    )
    assert decide(facts).allowed is (rows >= max(floor, mesh))


@given(st.data())
@LAW
def test_any_single_edit_of_an_approved_policy_stops_the_grant(facts_with, data):
    """Threat 9: whoever edits the contract has not got the approval for it."""
    contract = facts_with().product.contract.model_dump(mode="json")
    edits = {
        "purposes": [*contract["purposes"], "marketing"],
        "uses": [*contract["uses"], "predict"],
        "allow": contract["allow"] * 2,
        "deny": [],
        "row_filter": None,
        "min_cohort": data.draw(st.integers(1, 1000).filter(lambda n: n != 25)),
        "freshness_hours": data.draw(st.floats(25, 1e6)),
        "retention_days": data.draw(st.integers(731, 10_000)),
        "dp": contract["dp"] | {"epsilon": data.draw(st.floats(4.5, 100))},
        "quality": None,
        "tags": {},
        "approval": {"approvers": 1, "restricted_approvers": 1},
    }
    word = data.draw(st.sampled_from(sorted(edits)))
    facts = facts_with(product={"contract": {word: edits[word]}})
    approved = facts_with().policy_fingerprint
    old = tuple(replace(g, policy=approved) for g in facts.grants)
    refusal = decide(replace(facts, grants=old)).refusal
    assert refusal is not None
    assert refusal.reason in {"grant.policy_changed", "access.not_allowed"}
