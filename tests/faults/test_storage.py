"""Whatever is wrong with a domain's files: one sentence, one exit code, nothing lost.

The program runs as a user would start it; docs/operating.md lists what it says.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pytest

from fl_plugin import Mesh
from fl_plugin.ledger.chain import verify
from fl_plugin.ledger.store import Ledger
from tests.faults.damaging import newer_format
from tests.faults.telling import as_plain_user, impatient, told
from tests.made_mesh import STUDY

pytestmark = pytest.mark.slow
FILE = Path("domains/birch/data/birch.duckdb")
LEDGER = Path("domains/birch/ledger/ledger.sqlite")
OTHERS = [f"domains/{d}/data/{d}.duckdb" for d in ("ash", "cedar")]


@pytest.fixture
def root(trained, tmp_path):
    """A mesh in which a run is done, so that there are ledgers."""
    copy = shutil.copytree(trained, tmp_path / "mesh")
    yield copy
    for folder, _, _ in os.walk(copy):
        Path(folder).chmod(0o755)  # or nobody could remove it


@contextmanager
def held(program: str, file: Path) -> Iterator[None]:
    """Have another process hold a file."""
    program = f"{program}; print(1, flush=True); input()"
    words = [sys.executable, "-c", program, str(file)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        try:
            yield
        finally:
            process.kill()


DUCKDB = "import duckdb, sys; c = duckdb.connect(sys.argv[1])"
WRITER = "import fcntl, sys; f = open(sys.argv[1], 'ab'); fcntl.flock(f, fcntl.LOCK_EX)"
SQLITE = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
    "c.execute('begin immediate')"
)


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 4
    file.write_bytes(data)


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


def pipe_instead(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def folder_made(place: Path) -> None:
    place.mkdir()


def another_program_s(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("create table rows_of_it (a integer)")


def altered(statement: str, file: Path) -> None:
    with duckdb.connect(file) as connection:
        connection.execute(statement)


def newer_ledger(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("update ledger_schema set version = 99")


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 3)


TABLE = "alter table rows_of_it"
Cause = Callable[[Path], object]
# What is done to the domain's database, the exit code, and words of what is said.
DATABASE: dict[str, tuple[Cause, int, str]] = {
    "missing": (Path.unlink, 5, "does not exist"),
    "empty": (lambda f: os.truncate(f, 0), 6, "is empty"),
    "a folder": (folder_instead, 6, "is a folder"),
    "no database": (lambda f: f.write_bytes(b"PK\3\4" * 999), 6, "is not a DuckDB"),
    "of another program": (another_program_s, 6, "is not a DuckDB database"),
    "cut": (cut, 6, "is damaged"),
    "a bit flipped": (lambda f: flip(f, 20_000), 6, "is damaged"),
    "a newer format": (newer_format, 6, "is of a format that this version of DuckDB"),
    "unreadable": (lambda f: f.chmod(0), 6, "may not be read by this user"),
    "in a folder that nobody may enter": (
        lambda f: f.parent.chmod(0),
        6,
        "may not be read by this user",
    ),
    "a pipe": (pipe_instead, 6, "is a device or a pipe, not a file"),
    "a column gone": (
        partial(altered, f"{TABLE} drop column b"),
        3,
        "differs from its contract: b is missing",
    ),
    "a column renamed": (
        partial(altered, f"{TABLE} rename column b to c"),
        3,
        "differs from its contract: b is missing, c is not in the contract",
    ),
    "a column of another type": (
        partial(altered, f"{TABLE} alter b type varchar"),
        3,
        "differs from its contract: b is VARCHAR, not DOUBLE",
    ),
    "the table gone": (
        partial(altered, "drop table rows_of_it"),
        3,
        "has no table for birch.rows_of_it",
    ),
}
BOOKS: dict[str, tuple[Cause, str]] = {
    "empty": (lambda f: os.truncate(f, 0), "is empty"),
    "a folder": (folder_instead, "is a folder"),
    "no ledger": (lambda f: f.write_bytes(b"x" * 4_096), "is not a ledger"),
    "cut": (cut, "is damaged"),
    "its first bytes flipped": (lambda f: flip(f, 5), "is not a ledger"),
    "newer": (newer_ledger, "of a version that this program does not know"),
    "read-only": (lambda f: f.chmod(0o444), "cannot be written"),
    "in a folder that is read-only": (
        lambda f: f.parent.chmod(0o555),
        "cannot be written",
    ),
    "in a folder that nobody may enter": (
        lambda f: f.parent.chmod(0),
        "cannot be opened",
    ),
}


def refused(root):
    """Train, and check that it fails in own words, and leaves nothing half-written."""
    before = [(root / other).read_bytes() for other in OTHERS]
    found = told(root, "train", STUDY, within=[as_plain_user, impatient])
    assert "birch" in found.error, found.text
    assert "hint: " in found.error
    for hidden in ("Traceback", str(root), "Exception", "a defect"):
        assert hidden not in found.text
    assert [(root / other).read_bytes() for other in OTHERS] == before
    assert len(list((root / "registry").rglob("run.json"))) == 1
    assert not list((root / "registry").rglob("*.draft"))
    return found


@pytest.mark.parametrize("fault", DATABASE)
def test_a_database_that_is(root, fault):
    cause, code, words = DATABASE[fault]
    cause(root / FILE)
    found = refused(root)
    assert (found.code, words in found.error) == (code, True), found.text
    with Ledger.open(root / LEDGER) as ledger:
        assert ledger.show(action="refuse")
        assert verify(ledger).ok


def test_a_locked_database_names_who_holds_it_and_the_run_goes_on(root):
    with held(DUCKDB, root / FILE):
        found = refused(root)
    assert found.code == 6
    assert re.search(r"is locked by process \d+ \(python", found.error)
    assert goes_on(root, found)


# Files of the domain's that decide, and what is done to them: told without its folder.
OWN = {
    "node.yml": (lambda f: f.chmod(0), 6, "node.yml cannot be read (Permission"),
    "permissions.yml": (folder_made, 4, "permissions.yml does not exist"),
    "target/manifest.json": (lambda f: f.chmod(0), 6, "manifest.json cannot be read"),
    "target": (lambda f: f.chmod(0), 6, "manifest.json cannot be read (Permission"),
}


@pytest.mark.parametrize("name", OWN)
def test_no_folder_of_the_host_is_told_of(root, name):
    cause, code, words = OWN[name]
    cause(root / "domains" / "birch" / name)
    found = refused(root)  # which looks for the mesh's folder in all that is said
    assert (found.code, words in found.error) == (code, True), found.text


@pytest.mark.parametrize("fault", BOOKS)
def test_a_ledger_that_is(root, fault):
    cause, words = BOOKS[fault]
    cause(root / LEDGER)
    found = refused(root)
    assert (found.code, words in found.error) == (6, True), found.text


def test_a_locked_ledger_is_waited_for_and_the_run_goes_on(root):
    with held(SQLITE, root / LEDGER):
        found = refused(root)
    assert found.code == 6
    assert "is locked by another process" in found.error
    assert goes_on(root, found)


def test_a_read_only_disk_under_the_data_is_no_fault(root):
    (root / FILE).chmod(0o444)
    (root / FILE).parent.chmod(0o555)
    assert told(root, "train", STUDY, within=[as_plain_user]).code == 0


def goes_on(root, found):
    """Resume the run that an error names, and return whether it is done."""
    assert "To go on with this run: fl runs resume " in found.error
    run = found.error.split()[-1]
    again = told(root, "runs", "resume", run)
    assert again.code == 0, again.text
    first, second = (e.run for e in Mesh.open(root).models.entries)
    assert first.model_digest == second.model_digest
    return Mesh.open(root).run_state(run).standing == "done"


@pytest.mark.parametrize("folder", ["runs", "registry"])
def test_a_mesh_whose_folder_cannot_be_written(root, folder):
    place = root / folder
    study = place / STUDY if folder == "registry" else place
    study.chmod(0o555)
    found = told(root, "train", STUDY, within=[as_plain_user])
    assert found.code == 6
    assert "cannot be written (Permission denied)" in found.error
    study.chmod(0o755)
    if folder == "registry":
        assert goes_on(root, found)
    else:
        assert len(Mesh.open(root).runs) == 1  # none has begun


def test_a_registry_that_another_process_writes_to_is_waited_for(root):
    """All that is left to do is to write the model down: that is not lost."""
    with held(WRITER, root / "registry" / STUDY / ".lock"):
        found = told(root, "train", STUDY, within=[impatient])
    assert found.code == 10
    assert f"Another process is registering a model of {STUDY}" in found.error
    assert goes_on(root, found)
