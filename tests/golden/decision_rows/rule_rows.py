"""Who may ask for what (allow) and who never may (deny), and the mesh's own words."""

from collections.abc import Iterator

from tests.golden.decision_facts import BASE, LEFT_OUT
from tests.golden.decision_rows.contract_rows import COE, NO, NO_NAMES, RULE
from tests.golden.decision_rows.spec import UNREADABLE, YES, Row, rows

DENIED = "access.denied"


def rule_rows() -> Iterator[Row]:
    """Yield the rows of allow and deny."""
    yield from rows(
        "contract/allow",
        {
            YES: [[RULE], [RULE | {"consumer": {"org_unit": ["marketing"]}}, RULE]],
            # Two rules are never added up.
            NO: [
                LEFT_OUT,
                [],
                [RULE | {"uses": ["evaluate"]}, RULE | {"uses": ["train_horizontal"]}],
            ],
            UNREADABLE: [RULE, None, [{}], [RULE | {"columns": ["age"]}]],
        },
    )
    yield from rows(
        "contract/allow/consumer",
        {
            YES: [COE, {"org_unit": ["marketing", "ml_coe"]}],
            NO: [
                {"org_unit": ["marketing"]},
                {"country": ["de"]},
                COE | {"country": ["de"]},
                {"org_unit": ["ml_co", "ml_coe2"]},
            ],
            UNREADABLE: [LEFT_OUT, {}, {"org_unit": []}, {"org_unit": "ml_coe"}, None],
        },
    )
    yield from rows(
        "contract/allow/consumer",
        {YES: [COE | {"country": ["de"]}], NO: [COE | {"country": ["fr"]}]},
        {
            "principals/consumers/ml_coe/attributes": {
                "org_unit": ["ml_coe"],
                "country": ["de", "at"],
            }
        },
    )
    yield from rows(
        "contract/allow/purposes",
        {
            YES: [["credit_risk", "fraud_detection"]],
            NO: [["fraud_detection"]],
            UNREADABLE: [["spam"], *NO_NAMES],
        },
    )
    yield from rows(
        "contract/allow/uses",
        {
            YES: [["train_horizontal", "evaluate"]],
            NO: [["train_horizontal"], ["evaluate"], ["aggregate"]],
            UNREADABLE: [["predict"], ["sell"], *NO_NAMES],
        },
    )
    yield from _deny_rows()


def _deny_rows() -> Iterator[Row]:
    yield from rows(
        "contract/deny",
        {YES: [[], LEFT_OUT], UNREADABLE: [[{}], {}, None, "nobody", [{"who": 1}]]},
    )
    whole = {
        "consumer": COE,
        "purposes": ["credit_risk"],
        "uses": ["evaluate"],
        "columns": {"names": ["amount"]},
    }
    yield from rows("contract/deny", {DENIED: [[whole]]})
    other = {
        "consumer": {"org_unit": ["marketing"]},
        "purposes": ["fraud_detection"],
        "uses": ["train_vertical"],
        "columns": {"names": ["customer_id"]},
    }
    for word, value in other.items():
        one = {"contract/deny": [whole]}
        yield from rows(f"contract/deny/{word}", {YES: [value]}, one)
        yield from rows(f"contract/deny/{word}", {DENIED: [LEFT_OUT]}, one)
        yield from rows(
            f"contract/deny/{word}",
            {DENIED: [whole[word]], YES: [value], UNREADABLE: [3, "x", LEFT_OUT]},
            {"contract/deny": [{}]},
        )
    yield from rows(
        "contract/deny/consumer",
        {
            DENIED: [{"org_unit": ["marketing", "ml_coe"]}],
            YES: [COE | {"country": ["de"]}, {"country": ["de"]}],
            UNREADABLE: [{"org_unit": []}],
        },
        {"contract/deny": [{}]},
    )
    yield from rows(
        "contract/deny/purposes", {UNREADABLE: [["spam"]]}, {"contract/deny": [{}]}
    )
    yield from rows(
        "contract/deny/uses", {UNREADABLE: [["sell"]]}, {"contract/deny": [{}]}
    )
    yield from _selector_rows()


def _selector_rows() -> Iterator[Row]:
    lines = {
        "pii": (["quasi"], ["identifier"], ["colour"]),
        "roles": (["label"], ["join_key"], ["colour"]),
        "names": (["amount"], ["customer_id", "nothing_here"], ["a b"]),
    }
    for word, (hit, miss, unknown) in lines.items():
        yield from rows(
            f"contract/deny/columns/{word}",
            {
                DENIED: [hit, [*miss, *hit]],
                YES: [miss],
                UNREADABLE: [unknown, [], LEFT_OUT, 3, hit[0]],
            },
            {"contract/deny": [{"columns": {}}]},
        )
        # Any line may match.
        yield from rows(
            f"contract/deny/columns/{word}",
            {DENIED: [hit], YES: [miss]},
            {"contract/deny": [{"columns": {"names": ["opt_out"]}}]},
        )
    # A class stands for the more guarded ones too: the label is restricted.
    yield from rows(
        "contract/deny/columns/classification",
        {
            DENIED: [["restricted"], ["confidential"], ["internal"], ["public"]],
            UNREADABLE: [["secret"], [], LEFT_OUT, 3, "restricted"],
        },
        {"contract/deny": [{"columns": {}}]},
    )
    yield from rows(
        "contract/deny/columns/classification",
        {DENIED: [["confidential"], ["public"]], YES: [["restricted"]]},
        {
            "contract/deny": [{"columns": {}}],
            "columns/is_bad/mesh/classification": "confidential",
        },
    )


def vocabulary_rows() -> Iterator[Row]:
    """Yield the rows of the mesh's words and floors."""
    unknown = {
        "purposes": ["fraud_detection"],
        "uses": ["train_horizontal", "evaluate"],
        "classifications": ["confidential"],
        "pii": ["quasi"],
        "roles": ["feature"],
    }
    for word, few in unknown.items():
        whole = list(BASE["vocabulary"][word])
        yield from rows(
            f"vocabulary/{word}",
            {
                YES: [whole, [*whole, "other"]]
                if word != "classifications"
                else [whole],
                UNREADABLE: [few, LEFT_OUT, [], None, whole[0]],
            },
        )
    yield from rows(
        "vocabulary/tags",
        {UNREADABLE: [LEFT_OUT, {}, {"region": ["eu"]}, {"region": []}]},
    )
    yield from rows("vocabulary/tags", {YES: [LEFT_OUT, {}]}, {"contract/tags": {}})
    yield from rows("vocabulary/floors", {UNREADABLE: [LEFT_OUT, {}, None, 10]})
    yield from rows(
        "vocabulary/floors/min_cohort",
        {YES: [25, 1], UNREADABLE: [26, LEFT_OUT, 0, -1, "10", 1.5]},
    )
