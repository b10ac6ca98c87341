"""What stops a vertical run: in words, on record, and with nothing half-written."""

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fl_plugin import Mesh, MeshError
from fl_plugin.cli.main import main
from fl_plugin.errors import (
    ContractError,
    PolicyError,
    StorageError,
    TrainingError,
)
from tests.made_mesh import MODEL, STUDY
from tests.vertical_mesh import BANK, SHOP, TELCO, vertical_mesh

DOMAINS = (BANK, SHOP, TELCO)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Return two meshes that no test may change: one fresh, one trained."""
    folder = tmp_path_factory.mktemp("originals")
    made = vertical_mesh(
        folder / "fresh", algorithm={"name": "split_network", "epochs": 1}
    )
    shutil.copytree(made.root, folder / "trained")
    Mesh.open(folder / "trained").train(STUDY)
    return folder


@pytest.fixture
def fresh(originals, tmp_path):
    return shutil.copytree(originals / "fresh", tmp_path / "mesh")


@pytest.fixture
def trained(originals, tmp_path):
    return shutil.copytree(originals / "trained", tmp_path / "mesh")


def change_rows(root: Path, domain: str, sql: str) -> None:
    with duckdb.connect(root / "domains" / domain / "data" / f"{domain}.duckdb") as db:
        db.execute(sql.format(table=MODEL))


def change_study(root: Path, **words) -> None:
    path = root / "target" / "manifest.json"
    manifest = json.loads(path.read_text())
    mesh = manifest["exposures"][f"exposure.mesh.{STUDY}"]["config"]["meta"]["mesh"]
    mesh |= words
    path.write_text(json.dumps(manifest))


def refusals(root: Path, domain: str) -> list[str]:
    records = Mesh.open(root).audit(domain)[domain]
    return [r.rule for r in records if r.action == "refuse"]


def parts(root: Path) -> list[Path]:
    return sorted((root / "domains").rglob("*.part"))


BROKEN = {
    "duplicate keys": (SHOP, "update {table} set row_id = 'KX'", "contract", 4),
    "no key": (SHOP, "update {table} set row_id = null", "contract", 4),
    "no overlap": (
        SHOP,
        "update {table} set row_id = row_id || 'z'",
        "matching_limit",
        3,
    ),
    "hardly a row": (
        TELCO,
        "delete from {table} where rowid > 4",
        "cohort.too_small",
        3,
    ),
    "few held out": (
        BANK,
        "update {table} set row_id = row_id || 'z' where rowid > 12",
        "training",
        9,
    ),
    "no value": (SHOP, "update {table} set basket = null", "training", 9),
    "endless values": (TELCO, "update {table} set calls = 'inf'", "training", 9),
    "one class": (BANK, "update {table} set is_bad = false", "training", 9),
    "no label": (BANK, "update {table} set is_bad = null", "build", 5),
}


@pytest.mark.parametrize("name", BROKEN)
def test_rows_that_do_not_do_stop_the_run_in_words_and_on_record(fresh, name):
    domain, sql, rule, code = BROKEN[name]
    change_rows(fresh, domain, sql)
    with pytest.raises(MeshError) as stopped:
        Mesh.open(fresh).train(STUDY)
    error = stopped.value
    at = getattr(error, "domain", "") or domain
    assert error.exit_code == code
    assert f"{at}.{MODEL}" in error.problem
    assert refusals(fresh, at) == [rule]
    assert not parts(fresh)
    assert not list(fresh.rglob("*.skops"))


def test_keys_that_can_be_tried_need_a_salt_and_that_is_on_record(fresh):
    for domain in DOMAINS:
        change_rows(fresh, domain, "update {table} set row_id = rowid")
    with pytest.raises(PolicyError, match=f"bank.{MODEL}.*2\\^40") as refused:
        Mesh.open(fresh).train(STUDY)
    assert "fl salt new" in refused.value.remedy
    assert refusals(fresh, BANK) == ["small_key_space"]


def test_one_matching_too_many_a_day_is_on_record(fresh):
    node = fresh / "domains" / SHOP / "node.yml"
    words = json.loads(node.read_text()) | {"matching": {"per_day": 0}}
    node.write_text(json.dumps(words))
    with pytest.raises(PolicyError, match=f"shop.{MODEL}") as refused:
        Mesh.open(fresh).train(STUDY)
    assert "matching.per_day" in refused.value.remedy
    assert refusals(fresh, SHOP) == ["matching_limit"]


def test_a_decision_is_on_record_once(fresh):
    change_study(fresh, purpose="marketing")
    with pytest.raises(PolicyError):
        Mesh.open(fresh).train(STUDY)
    assert [len(refusals(fresh, domain)) for domain in DOMAINS] == [1, 1, 1]


def given_up(root):
    """Stop the run that was interrupted; the domains forget what they kept of it."""
    mesh = Mesh.open(root)
    (left,) = [r for r in mesh.runs if r.standing == "interrupted"]
    assert mesh.stop(left.run).standing == "stopped"


def test_no_part_stays_of_a_model_that_cannot_be_registered(fresh):
    (fresh / "registry").write_text("not a folder")
    with pytest.raises(StorageError, match="registry"):
        Mesh.open(fresh).train(STUDY)
    assert len(parts(fresh)) == len(DOMAINS)  # the run can be resumed
    (fresh / "registry").unlink()
    given_up(fresh)
    assert not parts(fresh)


def test_no_part_stays_where_another_domain_cannot_keep_its_own(fresh):
    (fresh / "domains" / SHOP / "models").write_text("not a folder")
    with pytest.raises(StorageError, match="shop"):
        Mesh.open(fresh).train(STUDY)
    (fresh / "domains" / SHOP / "models").unlink()
    given_up(fresh)
    assert not parts(fresh)


def test_no_part_stays_of_a_run_that_its_user_ends(fresh):
    def interrupt(kind, _number):
        if kind == "assess":
            assert len(parts(fresh)) == len(DOMAINS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Mesh.open(fresh).train(STUDY, listener=interrupt)
    given_up(fresh)
    assert not parts(fresh)


def test_no_part_stays_where_a_grant_ends_within_the_run(fresh):
    def revoke(kind, _number):
        if kind == "assess":
            end_grant(fresh, BANK)

    with pytest.raises(PolicyError, match="revoked"):
        Mesh.open(fresh).train(STUDY, listener=revoke)
    assert not parts(fresh)
    assert refusals(fresh, BANK) == ["grant.not_approved"]


def test_a_run_that_fails_leaves_the_parts_of_the_one_before(trained):
    before = parts(trained)
    shutil.rmtree(trained / "registry")
    (trained / "registry").write_text("not a folder")
    with pytest.raises(StorageError):
        Mesh.open(trained).train(STUDY)
    (trained / "registry").unlink()
    given_up(trained)
    assert parts(trained) == before


def end_grant(root: Path, domain: str) -> None:
    path = root / "domains" / domain / "target" / "manifest.json"
    manifest = json.loads(path.read_text())
    for exposure in manifest["exposures"].values():
        exposure["config"]["meta"]["mesh"]["decision"]["status"] = "revoked"
    path.write_text(json.dumps(manifest))


def test_a_grant_that_ended_after_training_stops_the_scoring(trained):
    end_grant(trained, TELCO)
    with pytest.raises(PolicyError, match=f"grant .* on telco.{MODEL} is revoked"):
        Mesh.open(trained).score(STUDY)
    assert refusals(trained, TELCO) == ["grant.not_approved"]


@pytest.mark.parametrize(("domain", "column"), [(TELCO, "calls"), (BANK, "income")])
def test_endless_values_stop_the_scoring_by_the_name_of_their_column(
    trained, domain, column
):
    change_rows(trained, domain, f"update {{table}} set {column} = 'inf'")
    with pytest.raises(TrainingError, match=f"{domain}.{MODEL}.*column {column} "):
        Mesh.open(trained).score(STUDY)


CHANGED: dict[str, dict[str, Any]] = {
    "features": {"features": ["income", "basket", "calls", "minutes"]},
    "parameters": {"algorithm": {"name": "split_network", "epochs": 3}},
    "algorithm": {"algorithm": {"name": "vertical_boosting"}},
}


@pytest.mark.parametrize("word", CHANGED)
def test_a_study_that_changed_since_does_not_score_by_the_old_parts(trained, word):
    change_study(trained, **CHANGED[word])
    with pytest.raises(ContractError, match=f"made v1 .* other {word}") as stopped:
        Mesh.open(trained).score(STUDY)
    assert "fl train made" in stopped.value.remedy


def test_what_changes_no_part_does_not_keep_a_study_from_scoring(trained):
    change_study(trained, evaluation={"threshold": 0.4})
    assert Mesh.open(trained).score(STUDY).domain == BANK


UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "folds": ({"evaluation": {"folds": 5}}, "folds"),
    "fairness": ({"evaluation": {"fairness": ["kind"]}}, "fairness"),
    "search": ({"search": {"parameters": {"epochs": [1, 2]}}}, "search"),
    "epsilon": ({"privacy": {"epsilon": 1.0}}, "epsilon"),
    "dropouts": ({"privacy": {"on_dropout": "recover"}}, "on_dropout"),
    "rule": ({"match": {"key": "row_id", "normalise": "soundex"}}, "soundex"),
    "key": ({"match": {"key": "nothing"}}, "nothing"),
    "feature": ({"features": ["income", "nothing"]}, "nothing"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_study_that_cannot_be_is_refused_before_any_domain_is_asked(
    fresh, name, capsys
):
    words, named = UNFIT[name]
    change_study(fresh, **words)
    assert main(["train", STUDY, "--json", "--project", str(fresh)]) == 4
    told = json.loads(capsys.readouterr().out)["error"]
    assert named in told["problem"]
    assert told["remedy"]
    assert not list(fresh.rglob("ledger.sqlite"))
