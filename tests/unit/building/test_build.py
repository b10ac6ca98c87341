"""The order of a build, with a program in dbt's place."""

import json
import stat
import sys
from pathlib import Path

import pytest

from fl_plugin import dbt_program
from fl_plugin.building import build as room
from fl_plugin.building.build import (
    Built,
    Order,
    Work,
    build,
    build_catalog,
    build_mesh,
    failure_of,
)
from fl_plugin.cli.main import main
from fl_plugin.errors import BuildError, UsageError
from fl_plugin.mesh import building
from fl_plugin.scaffold.domain import new_domain
from fl_plugin.scaffold.mesh import new_mesh
from fl_plugin.scaffold.team import team_of

SECRET = "canary-4711"  # noqa: S105 - a value that must not come out
# Writes down how it was called; fails in a folder that has a file `fails`.
PROGRAM = f"""#!{sys.executable}
import json, os, pathlib, sys, time
words = [w for w in sys.argv[1:] if not w.startswith("--")]
here = pathlib.Path.cwd()
with open(os.environ["CALLS"], "a") as file:
    file.write(json.dumps([here.name, *words, "DBT_TARGET_PATH" in os.environ]) + "\\n")
if (here / "hangs").exists():
    time.sleep(60)
if words == ["build"]:
    (here / "data").mkdir(exist_ok=True)
    (here / "data" / f"{{here.name}}.duckdb").touch()
if (here / "fails").exists():
    (here / "target").mkdir(exist_ok=True)
    (here / "target" / "run_results.json").write_text(json.dumps({{
        "metadata": {{"invocation_id": str(time.time())}},
        "results": [{{"unique_id": "model.x.y", "status": "error"}}]}}))
    sys.exit("Database Error: {SECRET}")
if (here / "unreadable").exists():
    print("Parsing Error\\n  credits.yml is wrong")
    sys.exit(2)
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = new_mesh(tmp_path / "bank")
    for name in ("cards", "lending"):
        new_domain(folder, name, team_of(name))
    program = tmp_path / "bin" / "dbt"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("DBT_TARGET_PATH", "elsewhere")
    monkeypatch.setattr(room, "find_dbt", lambda: str(program))
    monkeypatch.setattr(room, "build_site", _no_site)
    return folder


def _no_site(root):
    raise BuildError("There is no page.", remedy="Try again.")


def calls(tmp_path):
    lines = (tmp_path / "calls").read_text().splitlines()
    return [json.loads(line) for line in lines]


def states(parts):
    return {part.part: part.state for part in parts}


def run(root, *names, **order):
    told: list[Built] = []
    parts = build(
        root,
        Order(domains=names, jobs=1, **order),
        (build_mesh, build_catalog),
        told.append,
    )
    assert sorted(told, key=str) == sorted(parts, key=str)
    return parts


def test_domains_come_first_then_the_mesh_then_the_catalog(root, tmp_path):
    parts = run(root)
    assert [p.part for p in parts] == ["cards", "lending", "the mesh", "the catalog"]
    assert [c[:2] for c in calls(tmp_path)] == [
        ["cards", "build"],
        ["lending", "build"],
        ["bank", "deps"],
        ["bank", "build"],
    ]
    assert not any(c[-1] for c in calls(tmp_path))  # the artifacts stay in target/


def test_what_is_built_is_registered(root):
    run(root)
    assert "- local: domains/cards" in (root / "packages.yml").read_text()
    assert "alias: lending" in (root / "profiles.yml").read_text()
    before = (root / "profiles.yml").read_bytes()
    run(root)
    assert (root / "profiles.yml").read_bytes() == before


def test_a_domain_that_fails_stops_nobody_and_is_told_by_name(root):
    (root / "domains" / "cards" / "fails").touch()
    parts = run(root)
    assert states(parts)["cards"] == "failed"
    assert states(parts)["lending"] == states(parts)["the mesh"] == "built"
    failure = failure_of(parts)
    assert failure is not None
    assert failure.exit_code == 5
    assert "cards is not built: model.x.y (and 1 more)" in failure.problem
    assert SECRET not in repr(parts) + failure.problem + failure.remedy
    log = root / "domains" / "cards" / "logs" / "fl-build.log"
    assert str(log) in failure.remedy
    assert SECRET in log.read_text()


def test_without_every_database_the_mesh_is_read_and_not_built(root, tmp_path):
    run(root)
    (root / "domains/cards/data/cards.duckdb").unlink()
    parts = run(root, "lending")
    assert calls(tmp_path)[-1][:2] == ["bank", "parse"]
    mesh, catalog = parts[-2:]
    assert mesh.state == "built"
    assert "cards has no database yet" in mesh.note
    assert catalog.state == "skipped"


def test_a_mesh_that_cannot_be_read_leaves_the_last_catalog(root):
    (root / "unreadable").touch()
    parts = run(root)
    assert states(parts)["the mesh"] == "failed"
    assert parts[-2].note == "Parsing Error credits.yml is wrong"
    assert states(parts)["the catalog"] == "skipped"


def test_one_domain_or_the_mesh_alone_may_be_built(root, tmp_path):
    run(root, "lending", "lending")
    assert [c[0] for c in calls(tmp_path)] == ["lending", "bank", "bank"]
    assert [p.part for p in run(root, mesh_only=True)] == ["the mesh", "the catalog"]


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"domains": ("lendin",)}, "no domain 'lendin'"),
        ({"domains": ("../lending",)}, "no domain"),
        ({"domains": ("lending",), "mesh_only": True}, "alone"),
        ({"domain_only": True, "mesh_only": True}, "alone"),
    ],
)
def test_what_cannot_be_built_is_refused_before_dbt_runs(root, tmp_path, order, why):
    told: list[Built] = []
    with pytest.raises(UsageError, match=why):
        build(root, Order(**order), (), told.append)
    assert not (tmp_path / "calls").exists()


def test_a_run_that_does_not_end_is_ended(root):
    (root / "domains" / "cards" / "hangs").touch()
    parts = run(root, "cards", limit=1.0)
    assert parts[0].state == "failed"
    assert "did not finish within 1 seconds" in parts[0].note


def test_the_catalogs_error_is_a_part_that_failed(root):
    mesh = Built(part="the mesh", state="built", seconds=1.0)
    work = Work(root=root, program="", limit=1.0, parts=(mesh,))
    assert build_catalog(work).note == "There is no page."


def test_without_dbt_the_extra_to_install_is_named(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(BuildError, match="not installed") as caught:
        dbt_program.find_dbt()
    assert "data-mesh-learning[dbt]" in caught.value.remedy


def test_the_verb_tells_each_part_and_exits_with_5(root, capsys, monkeypatch):
    monkeypatch.setattr(building, "_quality", lambda work: _done("the quality"))
    monkeypatch.setattr(building, "_owners", lambda work: _done("the owners"))
    (root / "domains" / "cards" / "fails").touch()
    assert main(["build", "--project", str(root)]) == 5
    printed = capsys.readouterr()
    lines = [line.split() for line in printed.out.splitlines()]
    assert {(w[0], w[3]) for w in lines if w and w[0] in {"built", "failed"}} >= {
        ("failed", "cards"),
        ("built", "lending"),
        ("built", "the"),
    }
    assert "cards\tmodel.x.y\terror" in printed.out
    assert SECRET not in printed.out + printed.err
    assert main(["build", "--domain-only", "--project", str(root), "--json"]) == 5
    told = json.loads(capsys.readouterr().out)
    assert [p["part"] for p in told["parts"]] == ["cards", "lending", "the quality"]
    assert told["error"]["code"] == "build"


def _done(part):
    return Built(part=part, state="built", seconds=0.0)


def test_the_mesh_writes_nothing_into_a_domain(root):
    before = {p for p in (root / "domains").rglob("*") if "data" not in p.parts}
    run(root, mesh_only=True)
    assert {p for p in (root / "domains").rglob("*") if "data" not in p.parts} == before
    assert Path(root / "logs" / "fl-build.log").exists()
