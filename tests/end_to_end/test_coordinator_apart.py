"""The coordinator needs no path to any database: it runs where there is none.

It is started as a process of its own, in a folder that holds nothing but the catalog's
manifest and the mesh's vocabulary. There duckdb cannot be imported and opening any
database file ends the process; the domains are behind a pipe. The run succeeds.
"""

import shutil
import struct
import subprocess
import sys

import pytest

from fl_plugin import Mesh
from fl_plugin.engines.embedded import Embedded

pytestmark = pytest.mark.slow
COORDINATOR = """
import os, struct, sys
from pathlib import Path

sys.modules["duckdb"] = None  # importing it is an error from now on

def guard(event, args):
    if event == "open" and str(args[0]).endswith(".duckdb"):
        os._exit(77)

sys.addaudithook(guard)
from fl_plugin.coordinator.decisions import insist, with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.run import train
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.plan.draft import draft

wire_in, wire_out = sys.stdin.buffer, sys.stdout.buffer

class Pipe:
    parties = ("auto_finance", "commercial_banking", "consumer_banking")

    def exchange(self, asks, seconds):
        for name in self.parties:
            wire_out.write(struct.pack("<I", len(asks[name])) + asks[name])
        wire_out.flush()
        answers = {}
        for name in self.parties:
            (size,) = struct.unpack("<I", wire_in.read(4))
            answers[name] = wire_in.read(size)
        return answers

manifest = read_manifest(Path("manifest.json"))
plan = draft(manifest.studies["credit_risk"], manifest, "coordinator")
federation = Federation("run-apart", Pipe())
plan = with_decisions(plan, federation)
insist(plan)
fitted = train(plan, federation).fits[0].fitted
wire_out.write(struct.pack("<I", 0))
wire_out.write(fitted.model["coefficients"].tobytes())
"""


def test_a_coordinator_without_any_database_trains_the_same_model(
    mesh_folder, tmp_path
):
    apart = tmp_path / "apart"
    apart.mkdir()
    shutil.copy(mesh_folder / "target/manifest.json", apart)
    names = ("auto_finance", "commercial_banking", "consumer_banking")
    folders = [mesh_folder / "domains" / name for name in names]
    with (
        Embedded(folders, "ml_coe") as domains,
        subprocess.Popen(
            [sys.executable, "-c", COORDINATOR],
            cwd=apart,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as coordinator,
    ):
        to, back = coordinator.stdin, coordinator.stdout
        assert to is not None
        assert back is not None
        while size := struct.unpack("<I", back.read(4))[0]:
            asks = {names[0]: back.read(size)}
            for name in names[1:]:
                asks[name] = back.read(struct.unpack("<I", back.read(4))[0])
            for name, answer in sorted(domains.exchange(asks, 300.0).items()):
                assert name in names
                to.write(struct.pack("<I", len(answer)) + answer)
            to.flush()
        coefficients = back.read()
    assert coordinator.returncode == 0
    model = Mesh.open(mesh_folder).train("credit_risk").model
    assert model.named_steps["model"].coef_.tobytes() == coefficients


def test_the_guard_of_that_process_would_catch_a_database(tmp_path):
    code = COORDINATOR.partition("manifest = ")[0] + "open('x.duckdb', 'wb')"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True
    )
    assert found.returncode == 77
