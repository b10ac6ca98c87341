"""A bit that has flipped in a ledger is told, or it held nothing; never anything else.

It is told when the ledger is opened, by `fl audit verify`, or by the run that goes on
with it. What holds nothing: free space, statistics of pages, the words of the schema
beyond what they mean, and when a cohort was last used, which only orders those that
are forgotten first.
"""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fl_plugin import Mesh
from fl_plugin.errors import LedgerError, MeshError, StorageError
from fl_plugin.ledger.chain import verify
from fl_plugin.ledger.cohorts import Cohort
from fl_plugin.ledger.profiles import APPROVED, MEASURED, KeptProfile
from fl_plugin.ledger.record import AuditEntry
from fl_plugin.ledger.store import Ledger
from tests.faults.damaging import flips
from tests.made_mesh import STUDY

pytestmark = pytest.mark.slow
LEDGER = Path("domains/birch/ledger/ledger.sqlite")
MIDST = 8
OF_THE_RUN = {"open_run", "run_message"}


@pytest.fixture(scope="module")
def used(trained, tmp_path_factory):
    """A mesh with a run that is done, one in its midst, and a profile."""
    root = shutil.copytree(trained, tmp_path_factory.mktemp("used") / "mesh")
    with Ledger.open(root / LEDGER) as ledger, ledger.transaction() as tx:
        rows = Cohort.of(np.arange(40, dtype=np.uint64) * 7)
        profile = KeptProfile(body='{"rows": 40}', rows=rows)
        tx.append(measured(profile.digest))
        place = tx.keep_profile(profile)
    with Ledger.open(root / LEDGER) as ledger, ledger.transaction() as tx:
        tx.append(replace(measured(profile.digest), action=APPROVED))
        tx.approve_profile(replace(profile, sequence=place))

    def stop(_kind, number):
        if number == MIDST:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Mesh.open(root).train(STUDY, listener=stop)
    with closing(sqlite3.connect(root / LEDGER)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")  # all in one file
    with Ledger.open(root / LEDGER) as ledger:
        assert verify(ledger).ok
        assert len(ledger.open_runs()) == 1
    return root


def measured(digest):
    return AuditEntry(
        action=MEASURED,
        decision="allowed",
        consumer="ml_coe",
        actor="team",
        purpose="",
        study="",
        run="profile-1",
        product="birch.rows_of_it",
        version=1,
        released=digest,
    )


def held_in(file):
    """Return what a ledger holds, table by table."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes  # what is damaged may not be text any more
        names = [
            name.decode()
            for (name,) in connection.execute(
                "select name from sqlite_master where type = 'table' order by name"
            )
        ]
        found = {n: connection.execute(f"select * from {n}").fetchall() for n in names}
    found["cohort"] = [row[:-1] for row in found["cohort"]]  # without its last use
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def outcome(act):
    """Return what comes of it, and the error where it fails in words."""
    try:
        return act(), None
    except MeshError as error:
        return None, error


def verified(file):
    with Ledger.open(file) as ledger:
        return verify(ledger)


def told_by(file):
    """Return who tells that a ledger is damaged; empty where nobody does."""
    found, error = outcome(lambda: verified(file))
    if error is not None:
        assert isinstance(error, (StorageError, LedgerError))
        assert "birch" in error.problem or isinstance(error, LedgerError)
        assert error.remedy
        return "opening it"
    return "" if found.ok else "fl audit verify"


def told_by_the_run(root):
    """Go on with the run; return whether that is told, or all is as it was."""
    mesh = Mesh.open(root)
    first = mesh.models.entries[0].run.model_digest
    (run,) = [s.run for s in mesh.runs if s.standing == "interrupted"]
    done, error = outcome(lambda: mesh.resume(run))
    if error is not None:
        assert error.remedy
        return "the run"
    assert done.record.model_digest == first
    return "nobody: the same model"


def test_bits_flipped_in_a_ledger(used, tmp_path, figure, extent):
    data, before = (used / LEDGER).read_bytes(), held_in(used / LEDGER)
    tellers: dict[str, int] = {}
    for number, damaged in enumerate(flips(data, extent.flips, extent.dice("ledger"))):
        file = tmp_path / str(number) / LEDGER.relative_to("domains")
        file.parent.mkdir(parents=True)
        file.write_bytes(damaged)
        teller = told_by(file) or told_of_the_rest(used, file, damaged, before)
        tellers[teller] = tellers.get(teller, 0) + 1
        shutil.rmtree(tmp_path / str(number))
    assert tellers["fl audit verify"]
    for teller, times in tellers.items():
        figure(f"bits flipped in a ledger, told by {teller}", times)


def told_of_the_rest(used, file, damaged, before):
    """Return who tells of a bit that the ledger by itself does not tell of."""
    after = held_in(file)
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed <= OF_THE_RUN, changed
    if not changed:
        return "nobody: it held nothing"
    beside = shutil.ignore_patterns("*-wal", "*-shm")
    root = shutil.copytree(used, file.parents[2] / "mesh", ignore=beside)
    (root / LEDGER).write_bytes(damaged)
    return told_by_the_run(root)


# What a ledger keeps beside its chain, and what is done to it, with the indexes right.
EDITS = {
    "a cohort's rows": "update cohort set hashes = zeroblob(9) where rowid = 1",
    "a cohort's record": "update cohort set used = used + 1",
    "a grant's record": "update grant_use set sequence = sequence + 1",
    "a profile's rows": "update profile set hashes = zeroblob(9)",
    "a profile's digest": "update profile set digest = replace(digest, 'a', 'b')",
    "a profile's product": "update profile set product = 'birch.others'",
    "an approval's product": "update profile_approval set product = 'birch.others'",
    "an approval's profile": "update profile_approval set profile = 1",
    "a message's record": "update run_message set sequence = sequence - 1",
    "a message's head": "update run_message set hash = replace(hash, 'a', 'b')",
    "a message's run": "update run_message set run = 'run-0' where round = 3",
    "a message": "update run_message set body = substr(body, 1, 40) || x'00'",
    "a run's secret": "update open_run set secret = zeroblob(32)",
    "when a run was opened": "update open_run set at = '2020-01-01'",
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_stands_beside_the_chain_is_verified(used, tmp_path, edit):
    file = shutil.copy(used / LEDGER, tmp_path / "ledger.sqlite")
    assert verify(file).ok
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        assert connection.execute(EDITS[edit]).rowcount > 0
    found = verify(file)
    assert not found.ok
    assert found.first_bad is not None
    assert found.problem


def test_a_column_of_another_name_is_damage(used, tmp_path):
    file = shutil.copy(used / LEDGER, tmp_path / "ledger.sqlite")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("alter table open_run rename column facts to fact")
    with pytest.raises(StorageError, match="is damaged"):
        verify(file)


def test_an_index_that_does_not_fit_its_table_is_damage(used, tmp_path):
    """Figures are summed by it: what it leaves out would be budget again."""
    file = shutil.copy(used / LEDGER, tmp_path / "ledger.sqlite")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        (page,) = connection.execute(
            "select rootpage from sqlite_master where name = 'grant_use_by_name'"
        ).fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
    data = bytearray(file.read_bytes())
    place = data.index(b"g_made", (page - 1) * size)
    assert place < page * size
    data[place] ^= 1
    file.write_bytes(data)
    with pytest.raises(StorageError, match="is damaged"):
        verify(file)
