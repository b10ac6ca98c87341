"""What a domain has pinned for itself: node.yml, principals.yml, permissions.yml."""

from collections.abc import Iterator, Mapping
from typing import Any

from fl_plugin.privacy.terms import TWO_PARTIES
from tests.golden.decision_facts import KEY, LEFT_OUT, OTHER, PINNED, SHA, SIGNED
from tests.golden.decision_rows.grant_rows import FIRST, SECOND
from tests.golden.decision_rows.permission_rows import GIVEN
from tests.golden.decision_rows.spec import UNREADABLE, YES, Row, rows

COE, PERSON, DOMAIN = (
    "principals/consumers/ml_coe",
    f"principals/people/{FIRST}",
    "principals/domains/consumer_banking",
)
NAN = float("nan")
SIGNED_GRANT = {
    "node/require_signatures": ["grants"],
    "grant/decision/signatures": {FIRST: SIGNED, SECOND: SIGNED},
}
OWN_LIST = {"node/principals": LEFT_OUT}
# One of the three tags that the product carries.
TAG: Mapping[str, Any] = {
    "name": "the_region",
    "given_by": {"role": "mesh_owner"},
    "to": {"domain": "consumer_banking"},
    "verbs": ["associate"],
    "resource": {"tag": {"region": ["eu"]}},
}


def node_rows() -> Iterator[Row]:
    """Yield the rows of node.yml."""
    yield from rows(
        "node/domain",
        {
            YES: ["consumer_banking"],
            "product.missing": ["auto_finance"],
            UNREADABLE: [LEFT_OUT, None, "", "../x", 3],
        },
    )
    yield from rows(
        "node/database",
        {
            YES: ["data/other.duckdb"],
            UNREADABLE: [LEFT_OUT, None, "", "../x.duckdb", "/x.duckdb", "x.sqlite"],
        },
    )
    yield from rows(
        "node/principals",
        {
            YES: [PINNED],
            "consumer.list_changed": [SHA],
            "consumer.unknown": [LEFT_OUT, None],
            UNREADABLE: ["", "sha256:1", 3, OTHER],
        },
    )
    attributes = {"org_unit": ["ml_coe"]}
    yield from rows(
        "node/consumers",
        {
            YES: [{"ml_coe": attributes}],
            "consumer.unknown": [LEFT_OUT, {}, {"other": attributes}],
            "access.not_allowed": [{"ml_coe": {}}, {"ml_coe": {"org_unit": ["x"]}}],
            UNREADABLE: [None, ["ml_coe"], {"ml_coe": {"org_unit": "ml_coe"}}],
        },
        OWN_LIST,
    )
    # One list or the other, never both.
    yield from rows("node/consumers", {UNREADABLE: [{"ml_coe": attributes}]})
    yield from _algorithm_rows()
    yield from rows(
        "node/secure_aggregation",
        {YES: ["required", "optional", LEFT_OUT], UNREADABLE: ["never", False, None]},
    )
    yield from rows(
        "node/secure_aggregation",
        {YES: ["optional"], "privacy.masks_required": ["required", LEFT_OUT]},
        {"request/secure_aggregation": False},
    )
    yield from rows(
        "node/require_signatures",
        {
            YES: [LEFT_OUT, []],
            "grant.unsigned": [["grants"]],
            "contract.unsigned": [["contracts"], ["grants", "contracts"]],
            UNREADABLE: [True, "grants", ["heads"], None],
        },
    )
    yield from rows("node/misspelt", {UNREADABLE: [1]})
    yield from _sum_rows()
    yield from rows("node/query", {YES: [LEFT_OUT, {}], UNREADABLE: [None, 3]})
    yield from rows(
        "node/query/max_rows",
        {YES: [1, 1000, LEFT_OUT], UNREADABLE: [0, -1, 1001, 1.5, "10", None]},
    )
    yield from rows(
        "node/query/seconds",
        {YES: [0.1, 10, LEFT_OUT], UNREADABLE: [0, -1, 10.1, "1", None]},
    )
    yield from _matching_rows()
    # Looked at when somebody connects, before there is a request.
    yield from rows(
        "node/callers",
        {
            YES: [LEFT_OUT, {}, {"ml_coe": ["scientist"]}, {"other": []}],
            UNREADABLE: [None, ["ml_coe"], {"ml_coe": "scientist"}, {"ml_coe": [3]}],
        },
    )


def _matching_rows() -> Iterator[Row]:
    """Yield the limits of matching; the matching itself holds others to them."""
    yield from rows(
        "node/matching",
        {YES: [LEFT_OUT, {}], UNREADABLE: [None, 3, {"per_week": 1}]},
    )
    yield from rows(
        "node/matching/largest_list",
        {YES: [1, 2**26, LEFT_OUT], UNREADABLE: [0, -1, 2**26 + 1, 1.5, "10", None]},
    )
    yield from rows(
        "node/matching/largest_ratio",
        {
            YES: [1, 10.5, 1_000_000, LEFT_OUT],
            UNREADABLE: [0.5, 0, -1, 1_000_001, NAN, "10", None],
        },
    )
    yield from rows(
        "node/matching/per_day",
        {YES: [0, 10_000, LEFT_OUT], UNREADABLE: [-1, 10_001, 1.5, "10", None]},
    )


def _algorithm_rows() -> Iterator[Row]:
    algorithm = "node/algorithms/logistic_regression"
    yield from rows(
        "node/algorithms",
        {
            "algorithm.not_allowed": [LEFT_OUT, {}, {"other": {"l2": [0, 9]}}],
            "parameter.out_of_range": [{"logistic_regression": {}}],
            UNREADABLE: [None, ["logistic_regression"], {"logistic_regression": 1}],
        },
    )
    yield from rows(
        f"{algorithm}/l2",
        {
            YES: [[1, 1], [0, 1e6]],
            "parameter.out_of_range": [LEFT_OUT, [2, 3], [0, 0.99], [1.01, 2]],
            UNREADABLE: [[2, 1], [1], 1, None, [0, 1, 2], [], ["a", 1], "any"],
        },
    )
    yield from rows(f"{algorithm}/l2", {"parameter.out_of_range": [["0", "2"], [True]]})
    yield from rows(
        "node/algorithms",
        {
            YES: [{"logistic_regression": "any"}],
            "algorithm.not_allowed": [{"other": "any"}, {"logistic": "any"}],
            UNREADABLE: ["any", {"logistic_regression": "all"}, {"any": ["l2"]}],
        },
    )
    yield from _any_rows()


def _any_rows() -> Iterator[Row]:
    """Yield what "any" and lists of words cover."""
    yield from rows(
        "request/parameters",
        {
            YES: [{}, {"l2": 1e9}, {"solver": "newton"}, {"warm": True, "l2": [1, 2]}],
            "parameter.out_of_range": [
                {"l2": NAN},
                {"l2": None},
                {"l2": [1, None]},
                {"l2": []},
                {"l2": [[1]]},
                {"l2": {"low": 1}},
            ],
        },
        {"node/algorithms": {"logistic_regression": "any"}},
    )
    yield from rows(
        "request/parameters",
        {
            YES: [{"solver": "newton"}, {"solver": ["newton", "lbfgs"], "warm": False}],
            "parameter.out_of_range": [
                {"solver": "sgd"},
                {"solver": ["newton", "sgd"]},
                {"solver": "Newton"},
                {"solver": 1},
                {"solver": True},
                {"warm": True},
                {"warm": 0},
                {"warm": "False"},
            ],
        },
        {
            "node/algorithms": {
                "logistic_regression": {"solver": ["lbfgs", "newton"], "warm": [False]}
            }
        },
    )


def _sum_rows() -> Iterator[Row]:
    """Yield how sums may be made: over whom, and how exact."""
    yield from rows(
        "node/exact_quantiles",
        {YES: [True, False, LEFT_OUT], UNREADABLE: [None, "yes", 1]},
    )
    yield from rows(
        "node/two_parties",
        {
            YES: [TWO_PARTIES, "", LEFT_OUT],
            UNREADABLE: [None, True, "yes", TWO_PARTIES.upper(), TWO_PARTIES + " "],
        },
    )
    yield from rows(
        "node/two_parties",
        {YES: [TWO_PARTIES], "privacy.too_few_parties": ["", LEFT_OUT]},
        {"request/parties": 2},
    )
    yield from rows(
        "node/memory",
        {
            YES: ["128MB", "2GB", LEFT_OUT],
            UNREADABLE: ["127MB", "2", "2 GB", "-1GB", "lots", 2, None, True],
        },
    )
    yield from rows(
        "node/colluding",
        {YES: [0, 1, 1_000, LEFT_OUT], UNREADABLE: [-1, 1_001, 1.5, "1", None, True]},
    )


def principals_rows() -> Iterator[Row]:
    """Yield the rows of principals.yml, each pinned as it then is."""
    yield from rows("principals/misspelt", {UNREADABLE: [1]})
    yield from rows(
        "principals/roles",
        {
            YES: [{"steward": [], "data_scientist": []}],
            UNREADABLE: [LEFT_OUT, {}, None, {"steward": ["fly"]}, ["steward"]],
        },
    )
    yield from rows(
        "principals/consumers",
        {
            "consumer.unknown": [LEFT_OUT, {}, {"other": {}}],
            "access.not_allowed": [{"ml_coe": {}}],
            UNREADABLE: [None, ["ml_coe"], {"ml_coe": 1}, {"A": {}}],
        },
    )
    yield from rows(
        f"{COE}/attributes",
        {
            YES: [{"org_unit": ["ml_coe"]}, {"org_unit": ["x", "ml_coe"]}],
            "access.not_allowed": [LEFT_OUT, {}, {"org_unit": ["x"]}],
            "access.denied": [{"org_unit": ["ml_coe", "marketing"]}],
            UNREADABLE: [None, {"org_unit": []}, {"org_unit": "ml_coe"}, ["x"]],
        },
    )
    yield from rows(
        f"{COE}/roles",
        {YES: [["crawler"], [], LEFT_OUT], UNREADABLE: [["nobody"], "crawler", None]},
    )
    # A role says what may be held at most; a permission has to be given as well.
    yield from rows(
        f"{COE}/roles",
        {YES: [["data_scientist"]], "permission.role": [["crawler"], [], LEFT_OUT]},
        {"permissions": {"permissions": [dict(GIVEN)]}},
    )
    yield from rows(
        "principals/roles/data_scientist",
        {YES: [["select"], ["super"]], "permission.role": [["describe"], []]},
        {"permissions": {"permissions": [dict(GIVEN)]}},
    )
    yield from rows(
        f"{COE}/contact",
        {YES: ["x@bank.example", LEFT_OUT, None], UNREADABLE: ["scientist", 3, ""]},
    )
    yield from _people_rows()
    yield from rows(
        "principals/tag_permissions",
        {YES: [[TAG]], "tag.not_associated": [[], [dict(TAG) | {"effect": "deny"}]]},
        {"contract/tags": {"region": "eu"}},
    )
    yield from rows(
        "principals/tag_permissions",
        {
            YES: [LEFT_OUT, None],
            "tag.not_associated": [[], [TAG]],
            UNREADABLE: ["any", [dict(GIVEN)], [{}]],
        },
    )


def _people_rows() -> Iterator[Row]:
    yield from rows(
        "principals/people",
        {YES: [LEFT_OUT, {}], UNREADABLE: [None, ["steward"], {"steward": {}}]},
    )
    yield from rows(
        "principals/people", {"grant.unsigned": [LEFT_OUT, {}]}, SIGNED_GRANT
    )
    yield from rows(
        f"{PERSON}/roles", {YES: [[], LEFT_OUT], UNREADABLE: [["nobody"], None]}
    )
    yield from rows(
        f"{PERSON}/domain",
        {YES: ["auto_finance", LEFT_OUT, None], UNREADABLE: ["", "../x", 3]},
    )
    yield from rows(
        f"{PERSON}/key",
        {
            YES: [KEY],
            "grant.unsigned": [LEFT_OUT, None, "ed25519:" + "A" * 43 + "="],
            UNREADABLE: ["", "ed25519:1", 3],
        },
        SIGNED_GRANT,
    )
    yield from rows(
        "principals/domains", {YES: [LEFT_OUT, {}], UNREADABLE: [None, {"a": {}}]}
    )
    yield from rows(f"{DOMAIN}/key", {YES: [KEY], UNREADABLE: [LEFT_OUT, None, "x"]})
    yield from rows(
        "facts/contract_signed",
        {YES: [True], "contract.unsigned": [False, None]},
        {"node/require_signatures": ["contracts"]},
    )
