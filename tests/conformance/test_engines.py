"""What every engine must do: carry the same bytes, keep the same promises."""

from collections.abc import Iterator

import pytest

from fl_plugin import Mesh
from fl_plugin.coordinator.decisions import with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.run import train
from fl_plugin.discovery import discover
from fl_plugin.engines.base import Engine
from fl_plugin.errors import MeshError, PolicyError
from fl_plugin.messages import Reply, decode

# Flower's nodes take long to start: tests/faults/test_flower.py starts them once, and
# asks the same of it.
STARTED_ELSEWHERE = {"flower"}
ENGINES = discover("fl_plugin.engines", Engine, "fl_plugin.engines")
pytestmark = pytest.mark.slow


@pytest.fixture(params=sorted(set(ENGINES) - STARTED_ELSEWHERE))
def engine(request: pytest.FixtureRequest) -> type[Engine]:
    return ENGINES[request.param]


@pytest.fixture
def federation(engine, mesh_folder) -> Iterator[Federation]:
    plan = Mesh.open(mesh_folder).plan("credit_risk")
    folders = [mesh_folder / "domains" / p.domain for p in plan.parties]
    with engine(folders, plan.consumer) as transport:
        yield Federation("run-1", transport)


def test_it_names_its_parties_in_order(federation):
    names = federation.transport.parties
    assert list(names) == sorted(names)
    assert len(names) == 3


def test_what_it_carries_is_bytes_that_decode(federation, mesh_folder):
    plan = Mesh.open(mesh_folder).plan("credit_risk")
    seen = []
    plain = federation.transport.exchange

    def exchange(asks, seconds):
        answers = plain(asks, seconds)
        seen.extend(answers.values())
        return answers

    federation.transport.exchange = exchange
    with_decisions(plan, federation)
    assert all(isinstance(decode(data), Reply) for data in seen)
    assert len(seen) == 3


def test_it_gives_the_embedded_engine_s_model(engine, mesh_folder):
    mesh = Mesh.open(mesh_folder)
    digest = mesh.train("credit_risk", engine="embedded").record.model_digest
    assert mesh.train("credit_risk", engine=engine.name).record.model_digest == digest


def test_every_byte_is_counted(federation, mesh_folder):
    plan = Mesh.open(mesh_folder).plan("credit_risk")
    sent, received = 0, 0
    plain = federation.transport.exchange

    def exchange(asks, seconds):
        nonlocal sent, received
        answers = plain(asks, seconds)
        sent += sum(map(len, asks.values()))
        received += sum(map(len, answers.values()))
        return answers

    federation.transport.exchange = exchange
    train(plan, federation)
    assert sum(e.bytes_down for e in federation.traffic) == sent
    assert sum(e.bytes_up for e in federation.traffic) == received


def test_a_refusal_arrives_as_the_domain_gave_it(engine, mesh_folder):
    path = mesh_folder / "domains/auto_finance/target/manifest.json"
    path.write_text(path.read_text().replace("2027-10-30", "2026-11-05"))
    with pytest.raises(PolicyError) as caught:
        Mesh.open(mesh_folder).train("credit_risk", engine=engine.name)
    assert caught.value.domain == "auto_finance"
    assert caught.value.reason == "grant.expired"


def test_an_engine_that_does_not_exist_is_named(mesh_folder):
    with pytest.raises(MeshError, match="pigeons"):
        Mesh.open(mesh_folder).train("credit_risk", engine="pigeons")
