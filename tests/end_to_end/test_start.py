"""From nothing to a product, and on to a model: by verbs and edits of YAML alone."""

import csv
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fl_plugin.cli.main import main

pytestmark = pytest.mark.slow
DOMAINS = ("auto", "cards", "lending")
ASKER = "scientist.ml-team@bank.example"
STEWARDS = ("steward@{}.mesh.example", "second-steward@{}.mesh.example")
HEADER = [
    "Credit ID",
    "Amount",
    "Duration (months)",
    "Sex",
    "Kind",
    "Comment",
    "is bad",
]


@dataclass
class Story:
    """What was done and how long it took; `fl` runs a verb and returns its JSON."""

    root: Path
    fl: Callable[..., tuple[int, Any]]
    first_product: float = 0.0
    whole: float = 0.0
    told: dict[str, Any] = field(default_factory=dict)


def write_rows(path: Path, seed: int) -> None:
    """Write 300 credits that turn bad the likelier, the larger and longer they are."""
    draw = random.Random(seed)  # noqa: S311 - made-up rows
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(HEADER)
        for number in range(300):
            amount, months = draw.randint(500, 20_000), draw.randint(6, 60)
            bad = draw.random() < 1 / (
                1 + 2.7 ** ((15 - amount / 1000 - months / 8) / 3)
            )
            comment = f"canary-{seed}-{number}"
            kind = draw.choice(["car", "house", "tv"])
            rows.writerow(
                [f"K{seed}{number:04}", amount, months, "f", kind, comment, int(bad)]
            )


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert text.count(before) == 1
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    place = tmp_path_factory.mktemp("start")
    root = place / "bank_mesh"

    def fl(*words: str) -> tuple[int, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "fl_plugin", *words, "--json"],
            cwd=root if root.exists() else place,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def insist(*words: str) -> Any:
        code, told = fl(*words)
        assert code == 0, told
        return told

    for seed, name in enumerate(DOMAINS):
        write_rows(place / f"{name}.csv", seed)
    story, start = Story(root, fl), time.monotonic()
    insist("init", "bank_mesh", "--purpose", "credit_risk", "--consumer", "ml_team")
    start_domain(insist, "lending")
    insist("build")
    story.told["draft"] = fl("contract", "lint")
    story.told["show"] = insist("catalog", "show", "lending.credits")
    story.first_product = time.monotonic() - start
    three_domains_and_a_study(insist, root)
    story.told["plan"] = insist("plan", "credit_risk")
    story.told["run"] = insist("train", "credit_risk")
    story.whole = time.monotonic() - start
    return story


def start_domain(insist: Callable[..., Any], name: str) -> None:
    insist("new", "domain", name)
    words = ("--from-csv", f"../{name}.csv", "--label", "is_bad")
    insist("new", "product", f"{name}.credits", *words)


def three_domains_and_a_study(insist: Callable[..., Any], root: Path) -> None:
    """Do what a person does with an editor, and the verbs around it."""
    for name in DOMAINS:
        if name != "lending":
            start_domain(insist, name)
        contract = root / "domains" / name / "models" / "products" / "credits.yml"
        told = contract.read_text(encoding="utf-8").replace("TODO: ", "Its team says: ")
        contract.write_text(told, encoding="utf-8")
        edit(
            contract,
            ("status: draft", "status: active"),
            (
                "          allow: []",
                "          allow:\n"
                "            - consumer: {org_unit: [ml_team]}\n"
                "              purposes: [credit_risk]\n"
                "              uses: [aggregate, train_horizontal, evaluate]",
            ),
        )
    insist("build", "--domain-only")
    products = ",".join(f"{name}.credits" for name in DOMAINS)
    words = ("--target", "is_bad", "--consumer", "ml_team", "--purpose", "credit_risk")
    insist(
        "new", "study", "credit_risk", "--products", products, *words, "--email", ASKER
    )
    insist("build", "--mesh-only")
    insist("access", "request", "credit_risk", "--by", ASKER)
    for name in DOMAINS:
        for steward in STEWARDS:
            grant = (name, "g_credit_risk_ml_team")
            insist("access", "approve", *grant, "--by", steward.format(name))
    insist("build", "--domain-only")


def test_a_team_has_a_catalogued_product(story, figure):
    figure("from nothing to a catalogued product", story.first_product, "s")
    card = story.told["show"]["card"]
    assert card["problems"] == ["access: nobody may ask"]  # a draft, on purpose
    assert set(card["kinds"]) >= {"technical", "business", "quality", "access"}


def test_three_teams_have_a_model(story, figure):
    figure("from nothing to a model over three new domains", story.whole, "s")
    assert all(d["allowed"] for d in story.told["plan"]["domains"])
    assert (story.root / "registry" / "credit_risk" / "v1" / "report.html").is_file()


def test_a_new_product_has_no_error_of_lint_from_the_first_second(story):
    code, told = story.told["draft"]
    assert code == 0, told
    assert {f["level"] for f in told["findings"]} <= {"warning"}


def test_the_whole_mesh_has_no_error_of_lint_or_of_sql_style(story):
    code, told = story.fl("contract", "lint")
    assert code == 0, told
    assert story.fl("access", "check")[0] == 0
    linted = subprocess.run(
        [sys.executable, "-m", "sqlfluff", "lint", "models", "domains", "tests"],
        cwd=story.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


def test_the_central_catalog_holds_descriptions_and_no_row(story):
    with duckdb.connect(story.root / "data" / "mesh.duckdb", read_only=True) as mesh:
        names = mesh.execute("select table_name from duckdb_tables()").fetchall()
        assert {name for (name,) in names} == {
            f"mesh_{t}" for t in ("columns", "grants", "products", "quality", "runs")
        }
    for folder in ("data", "target", "models", "registry", ".github"):
        for path in (story.root / folder).rglob("*"):
            if path.is_file():
                assert b"canary-" not in path.read_bytes(), path


def test_building_again_changes_no_file_that_a_team_keeps(story):
    kept = {
        path: path.read_bytes()
        for path in story.root.rglob("*")
        if path.is_file()
        and path.suffix in {".yml", ".sql", ".md", ".csv", ""}
        and not {"target", "logs", "dbt_packages", "ledger"} & set(path.parts)
        and path.name not in {".user.yml", "package-lock.yml"}
    }
    assert len(kept) > 60
    assert story.fl("build", "lending")[0] == 0
    assert {path: path.read_bytes() for path in kept} == kept


def test_a_row_that_breaks_the_contract_stops_its_domain_alone(story):
    raw = story.root / "domains" / "cards" / "data" / "raw_credits.csv"
    before = raw.read_text()
    try:
        raw.write_text(before + "K9;canary-amount;6;f;car;canary-x;1\n")
        code, told = story.fl("build", "--domain-only")
    finally:
        raw.write_text(before)
    parts = {p["part"]: p for p in told["parts"]}
    assert code == 5
    assert parts["cards"]["failed"]
    assert all(
        n["name"].startswith(("model.", "test.")) for n in parts["cards"]["failed"]
    )
    assert parts["auto"]["state"] == parts["lending"]["state"] == "built"
    assert "canary" not in json.dumps(told)


def test_a_contract_that_cannot_be_read_is_named(story, capsys):
    contract = story.root / "domains" / "auto" / "models" / "products" / "credits.yml"
    before = contract.read_text()
    try:
        contract.write_text(before.replace("    columns:\n", "   columns:\n", 1))
        code = main(["build", "auto", "--domain-only", "--project", str(story.root)])
    finally:
        contract.write_text(before)
    printed = capsys.readouterr()
    assert code == 5
    assert "auto is not built: Parsing Error" in printed.err
    assert "credits.yml" in printed.err
