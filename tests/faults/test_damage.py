"""A damaged database is an error in words, or the very same rows; never anything else.

All of it goes through the party, as the message that opens a run does. One process
reads all files, one after the other: that it is there at the end is part of the test.
"""

import hashlib
import shutil
from pathlib import Path

import pytest

from fl_plugin import messages
from fl_plugin.ledger.chain import verify
from fl_plugin.ledger.store import Ledger
from fl_plugin.messages import Refusal
from fl_plugin.party.party import Party
from tests.faults.damaging import cuts, flips, unnoticed
from tests.faults.forked import LONGEST, SERVER
from tests.made_mesh import CONSUMER
from tests.small_mesh import trained_over

pytestmark = pytest.mark.slow
DOMAIN = Path("domains/birch")
FILE = DOMAIN / "data/birch.duckdb"


class Recording:
    """Keeps the message that opens one domain's table."""

    def __init__(self, inner):
        self.inner, self.ask = inner, b""

    @property
    def parties(self):
        return self.inner.parties

    def exchange(self, asks, seconds):
        if messages.decode(asks["birch"]).kind == "open":
            self.ask = asks["birch"]
        return self.inner.exchange(asks, seconds)


class Reader:
    """A process that opens a run over one file after the other."""

    def __init__(self, root, ask):
        self.here, there = SERVER.Pipe()
        self.process = SERVER.Process(target=_read, args=(root, ask, there))
        self.process.start()
        there.close()

    def read(self, data):
        """Return what comes of a file: ("rows", digest), or ("error", code, words)."""
        self.here.send_bytes(data)
        assert self.here.poll(LONGEST), "hangs"
        return self.here.recv()  # EOFError where the process has died

    def end(self):
        self.here.close()
        self.process.join()


def _read(root, ask, there):
    folder = root / DOMAIN
    run = messages.decode(ask).run
    while True:
        try:
            data = there.recv_bytes()
        except EOFError:
            return
        (root / FILE).write_bytes(data)
        party = Party(folder)
        reply = messages.decode(party.handle(ask, CONSUMER))
        if isinstance(reply, Refusal):
            there.send(("error", reply.body["code"], reply.body["problem"]))
            continue
        session = party._runs._sessions[run]
        there.send(("rows", session.rows.fingerprint))
        session.end()
        with Ledger.open(folder / "ledger/ledger.sqlite") as ledger:
            ledger.forget_run(run)


@pytest.fixture(scope="module")
def damaged(original, tmp_path_factory):
    """A reader, the whole file, and what comes of it; nothing else changes."""
    root = shutil.copytree(original, tmp_path_factory.mktemp("damaged") / "mesh")
    recorders = []

    def record(engine):
        recorders.append(Recording(engine))
        return recorders[0]

    trained_over(root, record)
    others = others_of(root)
    data = (root / FILE).read_bytes()
    reader = Reader(root, recorders[0].ask)
    yield reader, data, reader.read(data)
    reader.end()
    assert reader.process.exitcode == 0
    assert others_of(root) == others
    with Ledger.open(root / DOMAIN / "ledger/ledger.sqlite") as ledger:
        assert verify(ledger).ok
    shutil.rmtree(root)


def others_of(root):
    files = [p for d in ("ash", "cedar") for p in (root / "domains" / d).rglob("*")]
    found = {p: p.read_bytes() for p in files if p.is_file()}
    return {p: hashlib.sha256(data).hexdigest() for p, data in found.items()}


def survived(damaged, files):
    """Return how many files were read in spite of it, and the errors of the others."""
    reader, _, whole = damaged
    assert whole[0] == "rows"
    outcomes = [reader.read(data) for data in files]
    errors = [o for o in outcomes if o[0] == "error"]
    assert {o for o in outcomes if o[0] == "rows"} <= {whole}
    assert {e[1] for e in errors} <= {"storage"}
    assert all("birch" in e[2] for e in errors)
    return len(outcomes) - len(errors), {e[2] for e in errors}


def test_flipped_bits(damaged, figure, extent):
    bits = flips(damaged[1], extent.flips, extent.dice("flips"))
    read, errors = survived(damaged, bits)
    told = "is damaged: what is in the file is not what was written."
    beginning = "is not a DuckDB database."  # where its first bytes say what it is
    assert errors >= {f"The database of birch {told}"}
    assert errors <= {f"The database of birch {words}" for words in (told, beginning)}
    figure("bits flipped in a database: an own error, or the same rows", extent.flips)
    figure("of these read in spite of it", read)


def test_cuts(damaged, figure, extent):
    places = cuts(damaged[1], extent.cuts, extent.dice("cuts"))
    read, errors = survived(damaged, places)
    assert read == 0
    assert len(errors) >= 2
    figure("cuts of a database: an own error", extent.cuts)


def test_flips_that_no_checksum_tells_end_in_an_answer(damaged, figure, extent):
    """Somebody who writes to the file can change a row; nobody can end the process."""
    reader, data, _ = damaged
    bits = flips(data, extent.unnoticed, extent.dice("unnoticed"))
    found = [reader.read(unnoticed(damaged_file)) for damaged_file in bits]
    assert {o[0] for o in found} <= {"rows", "error"}
    assert not [o for o in found if o[0] == "error" and "Traceback" in o[2]]
    assert reader.read(data) == damaged[2]
    figure(
        "bits flipped with the checksums put right: the process lives",
        extent.unnoticed,
    )
