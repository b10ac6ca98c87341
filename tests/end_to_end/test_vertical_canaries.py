"""A vertical run over three domains tells nobody outside a value, a label or a key.

Every value, every target and every key of the made tables occurs nowhere else. They are
looked for in all bytes that cross a boundary, and in all files outside the domains'
own. Then the coordinator runs in a process that has none of the domains' files.
"""

import json
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from fl_plugin import Mesh
from fl_plugin.engines.embedded import Embedded
from fl_plugin.messages import Reply, decode, encode
from tests.canaries import Search, spellings_of_text
from tests.made_mesh import CONSUMER, STUDY
from tests.vertical_mesh import BANK, SHOP, TELCO, vertical_mesh

DOMAINS = (BANK, SHOP, TELCO)
STRICT = {"name": "vertical_boosting", "max_iter": 2, "sums_per_row": 10.0}
ALGORITHMS = {
    "boosting, strict": STRICT,
    "boosting, bins": {**STRICT, "mode": "bins"},
    "split network": {"name": "split_network", "epochs": 1},
    "linear": {"name": "vertical_linear_regression", "tolerance": 1e-3},
}
LARGE = 4_096  # bytes of a sealed message whose bytes can be counted


@pytest.fixture
def wire(monkeypatch):
    """Every message that crosses a boundary, by party."""
    seen: list[tuple[str, bytes]] = []
    plain = Embedded.exchange

    def exchange(self, asks, seconds):
        answers = plain(self, asks, seconds)
        seen.extend([*asks.items(), *answers.items()])
        return answers

    monkeypatch.setattr(Embedded, "exchange", exchange)
    return seen


def needles(mesh):
    """Return every way in which a key, a value or a target may be written."""
    found = {}
    for domain, table in mesh.tables.items():
        words = [w for k in table["row_id"].to_pylist() for w in spellings_of_text(k)]
        for name in table.column_names:
            if table[name].type == "double":
                for value in table[name].to_pylist():
                    words += [struct.pack("<d", value), struct.pack(">d", value)]
                    words += [repr(value).encode(), value.hex().encode()]
        found[domain] = words
    return found


def outside(root):
    """Yield every file that is not a domain's own."""
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.is_relative_to(root / "domains"):
            continue
        yield path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from (archive.read(name) for name in archive.namelist())
    ledgers = sorted(root.glob("domains/*/ledger/**/*"))
    yield from (p.read_bytes() for p in ledgers if p.is_file())


@pytest.mark.parametrize("name", ALGORITHMS)
def test_no_value_target_or_key_leaves_its_domain(name, tmp_path, wire, capfd):
    # A number is to be predicted: each target is a value that occurs nowhere else.
    mesh = vertical_mesh(
        tmp_path / "m", algorithm=ALGORITHMS[name], target="regression"
    )
    Mesh.open(mesh.root).train(STUDY)
    Mesh.open(mesh.root).score(STUDY)
    search = Search(needles(mesh))
    printed = "".join(capfd.readouterr()).encode()
    assert {party for party, _ in wire} == set(DOMAINS)
    everything = [data for _, data in wire]
    assert not any(map(search.found, [*everything, *outside(mesh.root), printed]))
    # The search would find one, also of a customer that no other domain has.
    keys = {d: set(t["row_id"].to_pylist()) for d, t in mesh.tables.items()}
    for domain, table in mesh.tables.items():
        assert keys[domain] - mesh.shared
        alone = sorted(keys[domain] - mesh.shared)[0]
        value = next(table[n][7].as_py() for n in table.column_names if n != "row_id")
        leaks = [alone.encode()]
        if isinstance(value, float):
            leaks.append(np.array([0.0, value]).tobytes())
        for leak in leaks:
            assert search.found(everything[-1] + leak)


def test_what_boosting_says_is_turns_and_sealed_bytes(tmp_path, wire):
    mesh = vertical_mesh(tmp_path / "m", algorithm=STRICT)
    Mesh.open(mesh.root).train(STUDY)
    told = [decode(data) for _, data in wire]
    turns = [message for message in told if message.kind == "turn" and message.arrays]
    assert turns
    for message in turns:
        for name, array in message.arrays.items():
            if not name.startswith("sealed."):
                assert name in {"stage", "trees", "done"}
                assert array.size == 1
                continue
            assert array.dtype == np.uint8
            if array.size >= LARGE:  # bytes that look uniform: 255 +- 7 x 22.6
                counts = np.bincount(array, minlength=256)
                expected = array.size / 256
                assert ((counts - expected) ** 2 / expected).sum() < 413


def test_a_value_in_an_answer_would_be_found(tmp_path):
    mesh = vertical_mesh(tmp_path / "m", algorithm=STRICT, target="regression")
    search = Search(needles(mesh))
    target = mesh.tables[BANK]["is_bad"][3].as_py()
    told = {"sums": np.array([1.0, target])}
    assert search.found(
        encode(Reply(kind="turn", run="r", round=1, party=BANK, arrays=told))
    )
    clean = {"sums": np.array([1.0, 2.0])}
    assert not search.found(
        encode(Reply(kind="turn", run="r", round=1, party=BANK, arrays=clean))
    )


COORDINATOR = """
import json, os, struct, sys
from pathlib import Path

sys.modules["duckdb"] = None  # importing it is an error from now on

def guard(event, args):
    if event == "open" and ".duckdb" in str(args[0]):
        os._exit(77)

sys.addaudithook(guard)
from fl_plugin.coordinator.decisions import insist, with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.vertical_run import train_vertical
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.plan.draft import draft

wire_in, wire_out = sys.stdin.buffer, sys.stdout.buffer

def say(parts):
    head = json.dumps({name: len(data) for name, data in parts.items()}).encode()
    wire_out.write(struct.pack("<I", len(head)) + head + b"".join(parts.values()))
    wire_out.flush()

class Pipe:
    parties = ("bank", "shop", "telco")

    def exchange(self, asks, seconds):
        say(dict(asks))
        (size,) = struct.unpack("<I", wire_in.read(4))
        sizes = json.loads(wire_in.read(size))
        return {name: wire_in.read(length) for name, length in sizes.items()}

manifest = read_manifest(Path("manifest.json"))
plan = draft(manifest.studies["made"], manifest, "coordinator")
federation = Federation("run-apart", Pipe())
plan = with_decisions(plan, federation)
insist(plan)
parts = train_vertical(plan, federation).parts
say({"": json.dumps(dict(parts)).encode()})
"""


def heard(stream):
    (size,) = struct.unpack("<I", stream.read(4))
    sizes = json.loads(stream.read(size))
    return {name: stream.read(length) for name, length in sizes.items()}


def test_a_coordinator_without_any_database_trains_the_same_parts(tmp_path):
    features = {"features": ["income", "basket", "calls", "minutes"]}
    mesh = vertical_mesh(tmp_path / "m", algorithm=STRICT, study=features)
    apart = tmp_path / "apart"
    apart.mkdir()
    manifest = (mesh.root / "target" / "manifest.json").read_bytes()
    (apart / "manifest.json").write_bytes(manifest)
    folders = [mesh.root / "domains" / name for name in DOMAINS]
    with (
        Embedded(folders, CONSUMER) as domains,
        subprocess.Popen(
            [sys.executable, "-c", COORDINATOR],
            cwd=apart,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as coordinator,
    ):
        while "" not in (asks := heard(coordinator.stdout)):
            answers = domains.exchange(asks, 300.0)
            sizes = {name: len(data) for name, data in answers.items()}
            head = json.dumps(sizes).encode()
            data = struct.pack("<I", len(head)) + head + b"".join(answers.values())
            assert coordinator.stdin is not None
            coordinator.stdin.write(data)
            coordinator.stdin.flush()
    assert coordinator.returncode == 0
    assert {path.name for path in apart.iterdir()} == {"manifest.json"}
    record = Mesh.open(mesh.root).train(STUDY).record
    assert record.vertical is not None
    assert json.loads(asks[""]) == record.vertical.parts


def test_the_guard_of_that_process_would_catch_a_database(tmp_path):
    code = COORDINATOR.partition("manifest = ")[0] + "open('x.duckdb', 'wb')"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True
    )
    assert found.returncode == 77
