"""The tutorials of the steward and of the operator, typed as they stand."""

from pathlib import Path

import pytest

from fl_plugin.cli.main import main
from tests.typing_in import Step, steps, typed_whole

pytestmark = pytest.mark.slow
DOCS = Path(__file__).parents[2] / "docs"


def test_the_steward_s_tutorial_works_as_it_stands(
    mesh_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mesh_folder)
    compared, otherwise = typed_whole(DOCS / "steward-tutorial.md")
    assert not otherwise
    assert compared >= 21


def test_the_operator_s_tutorial_works_as_it_stands(
    mesh_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mesh_folder)
    lenders = [mesh_folder.parent / d.name for d in (mesh_folder / "domains").iterdir()]
    try:
        compared, otherwise = typed_whole(DOCS / "operator-tutorial.md")
    finally:
        for machine in (*lenders, mesh_folder):
            main(["flower", "stop", "--project", str(machine)])
    assert not otherwise
    assert compared >= 20


def test_a_step_keeps_what_follows_it() -> None:
    text = "```console\n$ fl plan x     # exit 3\nerror: no\n$ fl plan y\n```\n"
    assert steps(text) == [
        Step("fl plan x", 3, ("error: no",)),
        Step("fl plan y", 0, ()),
    ]
