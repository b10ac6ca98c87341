"""A request that every rule says yes to, and a real mesh that dbt has built."""

import fcntl
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from fl_plugin.manifest.contract import ColumnContract, ProductContract
from fl_plugin.manifest.types import Column, Grant, Owner, Product, Relation
from fl_plugin.manifest.validation import validated
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.types import Facts, Measured, Node, Request

pytest_plugins = ["tests.figures"]
# Minutes each. The first two need no mesh of `built_mesh`, for which others would wait.
LONGEST = (
    "faults/test_flower.py",
    "end_to_end/test_start.py",
    "end_to_end/test_tutorial.py",
)

# A loaded machine is not a fault, and the same cases come every time. Fresh ones:
# `--hypothesis-profile=default`.
settings.register_profile(
    "mesh",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mesh")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Leave what is collected, ten thousand tests, out of every search for garbage."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Let everything be taken apart as ever."""
    gc.unfreeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow files first: one that ends last would leave a processor idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    first = [Path(__file__).parent / name for name in LONGEST]

    def rank(item: pytest.Item) -> int:
        if item.path in first:
            return first.index(item.path)
        return len(first) + (item.path not in slow)

    items.sort(key=rank)


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CONTRACT: dict[str, Any] = {
    "product": "consumer_banking.credit_profile",
    "status": "active",
    "classification": "confidential",
    "tags": {"lob": "consumer_banking", "region": "eu", "subject": "customer"},
    "purposes": ["credit_risk", "fraud_detection"],
    "uses": ["aggregate", "train_horizontal", "train_vertical", "evaluate"],
    "allow": [
        {
            "consumer": {"org_unit": ["ml_coe"]},
            "purposes": ["credit_risk"],
            "uses": ["train_horizontal", "train_vertical", "evaluate"],
        }
    ],
    "deny": [
        {"consumer": {"org_unit": ["marketing"]}, "columns": {"pii": ["quasi"]}},
    ],
    "row_filter": "not coalesce(opt_out, false)",
    "min_cohort": 25,
    "dp": {"epsilon": 4.0, "delta": 1e-5, "period_days": 365},
    "approval": {"approvers": 1, "restricted_approvers": 2, "max_days": 180},
    "quality": {
        "completeness": 0.98,
        "validity": 0.99,
        "uniqueness": 1.0,
        "drift_psi": 0.2,
    },
    "freshness_hours": 24,
    "retention_days": 730,
}
COLUMNS: dict[str, tuple[str, dict[str, Any]]] = {
    "customer_id": (
        "varchar",
        {
            "roles": ["join_key"],
            "classification": "restricted",
            "pii": "identifier",
            "uses": ["train_vertical"],
        },
    ),
    "amount": ("decimal(12, 2)", {"roles": ["feature"]}),
    "age": (
        "integer",
        {"roles": ["feature"], "pii": "quasi", "bounds": [18, 100]},
    ),
    "opt_out": ("boolean", {}),
    "is_bad": (
        "boolean",
        {
            "roles": ["label"],
            "classification": "restricted",
            "label_sharing": "protected",
        },
    ),
}
TABLE = {
    "customer_id": "VARCHAR",
    "amount": "DECIMAL(12,2)",
    "age": "INTEGER",
    "opt_out": "BOOLEAN",
    "is_bad": "BOOLEAN",
}


def make_product(
    contract: dict[str, Any] | None = None,
    columns: dict[str, dict[str, Any]] | None = None,
    **fields: Any,
) -> Product:
    """Return the product of the design text; a contract word of None is left out."""
    block = {k: v for k, v in (CONTRACT | (contract or {})).items() if v is not None}
    product = Product(
        name="consumer_banking.credit_profile",
        domain="consumer_banking",
        unique_id="model.consumer_banking.credit_profile.v1",
        version=1,
        latest_version=1,
        deprecation_date=None,
        description="One row per private credit application.",
        access="public",
        contract_enforced=True,
        materialized="table",
        tags=("data_product",),
        owner=Owner(
            name="Consumer banking",
            email="consumer@bank.example",
            stewards=("steward.consumer@bank.example", "risk.consumer@bank.example"),
            support="support.consumer@bank.example",
        ),
        relation=Relation(
            database="consumer_banking", schema="main", identifier="credit_profile_v1"
        ),
        columns={
            name: Column(
                name=name,
                description="",
                data_type=data_type,
                nullable=name != "customer_id",
                accepted_values=None,
                contract=validated(
                    ColumnContract, block | (columns or {}).get(name, {}), name
                ),
            )
            for name, (data_type, block) in COLUMNS.items()
        },
        key=("customer_id",),
        event_time=None,
        contract=validated(ProductContract, block, "product"),
    )
    return replace(product, **fields)


def make_grant(product: Product, **fields: Any) -> Grant:
    """Return a grant that two stewards gave for this product's policy."""
    grant = Grant(
        name="g_credit_risk_ml_coe",
        domain="consumer_banking",
        products=("consumer_banking.credit_profile",),
        product_ids=("model.consumer_banking.credit_profile.v1",),
        study="credit_risk",
        consumer="ml_coe",
        requested_by="ml-coe@bank.example",
        requested_at=date(2026, 11, 2),
        days=90,
        purpose="credit_risk",
        uses=("train_horizontal", "evaluate"),
        columns=("amount", "age", "is_bad"),
        epsilon=None,
        status="approved",
        approved_by=("steward.consumer@bank.example", "risk.consumer@bank.example"),
        decided_at=date(2026, 11, 4),
        expires=date(2027, 2, 2),
        policy=policy_fingerprint(product),
    )
    return replace(grant, **fields)


def make_facts(
    *,
    product: dict[str, Any] | None = None,
    grant: dict[str, Any] | None = None,
    request: dict[str, Any] | None = None,
    node: dict[str, Any] | None = None,
    measured: dict[str, Any] | None = None,
    **facts: Any,
) -> Facts:
    """Return facts that are allowed, but for the changes."""
    offered = make_product(**(product or {}))
    base = Facts(
        request=replace(_REQUEST, **(request or {})),
        caller="ml_coe",
        now=NOW,
        clock_floor=NOW - timedelta(seconds=1),
        node=replace(_NODE, **(node or {})),
        product=offered,
        grants=(make_grant(offered, **(grant or {})),),
        policy_fingerprint=policy_fingerprint(offered),
        table=TABLE,
        measured=replace(_MEASURED, **(measured or {})),
        mesh_min_cohort=10,
        filter_columns=("opt_out",),
        rows=495,
        cohort_distance=None,
        manifest_fingerprint="sha256:" + "0" * 64,
    )
    return replace(base, **facts)


_REQUEST = Request(
    study="credit_risk",
    consumer="ml_coe",
    actor="ml-coe@bank.example",
    purpose="credit_risk",
    product="consumer_banking.credit_profile",
    version=1,
    uses=("train_horizontal", "evaluate"),
    columns={"amount": "feature", "age": "feature", "is_bad": "label"},
    algorithm="logistic_regression",
    parameters={"l2": 1.0},
    secure_aggregation=True,
    parties=3,
    delta=1e-9,  # means nothing without an epsilon
)
_NODE = Node(
    domain="consumer_banking",
    database="data/consumer_banking.duckdb",
    consumers={
        "ml_coe": {"org_unit": ("ml_coe",)},
        "marketing_analytics": {"org_unit": ("marketing",)},
    },
    algorithms={"logistic_regression": {"l2": (0.0001, 10000), "max_rounds": (1, 100)}},
)
_MEASURED = Measured(
    built_at=NOW - timedelta(hours=2),
    completeness=1.0,
    validity=1.0,
    uniqueness=1.0,
    tests_failed=0,
)


@pytest.fixture(scope="session")
def facts_with() -> Callable[..., Facts]:
    """Return the maker of facts."""
    return make_facts


@pytest.fixture(scope="session")
def product_with() -> Callable[..., Product]:
    """Return the maker of products."""
    return make_product


@pytest.fixture(scope="session")
def grant_with() -> Callable[..., Grant]:
    """Return the maker of grants."""
    return make_grant


REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = (
    "dbt_project.yml",
    "packages.yml",
    "profiles.yml",
    "selectors.yml",
    "mesh_policy.yml",
    "principals.yml",
    "data/.gitignore",
    "macros",
    "models",
    "domains",
    "tests/dbt",
)
MADE = shutil.ignore_patterns("target", "logs", "ledger", "outbox", "*.duckdb*")


def dbt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run dbt in a folder, as a domain's team would."""
    environment = os.environ | {
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    return subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--no-version-check", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def build(root: Path) -> None:
    """Build every domain by itself, then the catalog over them."""
    for name in PARTS:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=MADE)
        elif source.exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / name)
    steps = [(d, ("build",)) for d in sorted((root / "domains").iterdir())]
    steps += [(root, ("deps",)), (root, ("parse",))]
    for folder, words in steps:
        done = dbt(folder, *words)
        assert done.returncode == 0, f"dbt {words} in {folder.name}\n{done.stdout}"


@pytest.fixture(scope="session")
def built_mesh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mesh that dbt has built; nobody may change it."""
    # Test processes side by side share the folder above their own; it is this run's.
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    root = shared / "built_mesh"
    with (shared / "built_mesh.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "done").exists():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            build(root)
            (root / "done").touch()
    return root


@pytest.fixture
def mesh_folder(built_mesh: Path, tmp_path: Path) -> Path:
    """A copy of the built mesh, this test's to break."""
    copy = tmp_path / "mesh"
    shutil.copytree(built_mesh, copy, symlinks=True)
    return copy
