"""A real `dbt build` of every domain alone, and of the mesh over them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.slow

PRODUCTS = {
    "asset_management": ("wealth_profile", 1000, 1000),
    "auto_finance": ("credit_profile_v1", 337, 340),
    "commercial_banking": ("credit_profile_v1", 168, 170),
    "consumer_banking": ("credit_profile_v1", 495, 500),
}


def dbt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            Path(sys.executable).with_name("dbt"),
            "--no-version-check",
            "--no-use-colors",
            *words,
        ],
        cwd=folder,
        env=os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )


def query(path: Path, sql: str) -> list[dict[str, Any]]:
    with duckdb.connect(path, read_only=True) as connection:
        found = connection.execute(sql)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def profile(mesh: Path, domain: str) -> dict[str, Any]:
    path = mesh / "domains" / domain / "data" / f"{domain}.duckdb"
    (only,) = query(path, "select * from mesh_meta.product_profile")
    return only


def manifest(folder: Path) -> Any:
    return json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))


def respell(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    path.write_text(after, encoding="utf-8")


@pytest.fixture(scope="module")
def catalog(built_mesh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root project built and documented, in a copy of its own."""
    root = tmp_path_factory.mktemp("catalog") / "mesh"
    shutil.copytree(
        built_mesh, root, ignore=shutil.ignore_patterns("dbt_packages", "registry")
    )
    for words in (("deps",), ("build",), ("docs", "generate")):
        done = dbt(root, *words)
        assert done.returncode == 0, done.stdout
    return root


@pytest.mark.parametrize("domain", PRODUCTS)
def test_a_domain_builds_alone_into_its_own_file(built_mesh, domain):
    table, rows, _ = PRODUCTS[domain]
    path = built_mesh / "domains" / domain / "data" / f"{domain}.duckdb"
    (counted,) = query(path, f"select count(*) as n from {domain}.main.{table}")
    assert counted["n"] == rows


@pytest.mark.parametrize("domain", PRODUCTS)
def test_a_build_writes_down_quality_and_blurs_the_counts(built_mesh, domain):
    written = profile(built_mesh, domain)
    assert written["row_count_bucket"] == PRODUCTS[domain][2]
    assert written["size_bytes"] % 1000 == 0
    shares = ("completeness", "validity", "uniqueness")
    assert [written[share] for share in shares] == [1.0, 1.0, 1.0]
    assert written["tests_passed"] > 5
    assert written["tests_failed"] == 0


def test_the_root_and_a_domain_mean_the_same_relations(catalog):
    together = manifest(catalog)["nodes"]
    for domain in PRODUCTS:
        alone = manifest(catalog / "domains" / domain)["nodes"]
        for name, node in alone.items():
            if node["resource_type"] in ("model", "seed"):
                assert together[name]["relation_name"] == node["relation_name"]


def test_a_bare_build_of_the_root_builds_the_mesh_and_no_domain(catalog):
    names = query(
        catalog / "data" / "mesh.duckdb",
        "select table_name from duckdb_tables() order by table_name",
    )
    tables = ("columns", "grants", "products", "quality", "runs")
    assert [n["table_name"] for n in names] == [f"mesh_{t}" for t in tables]


def test_the_mesh_tables_hold_every_product_and_no_run_before_the_first(catalog):
    mesh = catalog / "data" / "mesh.duckdb"
    products = query(mesh, "select domain, stewards from mesh_products order by 1")
    assert [p["domain"] for p in products] == sorted(PRODUCTS)
    assert all(len(p["stewards"]) == 2 for p in products)
    assert query(mesh, "select count(*) as n from mesh_grants") == [{"n": 4}]
    assert query(mesh, "select count(*) as n from mesh_columns") == [{"n": 53}]
    assert query(mesh, "select * from mesh_runs") == []
    quality = query(mesh, "select * from mesh_quality where validity >= validity_floor")
    assert len(quality) == 4


def test_the_catalog_shows_every_domain_and_measures_of_each_product(catalog):
    written = json.loads((catalog / "target" / "catalog.json").read_text("utf-8"))
    assert not written["errors"]
    packages = {name.split(".")[1] for name in written["nodes"]}
    assert packages == {"data_mesh", *PRODUCTS}
    stats = written["nodes"]["model.auto_finance.credit_profile.v1"]["stats"]
    assert stats["row_count"]["value"] == 340
    assert stats["validity"]["value"] == 100
    staging = written["nodes"]["model.auto_finance.stg_applicants"]["stats"]
    assert set(staging) == {"has_stats"}


def test_the_root_cannot_write_into_a_domain(catalog):
    refused = dbt(catalog, "build", "--select", "auto_finance.raw_applicants")
    assert refused.returncode != 0
    assert "read-only" in refused.stdout


def test_nobody_else_may_build_on_a_domains_workshop(catalog, tmp_path):
    root = tmp_path / "mesh"
    shutil.copytree(catalog, root, symlinks=True)
    model = root / "models" / "governance" / "peek.sql"
    model.write_text("select * from {{ ref('auto_finance', 'stg_applicants') }}\n")
    refused = dbt(root, "parse")
    assert refused.returncode != 0
    assert "private" in refused.stdout


def test_a_grant_that_opens_a_protected_column_fails_the_mesh_build(catalog, tmp_path):
    root = tmp_path / "mesh"
    shutil.copytree(catalog, root, symlinks=True)
    domain = root / "domains" / "auto_finance"
    grant = domain / "models" / "grants" / "g_credit_risk_ml_coe.yml"
    respell(grant, lambda text: text.replace("- age\n", "- foreign_worker\n"))
    assert dbt(domain, "parse").returncode == 0
    refused = dbt(root, "build")
    assert refused.returncode != 0
    assert "no_grant_opens_a_protected_column" in refused.stdout


def test_an_unknown_code_stops_the_build_and_the_last_good_product_stays(mesh_folder):
    domain = mesh_folder / "domains" / "commercial_banking"
    before = profile(mesh_folder, domain.name)
    seed = domain / "seeds" / "raw_applicants.csv"
    respell(seed, lambda text: text.replace(",A172,", ",A179,", 1))
    refused = dbt(domain, "build")
    assert refused.returncode != 0
    assert "NOT NULL constraint failed" in refused.stdout
    assert profile(mesh_folder, domain.name) == before
    path = domain / "data" / "commercial_banking.duckdb"
    counted = query(path, "select count(*) as n from main.credit_profile_v1")
    assert counted == [{"n": 168}]


def test_a_value_out_of_range_lowers_validity_and_counts_as_failed(mesh_folder):
    domain = mesh_folder / "domains" / "commercial_banking"
    seed = domain / "seeds" / "raw_applications.csv"
    respell(seed, lambda text: text.replace("C0003,12,", "C0003,500,"))
    failed = dbt(domain, "build")
    assert failed.returncode != 0
    written = profile(mesh_folder, domain.name)
    assert written["validity"] == pytest.approx(0.994)  # 167 of 168, rounded down
    assert written["tests_failed"] == 1


def test_a_small_cohort_leaves_no_number(mesh_folder):
    domain = mesh_folder / "domains" / "commercial_banking"
    for name in ("raw_applications", "raw_applicants"):
        seed = domain / "seeds" / f"{name}.csv"
        respell(seed, lambda text: "".join(text.splitlines(keepends=True)[:25]))
    assert dbt(domain, "build").returncode == 0
    written = profile(mesh_folder, domain.name)
    numbers = ("row_count_bucket", "size_bytes", "completeness", "validity")
    assert [written[name] for name in (*numbers, "uniqueness")] == [None] * 5
