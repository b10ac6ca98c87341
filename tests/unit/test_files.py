"""A file appears whole or not at all."""

import multiprocessing
import os
import signal

import pytest

from fl_plugin.files import PRIVATE, create, remove, whole


def test_what_was_written_is_there_under_its_name(tmp_path):
    with whole(tmp_path / "a.txt") as file:
        file.write(b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert [f.name for f in tmp_path.iterdir()] == ["a.txt"]


def test_until_the_end_the_old_file_is_there(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"old")
    with whole(tmp_path / "a.txt") as file:
        file.write(b"new")
        assert (tmp_path / "a.txt").read_bytes() == b"old"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"old")

    def fail():
        with whole(tmp_path / "a.txt") as file:
            file.write(b"half")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert [f.name for f in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("mode", [PRIVATE, 0o644, 0o755])
def test_a_file_has_the_mode_that_was_asked_for(tmp_path, mode):
    with whole(tmp_path / "a.txt", mode=mode) as file:
        file.write(b"x")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode


def test_a_folder_that_is_not_there_is_the_caller_s_to_tell(tmp_path):
    with pytest.raises(FileNotFoundError), whole(tmp_path / "none" / "a.txt"):
        pass


def test_a_long_name_can_be_written(tmp_path):
    with whole(tmp_path / ("a" * 250)) as file:
        file.write(b"x")
    assert (tmp_path / ("a" * 250)).exists()


def test_a_new_file_is_written_over_by_nobody(tmp_path):
    create(tmp_path / "a.key", b"first")
    with pytest.raises(FileExistsError):
        create(tmp_path / "a.key", b"second")
    assert (tmp_path / "a.key").read_bytes() == b"first"
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == PRIVATE
    assert [f.name for f in tmp_path.iterdir()] == ["a.key"]


def test_half_a_new_file_is_none(tmp_path, monkeypatch):
    """What is killed before its name is there leaves nothing under that name."""
    seen = []

    def fail(_handle):
        seen.append((tmp_path / "a.key").exists())
        raise OSError

    monkeypatch.setattr("fl_plugin.files.os.fsync", fail)
    with pytest.raises(OSError, match=r"^$"):
        create(tmp_path / "a.key", b"key")
    assert seen == [False]
    assert list(tmp_path.iterdir()) == []


def killed_while_it_writes(path):
    """Write half a file in a process that is killed; return what is left of it."""

    def write():
        with whole(path) as file:
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=write)
    process.start()
    process.join()
    return [f.name for f in path.parent.iterdir() if f != path]


def test_what_a_killed_writer_has_left_goes_with_the_next_one(tmp_path):
    path = tmp_path / "a.part"
    assert len(killed_while_it_writes(path)) == 1
    with whole(path) as file:
        file.write(b"new")
    assert [f.name for f in tmp_path.iterdir()] == ["a.part"]
    assert path.read_bytes() == b"new"


def test_what_a_killed_writer_has_left_goes_with_its_file(tmp_path):
    path = tmp_path / "a.part"
    path.write_bytes(b"old")
    assert len(killed_while_it_writes(path)) == 1
    remove(path)
    assert list(tmp_path.iterdir()) == []


def test_what_another_writer_writes_stays(tmp_path):
    path = tmp_path / "a.part"
    with whole(path) as slow:
        slow.write(b"slow")
        with whole(path) as quick:
            quick.write(b"quick")
        remove(path)
    assert path.read_bytes() == b"slow"


def test_what_only_looks_like_a_writer_s_stays(tmp_path):
    other = [tmp_path / ".b.part.abcdefgh.aside", tmp_path / ".a.part"]
    for file in other:
        file.touch()
    with whole(tmp_path / "a.part"):
        pass
    assert all(file.exists() for file in other)
