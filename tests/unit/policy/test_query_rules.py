"""What the decision says of a query, and of a column that is masked."""

import pytest

from fl_plugin.errors import ContractError
from fl_plugin.policy.column_masks import mask_fits
from fl_plugin.policy.decision import decide
from fl_plugin.policy.node import load_node
from fl_plugin.policy.types import Decision

OFFERS = {
    "contract": {
        "uses": ["train_horizontal", "evaluate", "query"],
        "allow": [
            {
                "consumer": {"org_unit": ["ml_coe"]},
                "purposes": ["credit_risk"],
                "uses": ["train_horizontal", "evaluate", "query"],
            }
        ],
    }
}
ASKS = {
    "uses": ("query",),
    "columns": {"amount": "feature", "age": "feature"},
    "algorithm": "",
    "parameters": {},
    "secure_aggregation": False,
    "parties": 1,
}
GIVEN = {"uses": ("train_horizontal", "evaluate", "query")}


def reason(decision: Decision) -> str:
    return decision.refusal.reason if decision.refusal else "allowed"


@pytest.fixture
def asked(facts_with):
    def make(product=None, grant=None, **request):
        columns = {"columns": product} if product else {}
        return decide(
            facts_with(
                product=OFFERS | columns,
                grant=GIVEN | (grant or {}),
                request=ASKS | request,
            )
        )

    return make


def test_a_granted_query_without_an_algorithm_is_allowed(asked):
    decision = asked()
    assert decision.complete
    step = next(o for o in decision.outcomes if o.step == 6)
    assert step.sentence == "A query runs no algorithm."


@pytest.mark.parametrize(
    "request_",
    [
        {"algorithm": "logistic_regression"},
        {"algorithm": "logistic_regression", "parameters": {"l2": 1.0}},
        {"parameters": {"l2": 1.0}},
        {"uses": ("query", "evaluate")},
        {"uses": ("query", "train_horizontal"), "algorithm": "logistic_regression"},
        {"uses": ("query", "query")},
        {"uses": ("evaluate",)},
        {"uses": ("train_horizontal", "evaluate")},
    ],
)
def test_no_other_request_passes_without_an_algorithm_nor_a_query_with_one(
    asked, request_
):
    decision = asked(**request_)
    assert not decision.allowed
    assert reason(decision) == "algorithm.not_allowed"


def test_a_query_that_no_grant_covers_is_refused(asked):
    decision = asked(grant={"uses": ("train_horizontal", "evaluate")})
    assert reason(decision) == "use.not_allowed"


def test_a_product_that_does_not_offer_it_is_not_queried(facts_with):
    decision = decide(facts_with(request=ASKS, grant=GIVEN))
    assert reason(decision) == "access.not_allowed"


def test_a_column_that_is_not_granted_is_not_queried(asked):
    decision = asked(columns={"amount": "feature", "opt_out": "feature"})
    assert reason(decision) == "column.role"
    decision = asked(columns={"customer_id": "join_key"})
    assert reason(decision) == "column.use"


def test_a_protected_label_is_not_queried_and_a_shared_one_is(asked):
    label = {"columns": {"is_bad": "shared_label"}}
    assert reason(asked(**label)) == "column.role"
    shared = {"is_bad": {"label_sharing": "shared"}}
    assert asked(product=shared, **label).complete


def test_fewer_rows_than_the_smallest_cohort_are_not_queried(facts_with):
    facts = facts_with(product=OFFERS, grant=GIVEN, request=ASKS, rows=24)
    assert reason(decide(facts)) == "cohort.too_small"


def test_differential_privacy_that_is_demanded_of_queries_refuses_them(facts_with):
    dp = {"required_for": ["query"], "epsilon": 1.0, "delta": 1e-5, "period_days": 9}
    product = {"contract": OFFERS["contract"] | {"dp": dp}}
    decision = decide(facts_with(product=product, grant=GIVEN, request=ASKS))
    assert reason(decision) == "privacy.dp_required"


@pytest.mark.parametrize("mask", ["null", "hash", "bucket"])
def test_a_masked_column_may_be_queried(asked, mask):
    assert asked(product={"age": {"mask": mask}}).complete


@pytest.mark.parametrize("uses", [("train_horizontal", "evaluate"), ("evaluate",)])
def test_a_masked_column_may_not_be_trained_on_nor_evaluated(facts_with, uses):
    product = {"columns": {"age": {"mask": "bucket"}}}
    decision = decide(facts_with(product=product, request={"uses": uses}))
    assert reason(decision) == "column.masked"
    assert any("masked (bucket)" in o.sentence for o in decision.outcomes)
    assert decide(facts_with(request={"uses": uses})).allowed


def test_a_mask_that_does_not_fit_its_column_refuses(asked):
    decision = asked(product={"age": {"mask": "year"}})
    assert reason(decision) == "column.mask_unfit"


@pytest.mark.parametrize(
    ("mask", "fitting", "unfit"),
    [
        ("null", ["integer", "varchar", "date", "integer[]"], []),
        ("hash", ["integer", "varchar", "date"], ["integer[]", "struct(a integer)"]),
        ("year", ["date", "timestamp", "timestamptz"], ["integer", "varchar", "time"]),
        ("bucket", ["integer", "decimal(9, 2)", "double"], ["varchar", "date"]),
        ("blur", [], ["integer", "varchar"]),
    ],
)
def test_a_mask_fits_some_types(mask, fitting, unfit):
    assert all(mask_fits(mask, kind) for kind in fitting)
    assert not any(mask_fits(mask, kind) for kind in unfit)


NODE = "domain: north\ndatabase: data/north.duckdb\n"


@pytest.mark.parametrize(
    ("line", "rows", "seconds"),
    [
        ("", 1_000, 10.0),
        ("query: {max_rows: 50}", 50, 10.0),
        ("query: {max_rows: 1, seconds: 0.5}", 1, 0.5),
    ],
)
def test_a_domain_may_tighten_what_a_query_may(tmp_path, line, rows, seconds):
    (tmp_path / "node.yml").write_text(NODE + line)
    found = load_node(tmp_path).query
    assert (found.max_rows, found.seconds) == (rows, seconds)


@pytest.mark.parametrize(
    "line",
    [
        "query: {max_rows: 1001}",
        "query: {max_rows: 0}",
        "query: {max_rows: 1.5}",
        "query: {seconds: 11}",
        "query: {seconds: 0}",
        "query: {seconds: .nan}",
        "query: {rows: 5}",
        "query: 5",
    ],
)
def test_a_domain_may_not_loosen_it(tmp_path, line):
    (tmp_path / "node.yml").write_text(NODE + line)
    with pytest.raises(ContractError, match="query"):
        load_node(tmp_path)
