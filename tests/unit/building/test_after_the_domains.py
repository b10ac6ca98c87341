"""What other rooms make of a build: quality, and who reviews what."""

import pytest

from fl_plugin.building.build import Built, Work
from fl_plugin.contracts.codeowners import FILE, Codeowners
from fl_plugin.errors import BuildError
from fl_plugin.mesh.building import _owners, _quality
from fl_plugin.scaffold.domain import new_domain
from fl_plugin.scaffold.mesh import new_mesh
from fl_plugin.scaffold.team import team_of

TEXT = "# head\n\n# a\n/domains/a/ a@bank.example\n"


@pytest.fixture
def work(tmp_path, monkeypatch):
    root = new_mesh(tmp_path / "bank")
    new_domain(root, "a", team_of("a"))
    monkeypatch.setattr(Codeowners, "text", lambda self: TEXT)
    built = Built(part="a", state="built", seconds=1.0)
    return Work(root=root, program="", limit=1.0, parts=(built,))


def test_owners_are_written_for_a_new_domain_only(work):
    assert _owners(work).note == ".github/CODEOWNERS written"
    file = work.root / FILE
    assert file.read_text() == TEXT
    assert _owners(work).note == ".github/CODEOWNERS is current"


def test_a_change_of_owners_is_told_and_left_to_a_person(work):
    file = work.root / FILE
    file.parent.mkdir()
    stale = TEXT.replace("a@bank", "b@bank")
    file.write_text(stale)
    assert "fl contract codeowners --write" in _owners(work).note
    assert file.read_text() == stale
    new_domain(work.root, "b", team_of("b"))
    assert _owners(work).note == ".github/CODEOWNERS written"


def test_what_cannot_be_measured_is_a_part_that_failed(work, monkeypatch):
    assert _quality(work).state == "failed"  # `a` was never built in truth
    nothing = Work(root=work.root, program="", limit=1.0, parts=())
    assert _quality(nothing).note == "0 products measured"


def test_owners_that_cannot_be_read_are_a_part_that_failed(work, monkeypatch):
    def broken(self):
        raise BuildError("a has to be parsed.", remedy="Build it.")

    monkeypatch.setattr(Codeowners, "text", broken)
    found = _owners(work)
    assert (found.state, found.note) == ("failed", "a has to be parsed.")
