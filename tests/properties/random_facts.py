"""Random contracts, and requests for them: mostly allowed, seldom wrong in one thing.

Every number stands on a grid, so that Cedar's whole numbers are exact.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from fl_plugin.manifest.types import Grant, Product
from fl_plugin.policy.approval import approval_statement
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.principals import Principals
from fl_plugin.policy.types import Facts, Measured, Node, Request
from tests.golden.decision_facts import key_of

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SUMS = ("train_horizontal", "evaluate")
MATCHED = ("train_vertical", "evaluate")
HASHED = (*MATCHED, "match_by_hash")
USES = ("aggregate", "train_horizontal", *HASHED, "predict")
PURPOSES = ("credit_risk", "fraud_detection")
TYPES = ("VARCHAR", "DECIMAL(12,2)", "INTEGER", "BOOLEAN", "BOOLEAN")
COLUMNS = ("customer_id", "amount", "age", "opt_out", "is_bad")
TABLE = dict(zip(COLUMNS, TYPES, strict=True))
STEWARDS = ("steward.consumer@bank.example", "risk.consumer@bank.example")
PEOPLE = (*STEWARDS, "Risk.Consumer@bank.example", "ml-coe@bank.example")
CLASSES = ("public", "internal", "confidential", "restricted")
ROLES = ("feature", "label", "join_key", "shared_label")
ATTRIBUTES = {"org_unit": ("ml_coe", "marketing"), "country": ("de", "at")}
Block = dict[str, Any]


class Dice(Random):
    """Choices by name; `mostly` is right in nearly every case."""

    def mostly(self, usual: Any, others: Sequence[Any], share: float = 0.985) -> Any:
        """Return the usual value, or seldom one of the others."""
        return usual if self.random() < share else self.choice(others)

    def some(self, words: Sequence[Any], share: float = 0.5) -> list[Any]:
        """Return at least one word, in order."""
        found = [word for word in words if self.random() < share]
        return found or [self.choice(words)]

    def perhaps(self, block: Block, word: str, value: Any, share: float) -> None:
        """Set a word, or leave it out."""
        if self.random() < share:
            block[word] = value


def random_contract(dice: Dice) -> Block:
    """Return the words of a contract, as `make_product` takes them."""
    purposes = dice.mostly(list(PURPOSES), [[p] for p in PURPOSES])
    uses = dice.mostly(list(USES), [dice.some(USES)])
    block: Block = {
        "purposes": purposes,
        "uses": uses,
        "status": dice.mostly("active", ["draft", "retired"], 0.99),
        "classification": dice.mostly("confidential", CLASSES),
        "allow": _allow(dice, purposes, uses),
        "deny": [_deny(dice)] if dice.random() < 0.08 else [],
        "approval": {
            "approvers": (fewest := dice.choice((1, 1, 1, 2))),
            "restricted_approvers": max(fewest, dice.choice((1, *[2] * 18, 3))),
            "max_days": dice.choice((59, *[60] * 4, *[90] * 4, 365)),
        },
        "quality": _quality(dice),
        # What make_product has a default for is taken away by None.
        "dp": None,
        "min_cohort": None,
        "freshness_hours": None,
    }
    dice.perhaps(block, "min_cohort", dice.choice((10, 25, 25, 100, 400)), 0.7)
    dice.perhaps(block, "freshness_hours", dice.choice((1, 3, 24, 24, 48)), 0.7)
    if dice.random() < 0.6:
        block["dp"] = {
            "epsilon": dice.choice((1.0, 2.0, 4.0)),
            "delta": 1e-5,
            "period_days": 365,
            "required_for": dice.mostly([], [[p] for p in (*PURPOSES, *USES)]),
        }
    return block


def _allow(dice: Dice, purposes: list[str], uses: list[str]) -> list[Block]:
    wide = {"consumer": {"org_unit": ["ml_coe"]}, "purposes": purposes, "uses": uses}
    narrow = [
        {
            "consumer": _consumer(dice),
            "purposes": dice.some(purposes),
            "uses": dice.some(uses),
        }
        for _ in range(dice.choice((0, 1, 2)))
    ]
    return narrow + ([wide] if dice.random() < 0.95 else [])


def _consumer(dice: Dice) -> Block:
    keys = dice.some(tuple(ATTRIBUTES))
    return {key: dice.some(ATTRIBUTES[key]) for key in keys}


def _deny(dice: Dice) -> Block:
    rule: Block = {}
    dice.perhaps(rule, "consumer", _consumer(dice), 0.5)
    dice.perhaps(rule, "purposes", dice.some(PURPOSES), 0.4)
    dice.perhaps(rule, "uses", dice.some(USES, 0.3), 0.4)
    if not rule or dice.random() < 0.5:
        lines: Block = {
            "pii": dice.some(("quasi", "identifier")),
            "classification": dice.some(CLASSES, 0.3),
            "roles": dice.some(("feature", "label", "join_key"), 0.3),
            "names": dice.some(COLUMNS, 0.3),
        }
        kept = dice.some(tuple(lines), 0.3)
        rule["columns"] = {word: lines[word] for word in kept}
    return rule


def _quality(dice: Dice) -> Block:
    block: Block = {"on_breach": dice.mostly("stop", ["warn"])}
    for word in ("completeness", "validity", "uniqueness"):
        dice.perhaps(block, word, dice.choice((0.9, 0.95, 0.98, 1.0)), 0.6)
    dice.perhaps(block, "drift_psi", dice.choice((0.1, 0.2)), 0.5)
    return block


def random_columns(dice: Dice) -> dict[str, Block]:
    """Return what differs in the blocks of columns."""
    found: dict[str, Block] = {}
    for name in COLUMNS:
        block: Block = {}
        dice.perhaps(block, "classification", dice.choice(CLASSES), 0.15)
        dice.perhaps(block, "uses", dice.some(USES, 0.7), 0.04)
        dice.perhaps(block, "pii", dice.choice(("quasi", "identifier")), 0.1)
        if name in {"amount", "age"}:
            dice.perhaps(block, "roles", dice.some(("feature", "join_key")), 0.03)
            dice.perhaps(block, "mask", "null", 0.01)
        if name == "is_bad":
            dice.perhaps(block, "label_sharing", "shared", 0.3)
        found[name] = block
    return found


def random_product(dice: Dice, make: Callable[..., Product]) -> Product | None:
    """Return a product; seldom none at all."""
    if dice.random() < 0.01:
        return None
    fields: Block = {}
    wrong = {
        "access": dice.choice(("private", "protected")),
        "contract_enforced": False,
        "deprecation_date": NOW.date() + timedelta(days=dice.choice((-9, 0, 1, 90))),
        "domain": "auto_finance",
        "version": dice.choice((None, 2)),
    }
    for word, value in wrong.items():
        dice.perhaps(fields, word, value, 0.005)
    return make(random_contract(dice), random_columns(dice), **fields)


def random_node(dice: Dice) -> Node:
    """Return a node's settings, with keys of its own stewards."""
    keys = {a: {"key": key_of(a).public} for a in STEWARDS}
    return Node(
        domain="consumer_banking",
        database="data/consumer_banking.duckdb",
        consumers={
            "ml_coe": dice.mostly(
                {"org_unit": ("ml_coe",), "country": ("de",)},
                [{"org_unit": ("marketing", "ml_coe")}, {"country": ("at",)}, {}],
            ),
            "marketing_analytics": {"org_unit": ("marketing",)},
        },
        algorithms=dice.mostly(
            {"logistic_regression": {"l2": (0.1, 10.0), "max_rounds": (1, 100)}},
            [{}, {"logistic_regression": {"l2": (1.0, 1.0)}}, {"other": {}}],
        ),
        secure_aggregation=dice.mostly("required", ["optional"], 0.8),
        principals=Principals.model_validate_json(json.dumps({"people": keys})),
        require_signatures=dice.mostly((), [("grants",), ("contracts",)]),
    )


def random_facts(dice: Dice, product: Product | None, node: Node) -> Facts:
    """Return a request for the product and everything that is known beside it."""
    request = _request(dice)
    fingerprint = policy_fingerprint(product) if product else ""
    count = range(dice.choice((1, 1, 1, 2, 3)))
    grants = tuple(_grant(dice, request, fingerprint, node) for _ in count)
    gone = dice.mostly(None, COLUMNS)
    table = {name: kind for name, kind in TABLE.items() if name != gone}
    return Facts(
        request=request,
        caller=dice.mostly("ml_coe", ["marketing_analytics", "", "stranger"], 0.97),
        now=NOW,
        clock_floor=dice.mostly(NOW, [None, NOW + timedelta(seconds=1)]),
        node=node,
        product=product,
        grants=dice.mostly(grants, [()], 0.98),
        policy_fingerprint=fingerprint,
        table=dice.mostly(table, [None], 0.99),
        measured=_measured(dice),
        mesh_min_cohort=dice.choice((0, 10, 10, 50)),
        filter_columns=dice.mostly(("opt_out",), [(), None, ("income",)], 0.95),
        rows=dice.mostly(495, [None, 0, 9, 10, 24, 25, 99, 100, 399]),
        cohort_distance=dice.mostly(None, [0, 1, 9, 10, 24, 25, 400]),
        epsilon_spent=dice.choice((0.0, 0.0, 0.5, 1.0, 3.0, 4.0)),
        contract_signed=dice.random() < 0.5,
    )


def _request(dice: Dice) -> Request:
    epsilon = dice.choice((0.5, 1.0, 2.0)) if dice.random() < 0.3 else None
    columns = {"amount": "feature", "age": "feature", "is_bad": "label"}
    if dice.random() < 0.15:
        names = dice.sample((*COLUMNS, "income"), dice.choice((0, 1, 2)))
        columns = {name: dice.choice(ROLES) for name in names} | {"amount": "feature"}
    if dice.random() < 0.02:
        columns = {}
    match, usual = dice.choice(_MATCHES)
    uses = dice.mostly(usual, [tuple(dice.some(USES)), (), SUMS, MATCHED], 0.97)
    return Request(
        study=dice.mostly("credit_risk", ["other", ""], 0.98),
        consumer=dice.mostly("ml_coe", ["marketing_analytics", ""], 0.98),
        actor="somebody",
        purpose=dice.mostly("credit_risk", ["fraud_detection", "spam", ""]),
        product="consumer_banking.credit_profile",
        version=dice.mostly(1, [None, 2], 0.95),
        uses=uses,
        columns=columns,
        algorithm=dice.mostly("logistic_regression", ["other", ""], 0.98),
        parameters=dice.mostly({"l2": 1.0}, _PARAMETERS),
        secure_aggregation=dice.random() < 0.97,
        parties=dice.mostly(3, [0, 1, 2, 4]),
        epsilon=dice.mostly(epsilon, [0.0, -1.0], 0.98),
        delta=dice.mostly(1e-5, [None, 0.0, -1e-5, 1e-6, 2e-5, 1.0], 0.95),
        match=dice.mostly(match, ["", "private", "keyed_hash"], 0.98),
    )


_MATCHES: Sequence[tuple[str, tuple[str, ...]]] = (
    *[("", SUMS)] * 4,
    ("private", MATCHED),
    ("keyed_hash", HASHED),
)
_PARAMETERS: Sequence[Block] = (
    {},
    {"l2": 0.1},
    {"l2": 0.05},
    {"l2": 10},
    {"l2": 11},
    {"max_rounds": 100},
    {"l2": "1"},
    {"l2": True},
    {"l2": None},
    {"other": 1},
)


def _measured(dice: Dice) -> Measured:
    ratios = (None, 0.9, 0.94, 0.95, 0.98)
    age = timedelta(hours=dice.choice((1, 3, 4, 24, 25, 48, 49, -1)))
    return Measured(
        built_at=dice.mostly(NOW - timedelta(minutes=30), [None, NOW - age]),
        completeness=dice.mostly(1.0, ratios, 0.97),
        validity=dice.mostly(1.0, ratios, 0.97),
        uniqueness=dice.mostly(1.0, ratios, 0.97),
        drift_psi=dice.mostly(None, [0.05, 0.1, 0.15, 0.2, 0.3]),
        has_baseline=dice.random() < 0.1,
        tests_failed=dice.mostly(0, [None, 1], 0.97),
    )


def _grant(dice: Dice, request: Request, policy: str, node: Node) -> Grant:
    decided = NOW.date() - timedelta(days=dice.mostly(17, [0, -1, 60, 200]))
    usual = decided + timedelta(days=60)
    other = (NOW.date(), NOW.date() + timedelta(days=1), usual + timedelta(days=30))
    columns = dice.mostly(tuple(request.columns) or ("amount",), [("amount", "age")])
    grant = Grant(
        name=f"g_{dice.randrange(1000)}",
        domain=dice.mostly("consumer_banking", ["auto_finance"], 0.99),
        products=dice.mostly(
            ("consumer_banking.credit_profile",), [(), ("consumer_banking.x",)], 0.98
        ),
        study=dice.mostly(request.study, ["other"], 0.98),
        consumer=dice.mostly(request.consumer, ["marketing_analytics"], 0.98),
        requested_by=dice.mostly("ml-coe@bank.example", PEOPLE, 0.97),
        purpose=dice.mostly(request.purpose, PURPOSES, 0.95),
        uses=dice.mostly(USES, [tuple(dice.some(USES))]),
        columns=columns,
        epsilon=dice.mostly(request.epsilon, [None, 0.5, 1.0, 4.0]),
        status=dice.mostly("approved", ["requested", "rejected", "revoked"], 0.97),
        approved_by=dice.mostly(STEWARDS, [tuple(dice.some(PEOPLE)), ()]),
        expires=dice.mostly(usual, [*other, None]),
        policy=dice.mostly(policy, ["sha256:" + "0" * 64, None], 0.97),
        decided_at=dice.mostly(decided, [None], 0.98),
        requested_at=decided,
    )
    if "grants" in node.require_signatures and dice.random() < 0.8:
        signed = {
            a: approval_statement(grant, a).signed_by(key_of(a))
            for a in grant.approved_by
            if a in STEWARDS
        }
        return replace(grant, signatures=signed)
    return grant
