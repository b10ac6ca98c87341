"""A disk that fills up anywhere in a run: said in words, and the run goes on later.

The whole mesh lies on a disk with less and less room, so that ledgers, journal, spool,
registry and the state of the run each come to its end.
"""

import errno
import io
import json
import os
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from fl_plugin import Mesh
from fl_plugin.cli.main import main
from fl_plugin.coordinator.journal import Journal, JournalError
from fl_plugin.errors import StorageError
from fl_plugin.ledger.chain import verify
from fl_plugin.ledger.store import Ledger
from tests.faults.disks import mounted, room
from tests.faults.telling import LONGEST, SERVER
from tests.made_mesh import STUDY, make_mesh
from tests.small_mesh import small

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
SIZE = "12m"
LEFT = (0, 20, 60, 80, 100, 120, 320, 600, 1_000, 1_200, 1_300, 2_400)  # kB


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return make_mesh(tmp_path_factory.mktemp("mesh"), small(DOMAINS))


@pytest.fixture(scope="module")
def expected(original, tmp_path_factory):
    root = shutil.copytree(original, tmp_path_factory.mktemp("plain") / "mesh")
    return Mesh.open(root).train(STUDY).record.model_digest


def scenario(original, folder, left, *settings):
    """Train with little room, then go on with enough; return what was said, and made.

    In a process of its own, whose mount goes with it.
    """
    receiver, sender = SERVER.Pipe(duplex=False)
    words = (os.fspath(original), os.fspath(folder), left, settings, sender)
    process = SERVER.Process(target=_scenario, args=words)
    process.start()
    sender.close()
    assert receiver.poll(LONGEST), "hangs"
    found = receiver.recv()
    process.join()
    return found


def _scenario(original, folder, left, settings, sender):
    folder = Path(folder)
    for setting in settings:
        setting()
    on_a_mount = bounded not in settings and mounted(folder, SIZE)
    root = Path(shutil.copytree(original, folder / "mesh"))
    with room(folder, left, on_a_mount=on_a_mount):
        code, text = _fl(root, "train", STUDY)
    found = {"code": code, "text": text, "heads": _whole(root)}
    mesh = Mesh.open(root)
    waiting = [s.run for s in mesh.runs if s.standing == "interrupted"]
    if code:
        words = ("runs", "resume", *waiting) if waiting else ("train", STUDY)
        found["again"] = _fl(root, *words)
    found["resumed"] = bool(waiting)
    found["models"] = [e.run.model_digest for e in Mesh.open(root).models.entries]
    found["problems"] = len(Mesh.open(root).models.problems)
    found["left"] = [p.name for p in root.rglob("*") if _is_left(p)]
    found["whole"] = _whole(root)
    found["once"] = _once(root)
    sender.send(found)


def bounded():
    """Bound each file, as where nothing can be mounted."""


def _fl(root, *words):
    screen = io.StringIO()
    with redirect_stdout(screen), redirect_stderr(screen):
        code = main([*words, "--project", os.fspath(root)])
    return code, screen.getvalue()


def _is_left(path):
    drafted = path.name.startswith(".") and path.name != ".lock"
    return drafted or path.name == "journal" or path.parent.name == "spool"


def _ledgers(root):
    return list(root.glob("domains/*/ledger/ledger.sqlite"))


def _whole(root):
    """Whether every ledger's chain is whole."""
    found = []
    for path in _ledgers(root):
        with Ledger.open(path) as ledger:
            found.append(verify(ledger).ok)
    return all(found)


def _once(root):
    """Whether each round of the run that was done is on record once."""
    (entry,) = Mesh.open(root).models.entries
    for path in _ledgers(root):
        with Ledger.open(path) as ledger:
            records = ledger.show(run=entry.run.run)
            rounds = [(r.action, r.rule, r.round) for r in records if r.round]
            rounds = [r for r in rounds if r[0] != "refuse"]
            if len(set(rounds)) != len(rounds) or ledger.open_runs():
                return False
    return True


def survives(original, folder, left, expected, *settings):
    found = scenario(original, folder, left, *settings)
    shown = json.dumps(found, indent=1)
    assert found["code"] in {0, 6}, shown
    if found["code"]:
        assert "error: " in found["text"]
        assert "hint: " in found["text"]
        assert "a defect" not in found["text"], shown
        assert "Traceback" not in found["text"]
        assert found["again"][0] == 0, shown
    assert found["models"] == [expected], shown
    assert (found["problems"], found["left"]) == (0, []), shown
    assert found["heads"], shown
    assert found["whole"], shown
    assert found["once"], shown
    return found


def test_a_disk_that_fills_up(original, expected, tmp_path, figure, extent):
    # No room, all that it takes, and some between: all of it, when asked for.
    between = extent.dice("disks").sample(LEFT[1:-1], extent.disks - 2)
    ends = []
    for number, left in enumerate([LEFT[0], *sorted(between), LEFT[-1]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = survives(original, folder, left * 1_024, expected)
        ends.append(found["code"])
    assert (ends[0], ends[-1]) == (6, 0)
    figure("disks that filled up in a run, which then went on", ends.count(6))


@pytest.mark.parametrize("left", [20, 60])
def test_a_file_that_may_not_grow(original, expected, tmp_path, left):
    survives(original, tmp_path, left * 1_024, expected, bounded)


def full(*_places, **_words):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# Where a full disk is met, at which call of it, and whose words are said.
PLACES = {
    "the run's state": ("fl_plugin.mesh.running", "whole", "runs/"),
    "the coordinator's journal": (
        "fl_plugin.coordinator.journal",
        "write_all",
        "journal",
    ),
    "the spool": ("fl_plugin.party.spool.Spool", "_make", "its folder spool"),
    "the model's folder": ("fl_plugin.registry.reservation", "_write", "registry"),
}


def test_a_full_disk_at_the_journal_keeps_what_was_kept(tmp_path):
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.keep({"ash": b"1"}, {"ash": b"one"}, 0.1)
        size = path.stat().st_size
        with (
            patch("fl_plugin.coordinator.journal.os.fdatasync", full),
            pytest.raises(JournalError, match="No space left"),
        ):
            journal.keep({"ash": b"2"}, {"ash": b"two"}, 0.1)
        assert path.stat().st_size == size
    with Journal(path) as journal:
        assert journal.kept == 1
        heard = journal.next({"ash": b"1"})
        assert heard is not None
        assert heard.replies == {"ash": b"one"}
        assert journal.next({"ash": b"2"}) is None


def test_what_a_journal_forgets_is_asked_again(tmp_path):
    path = tmp_path / "journal"
    with Journal(path) as journal:
        for number in (b"1", b"2"):
            assert journal.next({"ash": number}) is None
            journal.keep({"ash": number}, {"ash": b"reply"}, 0.1)
        journal.forget()
        journal.forget()  # the same one
    with Journal(path) as journal:
        assert journal.kept == 1
        assert journal.next({"ash": b"1"}) is not None
        assert journal.next({"ash": b"2"}) is None
        journal.forget()  # not kept: nothing to forget
        assert journal.kept == 1


@pytest.mark.parametrize("place", PLACES)
def test_a_full_disk_at(original, expected, tmp_path, place, monkeypatch):
    if place == "the spool":  # no row of a run fits into memory
        monkeypatch.setattr("fl_plugin.party.rows.SHARE", 2**62)
    module, name, words = PLACES[place]
    root = shutil.copytree(original, tmp_path / "mesh")
    mesh = Mesh.open(root)
    with patch(f"{module}.{name}", full), pytest.raises(StorageError) as caught:
        mesh.train(STUDY)
    assert words in caught.value.problem
    assert "No space left on device" in caught.value.problem
    assert not mesh.models.entries
    waiting = [s.run for s in mesh.runs if s.standing == "interrupted"]
    made = mesh.resume(waiting[0]) if waiting else mesh.train(STUDY)
    assert made.record.model_digest == expected
    assert [e.version for e in mesh.models.entries] == [1]
