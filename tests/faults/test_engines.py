"""The same bytes from every engine: threads, processes, Flower over TLS.

However sums are protected, and over two, three and five domains: three of the nine
here, all of them with `--long`.
"""

import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from fl_plugin import Mesh
from tests.faults.crashing import fixed_secrets
from tests.faults.machines import Machines
from tests.made_mesh import STUDY, make_mesh
from tests.small_mesh import FIVE, small

pytestmark = pytest.mark.slow
TWO = "we accept that two parties can derive each other's sums"
KINDS = ("plain", "masked", "noised")
NUMBERS = (2, 3, 5)
USUAL = (("masked", 3), ("noised", 5), ("plain", 2))


def made(kind, number):
    """Return a mesh of so many domains whose sums are protected in one way."""
    domains = FIVE[:number]
    if kind == "plain":
        clear = {"privacy": {"secure_aggregation": False}}
        return small(domains, study=clear, node={"secure_aggregation": "optional"})
    node = {"two_parties": TWO} if number == NUMBERS[0] else {}
    if kind == "masked":
        return small(domains, node=node)
    study: dict[str, Any] = {
        "algorithm": {"name": "private_logistic_regression"},
        "privacy": {"epsilon": 1.0, "evaluation": 0.1},
    }
    return replace(
        small(domains, rows=400, study=study, node=node),
        product={"dp": {"epsilon": 9.0, "delta": 1e-6, "period_days": 90}},
        columns={c: {"bounds": [-4.0, 4.0]} for c in "ab"},
        epsilon=9.0,
    )


@contextmanager
def seeded_nodes(root, folder):
    """Run the node of each domain of a mesh, with the same draws in every run."""
    with ExitStack() as held:
        named = {}
        for domain in sorted(p.name for p in (root / "domains").iterdir()):
            path = folder / f"{domain}.sock"
            words = [sys.executable, "-m", "tests.faults.seeded", "node"]
            words += ["--project", str(root), "--domain", domain, "--socket", str(path)]
            process = held.enter_context(
                subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
            )
            held.callback(process.terminate)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            named[domain] = {"socket": os.fspath(path)}
        (root / "nodes.yml").write_text(json.dumps({"nodes": named}))
        yield


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """Five nodes over Flower; the mesh is made anew beneath them for each test."""
    root = make_mesh(tmp_path_factory.mktemp("flower") / "mesh", made("masked", 5))
    found = Machines(root, FIVE)
    found.start()
    yield found
    assert found.close() == []


def told(record):
    return record.model_digest, record.metrics


def pytest_generate_tests(metafunc):
    """All nine where the whole is asked for."""
    if {"kind", "number"} <= set(metafunc.fixturenames):
        whole = metafunc.config.getoption("--long", default=False)
        every = [(k, n) for k in KINDS for n in NUMBERS]
        metafunc.parametrize(("kind", "number"), every if whole else USUAL)


def test_the_same_bytes(machines, tmp_path, kind, number):
    mesh = make_mesh(tmp_path / "mesh", made(kind, number))
    with fixed_secrets():
        threads = Mesh.open(mesh).train(STUDY).record
    with seeded_nodes(mesh, tmp_path):
        processes = Mesh.open(mesh).train(STUDY, engine="processes").record
    make_mesh(machines.root, made(kind, number))
    flower = Mesh.open(machines.root).train(STUDY, engine="flower").record
    assert told(threads) == told(processes) == told(flower)
