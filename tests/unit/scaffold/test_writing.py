"""Whole or not at all, and never over what is there."""

import os
from pathlib import Path

import pytest

from fl_plugin.errors import StorageError, UsageError
from fl_plugin.scaffold.writing import add_files, make_folder


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_a_folder_has_all_its_files_and_nothing_beside_it(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"\xef\xbb\xbfa,b\n")
    make_folder(tmp_path / "new", {"a.txt": "ä", "b/c": b"\x00", "d": source})
    assert names(tmp_path) == [
        "new",
        "new/a.txt",
        "new/b",
        "new/b/c",
        "new/d",
        "source",
    ]
    assert (tmp_path / "new/a.txt").read_text(encoding="utf-8") == "ä"
    assert (tmp_path / "new/d").read_bytes() == b"a,b\n"  # no byte order mark


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "new").mkdir()
    make_folder(tmp_path / "new", {"a": "1"})
    assert names(tmp_path) == ["new", "new/a"]


def test_an_empty_folder_that_somebody_is_in_is_filled_where_it_is(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    make_folder(tmp_path, {"a/x": "1", "b": "2", "a/y": "3", "last": "4"})
    assert sorted(os.listdir()) == ["a", "b", "last"]  # noqa: PTH208 - what cwd is now
    assert names(Path()) == ["a", "a/x", "a/y", "b", "last"]


def test_a_folder_that_cannot_be_filled_is_left_empty(tmp_path, monkeypatch):
    real = Path.rename

    def rename(self, target):
        if target == tmp_path / "last":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(StorageError, match="No space left"):
        make_folder(tmp_path, {"a/x": "1", "last": "4"})
    assert names(tmp_path) == []


@pytest.mark.parametrize("what", ["file", "full", "link"])
def test_nothing_is_put_over_what_is_there(tmp_path, what):
    place = tmp_path / "new"
    if what == "file":
        place.write_text("mine")
    elif what == "full":
        place.mkdir()
        (place / "mine").write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        place.symlink_to(tmp_path / "elsewhere")
    before = names(tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        make_folder(place, {"a": "1"})
    assert names(tmp_path) == before


def test_a_file_that_cannot_be_written_leaves_no_folder(tmp_path):
    with pytest.raises(StorageError):
        make_folder(tmp_path / "new", {"a": "1", "b": tmp_path / "missing"})
    assert names(tmp_path) == []


def test_files_that_are_there_are_named_and_kept(tmp_path):
    (tmp_path / "b").write_text("mine")
    with pytest.raises(UsageError, match="has these files already: b"):
        add_files(tmp_path, {"a": "1", "b": "2"})
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_text() == "mine"


def test_a_disk_that_refuses_the_second_file_takes_the_first_back(
    tmp_path, monkeypatch
):
    real, seen = os.link, []

    def link(source, target):
        seen.append(target)
        if len(seen) == 2:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr("os.link", link)
    with pytest.raises(StorageError, match="No space left"):
        add_files(tmp_path, {"a": "1", "b": "2", "c": "3"})
    assert names(tmp_path) == []


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "models").symlink_to(outside)
    with pytest.raises(UsageError, match="leads out of"):
        add_files(inside, {"models/a.sql": "1"})
    assert names(outside) == []
