"""Flower over TLS: the bytes of threads and processes, whoever dies; no strange app.

However sums are protected, and over two, three and five domains: three of the nine
here, all of them with `--long`.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flwr.cli.build import build_fab_from_disk
from flwr.common.serde import fab_to_proto
from flwr.proto.control_pb2 import ListRunsRequest, StartRunRequest
from flwr.supercore.control import ControlHttpClient
from flwr.supercore.fab import Fab
from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor

from fl_plugin import Mesh
from fl_plugin.errors import PolicyError, UsageError
from fl_plugin.flower import shim as shim_room
from fl_plugin.flower.admission import admit, dismiss
from fl_plugin.flower.forwarding import Address, Forwarder, Way, tunnel_context
from fl_plugin.flower.places import LinkPlace, NodePlace
from fl_plugin.ledger.chain import verify
from fl_plugin.ledger.store import Ledger
from tests.faults.crashing import fixed_secrets
from tests.faults.machines import GATE, Machines
from tests.faults.nothing_out import nothing_out
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
    clear: dict[str, Any] = {"secure_aggregation": False}
    open_node = {"secure_aggregation": "optional"}
    if kind == "plain":
        return small(domains, study={"privacy": clear}, node=open_node)
    if kind == "masked":
        two = {"two_parties": TWO} if number == NUMBERS[0] else {}
        return small(domains, node=two)
    # Of two parties each knows the other's noise behind masks: that is refused. Without
    # masks each adds the whole noise itself.
    alone = number == NUMBERS[0]
    budget = {"epsilon": 1.0, "evaluation": 0.1}
    study: dict[str, Any] = {
        "algorithm": {"name": "private_logistic_regression"},
        "privacy": budget | clear if alone else budget,
    }
    node = open_node if alone else {}
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
    found = Machines(root, FIVE, "tests.faults.seeded")
    found.start()
    yield found
    assert found.close() == []


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    root = make_mesh(tmp_path_factory.mktemp("embedded") / "mesh", made("masked", 3))
    with fixed_secrets():
        return Mesh.open(root).train(STUDY).record


@pytest.fixture
def three(machines):
    """The mesh of three domains, in front of the nodes that run."""
    make_mesh(machines.root, made("masked", 3))
    return Mesh.open(machines.root)


def same(done, expected):
    assert done.model_digest == expected.model_digest
    assert done.metrics == expected.metrics
    return True


def audited(mesh, run):
    """Each event of a run is on record once, at each domain."""
    told = mesh.audit(run=run)
    for domain in FIVE[:3]:
        records = told[domain]
        rounds = [(r.action, r.rule, r.round) for r in records if r.round]
        assert len(set(rounds)) == len(rounds), domain
        actions = [r.action for r in records]
        assert actions.count("open") == actions.count("close") == 1, domain
    return True


def told(record):
    sent = [(r.round, r.bytes_down) for r in record.rounds]
    return record.model_digest, record.metrics, sent


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


@pytest.mark.parametrize(("who", "at"), [("birch", 9), ("up", 12)])
def test_who_is_killed_comes_back_and_the_run_goes_on(
    machines, three, expected, who, at
):
    def kill(_kind, number):
        if number == at:
            machines.kill(who)
            machines.up() if who == "up" else machines.node(who)

    done = three.train(STUDY, engine="flower", listener=kill).record
    assert same(done, expected)
    assert audited(three, done.run)


def test_a_coordinator_that_is_killed_goes_on(machines, three, expected):
    words = ["train", STUDY, "--engine", "flower", "--log-format", "json"]
    with subprocess.Popen(
        [sys.executable, "-m", "fl_plugin", *words, "--project", str(machines.root)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if b'"round": 11' in line:
                os.kill(process.pid, signal.SIGKILL)
    (state,) = [s for s in three.runs if s.standing == "interrupted"]
    done = three.resume(state.run).record
    assert same(done, expected)
    assert audited(three, done.run)


@contextmanager
def behind_the_gate(machines, domain):
    """Speak to Flower's own port, as an admitted domain can that means no good."""
    place = NodePlace(machines.root / "domains" / domain)
    certificate, key = place.certificate, place.certificate.with_suffix(".key")
    tunnel = Forwarder(
        Way(
            listens=Address("127.0.0.1", 0),
            leads_to=Address(GATE, machines.port),
            outside=tunnel_context(str(certificate), str(key), str(place.authority)),
        )
    )
    control = ControlHttpClient.from_server_address(
        server_address=f"127.0.0.1:{tunnel.port}",
        insecure=False,
        root_certificates=place.authority.read_bytes(),
        interceptors=[RuntimeVersionHttpInterceptor("flwr-cli")],
    )
    yield control
    control.close()
    tunnel.close()


def ended(control, run):
    """Return how a run of Flower's ended."""
    for _ in range(300):
        status = control.ListRuns(ListRunsRequest(run_id=run)).run_dict[run].status
        if status.status == "finished":
            return status.sub_status
        time.sleep(0.1)
    return "it goes on"


def an_app(tmp_path):
    """Return an app that would leave a file where it is started."""
    folder = shutil.copytree(Path(shim_room.__file__).with_name("shim_app"), tmp_path)
    for file in (folder / "mesh_shim").glob("*_app.py"):
        trace = f"open({str(tmp_path / 'started')!r}, 'w').close()"
        file.write_text(f"{file.read_text()}\n{trace}\n")
    return build_fab_from_disk(folder), tmp_path / "started"


def test_an_admitted_domain_can_start_no_app(machines, tmp_path):
    """Neither its own nor the mesh's: a run starts at the door, on this machine."""
    own, started = an_app(tmp_path / "app")
    with behind_the_gate(machines, "ash") as control:
        for app in (own, shim_room.shim()):
            fab = fab_to_proto(Fab(hashlib.sha256(app).hexdigest(), app, {}))
            run = control.StartRun(StartRunRequest(fab=fab)).run_id
            assert ended(control, run) == "failed"
    assert not started.exists()
    with Ledger.open(LinkPlace(machines.root).ledger, write=False) as ledger:
        # Nodes that waited to be admitted stand there too.
        rules = [r.rule for r in ledger.show()]
        assert set(rules) <= {"app.unlisted", "certificate.unknown"}
        assert "app.unlisted" in rules
        assert verify(ledger).ok


def test_a_refusal_arrives_as_the_domain_gave_it(machines, three):
    path = machines.root / "domains" / "birch" / "target" / "manifest.json"
    manifest = json.loads(path.read_text())
    for grant in manifest["exposures"].values():
        grant["config"]["meta"]["mesh"]["decision"]["status"] = "revoked"
    path.write_text(json.dumps(manifest))
    with pytest.raises(PolicyError, match="revoked") as caught:
        three.train(STUDY, engine="flower")
    assert (caught.value.domain, caught.value.reason) == ("birch", "grant.not_approved")


def test_no_value_of_a_row_is_outside_its_domain(machines, three):
    """After all that was done above: runs, registry, Flower's state and logs."""
    said = list(machines.root.parent.glob("*.out"))
    assert len(said) == 1 + len(FIVE)
    assert nothing_out(machines.root, *said) > 10


def test_a_domain_that_is_dismissed_is_asked_no_more(machines, three):
    place = LinkPlace(machines.root)
    certificate = NodePlace(machines.root / "domains" / "cedar").certificate
    dismiss(place, "cedar")
    with pytest.raises(UsageError, match="No node is admitted for cedar"):
        three.train(STUDY, engine="flower")
    admit(place, "cedar", certificate)
