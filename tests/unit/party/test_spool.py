"""The spool: private, whole, gone with its run, and never a path out of a message."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fl_plugin.errors import StorageError
from fl_plugin.party.spool import FOLDER, Spool, sweep


def written(domain: Path, run: str = "run-1") -> Spool:
    spool = Spool(domain, run)
    with spool.writing("rows") as file:
        file.write(b"12345678")
    return spool


def folders(domain: Path) -> list[Path]:
    return list((domain / FOLDER).iterdir())


def test_nothing_is_made_before_the_first_file(tmp_path):
    Spool(tmp_path, "run-1").close()
    assert not (tmp_path / FOLDER).exists()


def test_only_this_user_may_read_it(tmp_path):
    spool = written(tmp_path)
    (folder,) = folders(tmp_path)
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (folder, tmp_path / FOLDER)}
    assert modes == {0o700}
    assert stat.S_IMODE(spool.path("rows").stat().st_mode) == 0o600


def test_it_goes_with_its_run(tmp_path):
    spool = written(tmp_path)
    spool.close()
    spool.close()
    assert folders(tmp_path) == []


def test_it_goes_when_nobody_knows_it_any_more(tmp_path):
    spool = written(tmp_path)
    assert len(folders(tmp_path)) == 1
    del spool
    assert folders(tmp_path) == []


def test_it_goes_when_a_step_of_the_opening_fails(tmp_path):
    spool = written(tmp_path)
    with pytest.raises(ZeroDivisionError), spool.kept():
        raise ZeroDivisionError
    assert folders(tmp_path) == []


def test_a_run_under_way_is_not_swept(tmp_path):
    spool = written(tmp_path)
    sweep(tmp_path)
    assert spool.path("rows").read_bytes() == b"12345678"
    spool.close()


def test_what_a_killed_process_left_is_swept(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; "
        "from fl_plugin.party.spool import Spool; s = Spool(Path(sys.argv[1]), 'r'); "
        "w = s.writing('rows'); w.__enter__(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(folders(tmp_path)) == 1
    mine = written(tmp_path)
    sweep(tmp_path)
    assert [f.name for f in folders(tmp_path)] == [mine.path("rows").parent.name]
    mine.close()


@pytest.mark.parametrize("run", ["../../out", "/out", "", "a\x00b", "x" * 300])
def test_a_message_names_no_path(tmp_path, run):
    spool = written(tmp_path, run)
    assert spool.path("rows").resolve().is_relative_to(tmp_path / FOLDER)
    assert len(folders(tmp_path)) == 1
    spool.close()


def test_a_link_in_its_place_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("x")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "run-1.0").symlink_to(elsewhere)
    sweep(tmp_path)
    assert (elsewhere / "kept").exists()


def test_a_full_disk_is_an_error_with_a_remedy_and_leaves_nothing(tmp_path):
    spool = Spool(tmp_path, "run-1")
    with pytest.raises(StorageError, match="memory"), spool.writing("rows"):
        raise OSError(28, "No space left on device")
    assert folders(tmp_path) == []
