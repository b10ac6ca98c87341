"""What every mesh shares has one source: this repository's own folders."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fl_plugin.errors import MeshError
from fl_plugin.scaffold import shared
from fl_plugin.scaffold.shared import DEMO_ONLY, PLACES, shared_files

REPOSITORY = Path(__file__).parents[3]
SOURCES = {"macros": "macros", "governance": "models/governance", "checks": "tests/dbt"}


def test_a_mesh_gets_the_repositorys_files_byte_by_byte():
    found = shared_files()
    for name, source in SOURCES.items():
        for path in (REPOSITORY / source).rglob("*.sql"):
            place = f"{PLACES[name]}/{path.relative_to(REPOSITORY / source)}"
            if path.stem in DEMO_ONLY:
                assert place not in found
            else:
                assert found[place] == path.read_text(encoding="utf-8")


def test_what_is_about_the_demo_is_still_there_and_nothing_else_needs_it():
    stems = {p.stem for s in SOURCES.values() for p in (REPOSITORY / s).rglob("*.sql")}
    assert stems >= DEMO_ONLY
    for place, text in shared_files().items():
        for name in DEMO_ONLY:
            assert not re.search(rf"\b{name}\b", text), place


def test_every_macro_that_is_shared_is_described_and_no_other():
    found = shared_files()
    described = set(re.findall(r"^  - name: (\w+)", found["macros/macros.yml"], re.M))
    macros = {Path(p).stem for p in found if re.match(r"macros/[^/]+\.sql", p)}
    tests = {f"test_{Path(p).stem}" for p in found if "/generic_tests/" in p}
    assert described == macros | tests


def test_an_installation_without_them_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "FOLDER", tmp_path)
    with pytest.raises(MeshError, match="lacks what every mesh shares"):
        shared_files()


@pytest.mark.slow
def test_a_wheel_holds_every_template_and_every_shared_file(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    room = REPOSITORY / "fl_plugin" / "scaffold"
    wanted = {p.relative_to(REPOSITORY) for p in (room / "templates").rglob("*.j2")}
    wanted |= {
        Path("fl_plugin/scaffold/shared") / name / path.relative_to(REPOSITORY / source)
        for name, source in SOURCES.items()
        for path in (REPOSITORY / source).rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(wheel) as packed:
        assert {str(path) for path in wanted} <= set(packed.namelist())
