"""Large messages of open runs lie in files that nobody reads once the run is closed."""

import pytest

from fl_plugin.errors import PolicyError, StorageError
from fl_plugin.ledger import Ledger
from fl_plugin.ledger.bodies import FOLDER
from fl_plugin.ledger.journal import LARGE, OpenRun

RUN = OpenRun(run="run-1", caller="bank", secret=bytes(32), facts="{}")
MESSAGES = {1: b"small", 2: b"large" * LARGE, 3: b"last" * LARGE}
MADE = b"made" * LARGE


@pytest.fixture
def kept(path, entry):
    """Return a ledger in which a run is open, and some of its messages are large."""
    with Ledger.open(path) as ledger:
        with ledger.transaction() as tx:
            tx.append(entry())
            tx.open_run(RUN)
        for number, ask in MESSAGES.items():
            with ledger.transaction() as tx:
                tx.append(entry(released=f"sha256:{number}"))
                tx.keep_message(RUN.run, number, ask, MADE if number == 1 else b"")
        yield ledger


def files(path):
    return sorted((path.parent / FOLDER).glob("*"))


def test_messages_come_back_in_order_with_what_was_made_and_what_left(kept):
    found = list(kept.messages(kept.open_run(RUN.run)))
    assert [m.ask for m in found] == list(MESSAGES.values())
    assert [m.made for m in found] == [MADE, b"", b""]
    assert [m.released for m in found] == ["sha256:1", "sha256:2", "sha256:3"]


def test_files_are_private_and_unreadable_without_the_secret(kept, path):
    (file,) = files(path)
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    raw = file.read_bytes()
    assert b"large" not in raw
    assert b"made" not in raw


def undone(ledger, entry):
    with ledger.transaction() as tx:
        tx.append(entry)
        tx.keep_message(RUN.run, 4, b"undone" * LARGE)
        raise PolicyError("No.", remedy="None.", reason="test")


def test_what_was_not_committed_is_written_over(kept, entry):
    with pytest.raises(PolicyError):
        undone(kept, entry())
    with kept.transaction() as tx:
        tx.append(entry())
        tx.keep_message(RUN.run, 4, b"done" * LARGE)
    found = list(kept.messages(kept.open_run(RUN.run)))
    assert [m.ask for m in found] == [*MESSAGES.values(), b"done" * LARGE]


def test_a_file_goes_with_its_run_and_with_runs_that_a_crash_has_closed(
    kept, path, entry
):
    kept.forget_run(RUN.run)
    assert files(path) == []
    (path.parent / FOLDER / "left").write_bytes(b"left by a crash")
    with kept.transaction() as tx:
        tx.append(entry())
        tx.open_run(RUN)
    assert files(path) == []


@pytest.mark.parametrize("damage", [b"", b"x" * 10, None])
def test_a_damaged_file_is_told_in_words(kept, path, damage):
    (file,) = files(path)
    if damage is None:
        raw = bytearray(file.read_bytes())
        raw[100] ^= 1
        file.write_bytes(raw)
    else:
        file.write_bytes(damage)
    with pytest.raises(StorageError, match="kept of the run run-1 are damaged"):
        list(kept.messages(kept.open_run(RUN.run)))
