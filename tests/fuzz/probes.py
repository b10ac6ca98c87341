"""Requests that a domain refuses, asked again of whatever a mutant makes of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fl_plugin.manifest.types import Grant, Manifest, Product
from fl_plugin.policy.decision import decide
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.principals import Principals
from fl_plugin.policy.types import Facts, Measured, Node, Request
from tests.golden.decision_facts import key_of

NAME = "consumer_banking.credit_profile"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STEWARDS = ("steward.consumer@bank.example", "risk.consumer@bank.example")
_REQUEST = Request(
    study="credit_risk",
    consumer="ml_coe",
    actor="ml-coe@bank.example",
    purpose="credit_risk",
    product=NAME,
    version=1,
    uses=("train_horizontal", "evaluate"),
    columns={"amount": "feature", "is_bad": "label"},
    algorithm="logistic_regression",
    parameters={"l2": 1.0},
    secure_aggregation=True,
    parties=3,
)
_ASKED: tuple[Mapping[str, Any], ...] = (
    {"study": "another"},
    {"purpose": "fraud_detection"},
    {"purpose": "marketing"},
    {"uses": ("predict",)},
    {"uses": ("query",), "algorithm": "", "parameters": {}},
    {"columns": {"customer_id": "join_key"}},
    {"columns": {"foreign_worker": "feature"}},
    {"columns": {"is_bad": "shared_label"}},
    {"columns": {"is_bad": "feature"}},
    {"columns": {"income": "feature"}},
    {"algorithm": "another"},
    {"secure_aggregation": False},
    {"parties": 2},
    {"epsilon": 1.0},
)
_KNOWN: tuple[Mapping[str, Any], ...] = (
    {"rows": 24},
    {"cohort_distance": 1},
    {"caller": "marketing_analytics"},
    {"now": NOW + timedelta(days=400)},
    {"measured": Measured()},
    {"filter_columns": None},
)


def signed_principals() -> Principals:
    """Return the stewards with keys of their own."""
    keys = {address: {"key": key_of(address).public} for address in STEWARDS}
    return Principals.model_validate({"people": keys})


def base_facts(product: Product, grants: tuple[Grant, ...]) -> Facts:
    """Return facts under which the plain request is allowed."""
    return Facts(
        request=_REQUEST,
        caller="ml_coe",
        now=NOW,
        clock_floor=None,
        node=Node(
            domain="consumer_banking",
            database="data/consumer_banking.duckdb",
            consumers={
                "ml_coe": {"org_unit": ("ml_coe",)},
                "marketing_analytics": {"org_unit": ("marketing",)},
            },
            algorithms={"logistic_regression": {"l2": (0.1, 10.0)}},
            principals=signed_principals(),
            require_signatures=("grants", "contracts"),
        ),
        product=product,
        grants=grants,
        policy_fingerprint=policy_fingerprint(product),
        table={name: column.data_type for name, column in product.columns.items()},
        measured=Measured(
            built_at=NOW,
            completeness=1.0,
            validity=1.0,
            uniqueness=1.0,
            tests_failed=0,
        ),
        mesh_min_cohort=10,
        filter_columns=("age",),
        rows=495,
        contract_signed=True,
    )


def refused(facts: Facts) -> list[Facts]:
    """Return each probe on these facts."""
    asked = [replace(facts, request=replace(facts.request, **w)) for w in _ASKED]
    return asked + [replace(facts, **words) for words in _KNOWN]


def opened_by(facts: Facts, mutant: Manifest) -> list[Facts]:
    """Return the probes that a mutant allows.

    Each is tried with the grants as they were, and with the mutant's own where the
    domain demands signatures; its contract counts as signed only while its
    fingerprint is the one that was signed.
    """
    product = mutant.products.get(NAME)
    fingerprint = policy_fingerprint(product) if product else ""
    same = fingerprint == facts.policy_fingerprint
    changed = replace(facts, product=product, policy_fingerprint=fingerprint)
    node = replace(facts.node, require_signatures=())
    unsigned = replace(changed, node=node)
    signed = replace(
        changed, grants=tuple(mutant.grants.values()), contract_signed=same
    )
    probes = [*refused(unsigned), *refused(signed)]
    if not same:  # not even what was allowed before
        probes += [unsigned, signed]
    return [probe for probe in probes if decide(probe).allowed]
