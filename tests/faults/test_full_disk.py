"""A disk that fills up anywhere in a run: said in words, and the run goes on later.

The whole mesh lies on a disk with less and less room, so that ledgers, journal, spool,
registry and the state of the run each come to its end.
"""

import errno
import json
import os
import shutil
from unittest.mock import patch

import pytest

from fl_plugin import Mesh
from fl_plugin.coordinator.journal import Journal, JournalError
from fl_plugin.errors import StorageError
from fl_plugin.ledger.chain import verify
from tests.faults.books import books, on_record_twice
from tests.faults.disks import mounted, room
from tests.faults.forked import apart
from tests.made_mesh import STUDY
from tests.typing_in import printed

pytestmark = pytest.mark.slow
SIZE = "12m"
LEFT = (0, 20, 60, 80, 100, 120, 320, 600, 1_000, 1_200, 1_300, 2_400)  # kB


def scenario(original, folder, left, *, on_a_mount=True):
    """Train with little room, then go on with enough; return what was said, and made.

    In a process of its own, with which its mount goes.

    Args:
        original: The mesh.
        folder: Where a copy of it lies.
        left: Room, in bytes.
        on_a_mount: Whether the room is a file system's, where one can be mounted;
            else, each file may be so large.
    """
    code, found = apart(_scenario, original, folder, left, on_a_mount)
    assert code == 0
    return found


def _scenario(original, folder, left, on_a_mount):
    on_a_mount = on_a_mount and mounted(folder, SIZE)
    root = shutil.copytree(original, folder / "mesh")
    with room(folder, left, on_a_mount=on_a_mount):
        code, text = printed(["train", STUDY, "--project", os.fspath(root)])
    found = {"code": code, "text": text, "whole at the fault": _whole(root)}
    mesh = Mesh.open(root)
    if code:
        waiting = [s.run for s in mesh.runs if s.standing == "interrupted"]
        words = ["runs", "resume", *waiting] if waiting else ["train", STUDY]
        found["again"] = printed([*words, "--project", os.fspath(root)])
    return found | {
        "models": [e.run.model_digest for e in mesh.models.entries],
        "problems": len(mesh.models.problems),
        "left": [p.name for p in root.rglob("*") if _is_left(p)],
        "whole": _whole(root),
        "twice": _twice(mesh),
        "open": [run.run for ledger in books(root) for run in ledger.open_runs()],
    }


def _is_left(path):
    drafted = path.name.startswith(".") and path.name != ".lock"
    return drafted or path.name == "journal" or path.parent.name == "spool"


def _whole(root):
    """Whether every ledger's chain is whole."""
    ledgers = root.glob("domains/*/ledger/ledger.sqlite")
    return all(verify(ledger).ok for ledger in ledgers)


def _twice(mesh):
    """Return what the run that was done has on record twice; it may refuse again."""
    (entry,) = mesh.models.entries
    ledgers = mesh.audit(run=entry.run.run).values()
    return [
        event
        for records in ledgers
        for event in on_record_twice(r for r in records if r.action != "refuse")
    ]


def survives(found):
    """Check what was said on the way, and what has become of it; return its model."""
    shown = json.dumps(found, indent=1)
    assert found["code"] in {0, 6}, shown
    if found["code"]:
        assert "error: " in found["text"]
        assert "hint: " in found["text"]
        assert "a defect" not in found["text"], shown
        assert "Traceback" not in found["text"]
        assert found["again"][0] == 0, shown
    assert found["whole at the fault"], shown
    assert found["whole"], shown
    assert [found[w] for w in ("problems", "left", "twice", "open")] == [0, [], [], []]
    return found["models"]


def test_a_disk_that_fills_up(original, expected, tmp_path, figure, extent):
    # No room, all that it takes, and some between: all of it, when asked for.
    between = extent.dice("disks").sample(LEFT[1:-1], extent.disks - 2)
    ends = []
    for number, left in enumerate([LEFT[0], *sorted(between), LEFT[-1]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = scenario(original, folder, left * 1_024)
        assert survives(found) == [expected.model_digest]
        ends.append(found["code"])
    assert (ends[0], ends[-1]) == (6, 0)
    figure("disks that filled up in a run, which then went on", ends.count(6))


@pytest.mark.parametrize("left", [20, 60])
def test_a_file_that_may_not_grow(original, expected, tmp_path, left):
    found = scenario(original, tmp_path, left * 1_024, on_a_mount=False)
    assert survives(found) == [expected.model_digest]


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
def test_a_full_disk_at(mesh, expected, place, monkeypatch):
    if place == "the spool":  # no row of a run fits into memory
        monkeypatch.setattr("fl_plugin.party.rows.SHARE", 2**62)
    module, name, words = PLACES[place]
    with patch(f"{module}.{name}", full), pytest.raises(StorageError) as caught:
        mesh.train(STUDY)
    assert words in caught.value.problem
    assert "No space left on device" in caught.value.problem
    assert not mesh.models.entries
    waiting = [s.run for s in mesh.runs if s.standing == "interrupted"]
    made = mesh.resume(waiting[0]) if waiting else mesh.train(STUDY)
    assert made.record.model_digest == expected.model_digest
    assert [e.version for e in mesh.models.entries] == [1]
