"""Rows that are spooled stay in their domain's folder, for its user, for the run.

Every number and every key of the rows is one that occurs nowhere else. While a run is
under way, after it, after one that is refused and after a crash they are looked for in
every file: of the mesh, of the folder for temporary files, of the home folder.
"""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fl_plugin import Mesh, MeshError
from fl_plugin.engines.embedded import Embedded
from fl_plugin.manifest.types import Relation
from fl_plugin.party.database import Database
from fl_plugin.party.spool import FOLDER
from tests.canaries import Search, spellings_of_number, spellings_of_text
from tests.faulty import kind_of
from tests.made_mesh import STUDY, Made, make_mesh

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
ROWS = 400
# The child of the test of a crash: it is gone in the middle of the run.
CRASH = """
import os, signal, sys
from pathlib import Path
from fl_plugin import Mesh
from fl_plugin.engines.embedded import Embedded
from tests.faulty import kind_of

def exchange(self, asks, seconds, plain=Embedded.exchange):
    found = plain(self, asks, seconds)
    if kind_of(asks) == "step":
        os.kill(os.getpid(), signal.SIGKILL)
    return found

Embedded.exchange = exchange
import fl_plugin.party.rows
import fl_plugin.party.opening
fl_plugin.party.rows.SHARE = fl_plugin.party.opening.DESIGNS = 2**40
Mesh.open(Path(sys.argv[1])).train(sys.argv[2])
"""


class Planted:
    """A mesh whose rows are all canaries, and where its processes may write."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home = folder / "mesh", folder / "home"
        self.temporary = folder / "temporary"
        self.home.mkdir()
        self.temporary.mkdir()
        needles, tables = {}, {}
        for place, domain in enumerate(DOMAINS):
            tables[domain], needles[domain] = planted_rows(place)
        self.search = Search(needles)
        study = {
            "algorithm": {"name": "logistic_regression", "l2": 1.0},
            "target": "bad",
            "features": ["amount", "said"],
            "evaluation": {"folds": 2, "repeats": 1, "importances": 1},
        }
        accepted = {"said": ["no", "yes"]}
        roles = {"bad": ["label"]}
        make_mesh(
            self.root,
            Made(tables=tables, study=study, roles=roles, accepted=accepted),
        )

    @property
    def spools(self) -> list[Path]:
        """Every run's folder of spooled rows."""
        return sorted(self.root.glob(f"domains/*/{FOLDER}/*"))

    def elsewhere(self) -> list[Path]:
        """Return files that hold a value, but the databases and the spools."""
        places = (self.root, self.home, self.temporary)
        files = (p for place in places for p in place.rglob("*") if p.is_file())
        return [p for p in files if not self._kept(p) and self.holds(p)]

    def holds(self, path: Path) -> bool:
        return self.search.found(path.read_bytes())

    def _kept(self, path: Path) -> bool:
        databases = (self.root / f"domains/{d}/data/{d}.duckdb" for d in DOMAINS)
        return path in databases or any(s in path.parents for s in self.spools)


def planted_rows(place: int) -> tuple[pa.Table, list[bytes]]:
    random = np.random.default_rng(place)
    keys = [f"CANARY{random.bytes(9).hex()}" for _ in range(ROWS)]
    # So large that no counter or checksum of SQLite's, of four bytes, is one of them.
    amounts = random.integers(7 * 10**12, 8 * 10**12, ROWS)
    said = np.array(["no", "yes"])[random.integers(0, 2, ROWS)]
    bad = amounts + 3e11 * random.normal(size=ROWS) > 7.5e12
    columns = {"row_id": keys, "amount": amounts, "said": said, "bad": bad}
    needles = [w for key in keys for w in spellings_of_text(key)]
    needles += [w for a in amounts.tolist() for w in spellings_of_number(a)]
    return pa.table(columns), needles


@pytest.fixture
def planted(tmp_path, monkeypatch) -> Iterator[Planted]:
    found = Planted(tmp_path)
    monkeypatch.setenv("TMPDIR", str(found.temporary))
    monkeypatch.setenv("HOME", str(found.home))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield found
    monkeypatch.undo()
    tempfile.tempdir = None


@pytest.fixture
def spooling(monkeypatch) -> None:
    """Let no row of a run fit into memory."""
    monkeypatch.setattr("fl_plugin.party.rows.SHARE", 2**40)
    monkeypatch.setattr("fl_plugin.party.opening.DESIGNS", 2**40)


def modes(planted):
    """Return the modes of the spools' folders, and of their files."""
    folders = {p for s in planted.spools for p in (s, s.parent)}
    files = {p for s in planted.spools for p in s.iterdir()}
    return tuple(
        {stat.S_IMODE(p.lstat().st_mode) for p in paths} for paths in (folders, files)
    )


def watched(planted, monkeypatch, fails=""):
    """Look for the values after every message; return what was seen by its kind."""
    seen = {}
    plain = Embedded.exchange

    def exchange(self, asks, seconds):
        found = plain(self, asks, seconds)
        kind = kind_of(asks)
        seen[kind] = (
            len(planted.spools),
            sum(any(map(planted.holds, s.iterdir())) for s in planted.spools),
            modes(planted),
        )
        assert planted.elsewhere() == []
        if kind == fails:
            raise MeshError("It ends here.", remedy="None.")
        return found

    monkeypatch.setattr(Embedded, "exchange", exchange)
    return seen


def test_spooled_rows_lie_in_their_domains_folders_and_nowhere_else(
    planted, spooling, monkeypatch
):
    previous = os.umask(0)  # modes must not hang on it
    try:
        seen = watched(planted, monkeypatch)
        Mesh.open(planted.root).train(STUDY)
    finally:
        os.umask(previous)
    for kind in ("open", "prepare", "step", "evaluate", "compare"):
        assert seen[kind] == (3, 3, ({0o700}, {0o600})), kind
    assert seen["close"][0] == 0
    assert planted.spools == []
    assert planted.elsewhere() == []


@pytest.mark.parametrize("kind", ["open", "prepare", "step", "evaluate"])
def test_a_run_that_fails_takes_its_spooled_rows_with_it(
    planted, spooling, monkeypatch, kind
):
    seen = watched(planted, monkeypatch, fails=kind)
    with pytest.raises(MeshError, match="It ends here"):
        Mesh.open(planted.root).train(STUDY)
    assert seen[kind][:2] == (3, 3)
    assert planted.spools == []
    assert planted.elsewhere() == []


def crashed(planted):
    child = [sys.executable, "-c", CRASH, str(planted.root), STUDY]
    done = subprocess.run(child, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_what_a_crash_left_is_for_this_user_alone_and_gone_at_the_next_start(
    planted, monkeypatch
):
    crashed(planted)
    left = planted.spools
    assert [any(map(planted.holds, s.iterdir())) for s in left] == [True] * 3
    assert modes(planted) == ({0o700}, {0o600})
    assert planted.elsewhere() == []
    seen = watched(planted, monkeypatch)
    Mesh.open(planted.root).train(STUDY)
    assert seen["open"][0] == 0  # in memory this time: nothing new is spooled
    assert planted.spools == []
    assert planted.elsewhere() == []


def test_the_next_start_may_fail_and_what_a_crash_left_is_gone_all_the_same(
    planted, spooling, monkeypatch
):
    crashed(planted)
    watched(planted, monkeypatch, fails="open")
    with pytest.raises(MeshError, match="It ends here"):
        Mesh.open(planted.root).train(STUDY)
    assert planted.spools == []


def test_what_a_database_spills_lies_in_its_domains_folder(planted):
    folder = planted.root / "domains/ash"
    database = Database(folder / "data/ash.duckdb", "ash")
    with database._open() as connection:
        told = connection.execute("select current_setting('temp_directory')").fetchone()
    assert told is not None
    assert Path(told[0]).resolve().is_relative_to(folder.resolve())


@pytest.mark.parametrize("where", ["temporary", "home", "mesh", "ledger"])
def test_a_row_left_anywhere_else_is_found(planted, where):
    relation = Relation(database="ash", schema="main", identifier="rows_of_it")
    database = Database(planted.root / "domains/ash/data/ash.duckdb", "ash")
    table = database.read(relation, {"amount": "amount"}, None)
    value = np.float64(table["amount"][7].as_py())
    folders = {
        "temporary": planted.temporary,
        "home": planted.home,
        "mesh": planted.root,
        "ledger": planted.root / "domains/ash/ledger",
    }
    folders[where].mkdir(exist_ok=True)
    (folders[where] / "left").write_bytes(b"abc" + value.tobytes())
    assert [p.name for p in planted.elsewhere()] == ["left"]
