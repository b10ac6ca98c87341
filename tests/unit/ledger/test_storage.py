"""A ledger's file appears whole, belongs to its owner, and fails with a sentence."""

import os
import sqlite3
import stat
from contextlib import closing

import pytest

from fl_plugin.errors import StorageError
from fl_plugin.ledger import Ledger
from fl_plugin.ledger.storage import storage_error


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_and_its_folder_are_open_to_their_owner_only(path, entry):
    before = os.umask(0)
    try:
        with Ledger.open(path) as ledger:
            ledger.append(entry())
            files = list(path.parent.iterdir())
            assert {f.name for f in files} == {
                "ledger.sqlite", "ledger.sqlite-shm", "ledger.sqlite-wal"
            }  # fmt: skip
            assert {mode(f) for f in files} == {0o600}
    finally:
        os.umask(before)
    assert mode(path.parent) == 0o700


def test_creating_leaves_nothing_else_behind(path):
    Ledger.open(path).close()
    assert [f.name for f in path.parent.iterdir()] == ["ledger.sqlite"]


def test_every_commit_is_synced_to_a_write_ahead_log(ledger):
    with ledger.reading() as connection:
        (journal,) = connection.execute("pragma journal_mode").fetchone()
        (synchronous,) = connection.execute("pragma synchronous").fetchone()
    assert (journal, synchronous) == ("wal", 2)


def test_a_ledger_keeps_its_schema_version(ledger):
    with ledger.reading() as connection:
        versions = connection.execute("select version from ledger_schema").fetchall()
    assert versions == [(3,)]


def test_a_ledger_of_an_unknown_version_is_not_opened(path, tamper):
    Ledger.open(path).close()
    tamper("update ledger_schema set version = 99")
    with pytest.raises(StorageError, match="version"):
        Ledger.open(path)


def test_reading_a_missing_ledger_says_so_and_makes_none(path):
    with pytest.raises(StorageError, match="There is no ledger"):
        Ledger.open(path, write=False)
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "is empty"), (b"x" * 4096, "is not a ledger"), (b"short", "not a ledger")],
)
def test_a_file_that_is_no_ledger_is_named_and_left_alone(path, content, problem):
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(StorageError, match=problem):
        Ledger.open(path)
    assert path.read_bytes() == content


def test_another_database_is_not_taken_for_a_ledger(path):
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table orders (id integer)")
    with pytest.raises(StorageError, match="not a ledger"):
        Ledger.open(path)


def test_a_cut_file_is_a_storage_error(path, entry):
    with Ledger.open(path) as ledger:
        for _ in range(60):
            ledger.append(entry())
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StorageError), Ledger.open(path) as cut:
        cut.show()


def test_a_folder_in_the_ledgers_place_is_a_storage_error(path):
    path.mkdir(parents=True)
    with pytest.raises(StorageError):
        Ledger.open(path)


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be opened"):
        Ledger.open(tmp_path / "file" / "ledger" / "ledger.sqlite")


def test_a_ledger_that_another_process_writes_is_locked_after_the_wait(path, entry):
    with (
        Ledger.open(path, busy_seconds=0.05) as ledger,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("begin immediate")
        with pytest.raises(StorageError, match="is locked by another process"):
            ledger.append(entry())
        other.execute("rollback")
        assert ledger.append(entry()).sequence == 1


def test_a_ledger_opened_for_reading_cannot_be_written(path, entry):
    Ledger.open(path).close()
    with (
        Ledger.open(path, write=False) as ledger,
        pytest.raises(StorageError, match="cannot be written"),
    ):
        ledger.append(entry())


def test_a_full_disk_is_named(tmp_path):
    file = tmp_path / "full.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("create table t (a blob)")
        connection.execute("pragma max_page_count = 3")
        with pytest.raises(sqlite3.Error) as caught:
            connection.execute("insert into t values (zeroblob(1000000))")
    assert "the disk is full" in storage_error(caught.value, file).problem


def test_a_closed_ledger_answers_with_a_storage_error(path):
    ledger = Ledger.open(path)
    ledger.close()
    ledger.close()
    with pytest.raises(StorageError):
        ledger.head()


def test_an_error_names_the_domain_and_hides_the_hosts_folders(path, tmp_path):
    with pytest.raises(StorageError) as caught:
        Ledger.open(path, write=False)
    assert "consumer_banking/ledger/ledger.sqlite" in caught.value.problem
    assert str(tmp_path) not in caught.value.problem
