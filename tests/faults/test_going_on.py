"""Interrupted runs whose domains are out of reach as they are resumed, or stopped."""

import shutil

import pytest

from fl_plugin import Mesh
from fl_plugin.cli.main import main
from fl_plugin.engines.embedded import Embedded
from fl_plugin.engines.processes import Processes
from fl_plugin.errors import (
    ContractError,
    StorageError,
    UnreachableError,
    UsageError,
)
from fl_plugin.party.party import Party
from tests.made_mesh import STUDY, make_mesh
from tests.small_mesh import small

pytestmark = pytest.mark.slow
AT = 8  # a round in the midst of a run


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Return a mesh with an interrupted run, and the model that it would have made."""
    made = small(("ash", "birch", "cedar"))
    root = make_mesh(tmp_path_factory.mktemp("mesh"), made)
    whole = shutil.copytree(root, tmp_path_factory.mktemp("whole") / "mesh")
    with pytest.raises(KeyboardInterrupt):
        Mesh.open(root).train(STUDY, listener=interrupting)
    return root, Mesh.open(whole).train(STUDY).record.model_digest


@pytest.fixture
def mesh(original, tmp_path):
    return Mesh.open(shutil.copytree(original[0], tmp_path / "mesh"))


def interrupting(_kind, number):
    if number == AT:
        raise KeyboardInterrupt


def unreachable(*_):
    raise UnreachableError("No SuperLink runs.", remedy="Start it: fl flower up")


def silent(*_):
    return {}


def forgotten(mesh):
    """Return how often each domain has forgotten a run."""
    return {
        domain: [r.action for r in records].count("close")
        for domain, records in mesh.audit().items()
    }


def an_engine_that_is_misspelt(_mesh, _monkeypatch):
    return "processses", UsageError


def an_engine_that_is_out_of_reach(_mesh, monkeypatch):
    monkeypatch.setattr(Processes, "__init__", unreachable)
    return "processes", UnreachableError


def addresses_that_are_not_valid(mesh, _monkeypatch):
    (mesh.root / "nodes.yml").write_text("nodes: {ash: {socket: ash.sock}}")
    return "processes", ContractError


@pytest.mark.parametrize(
    "fault",
    [
        an_engine_that_is_misspelt,
        an_engine_that_is_out_of_reach,
        addresses_that_are_not_valid,
    ],
)
def test_a_run_stands_as_it_did_where_the_engine_cannot_be_had(
    original, mesh, monkeypatch, fault
):
    engine, error = fault(mesh, monkeypatch)
    (before,) = mesh.runs
    with pytest.raises(error):
        mesh.resume(before.run, engine=engine)
    assert mesh.runs == (before,)
    assert mesh.resume(before.run).record.model_digest == original[1]


def test_a_study_leaves_no_run_behind_where_the_engine_cannot_be_had(mesh):
    before = mesh.runs
    with pytest.raises(UsageError):
        mesh.train(STUDY, engine="processses")
    assert mesh.runs == before


def test_a_run_is_stopped_also_where_there_is_no_way_to_the_domains(
    mesh, monkeypatch, capsys
):
    monkeypatch.setattr(Embedded, "__init__", unreachable)
    (before,) = mesh.runs
    words = ["runs", "stop", before.run, "--project", str(mesh.root)]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "is stopped." in told
    assert "The domains were not told: No SuperLink runs." in told
    (state,) = mesh.runs
    assert state.standing == "stopped"
    assert not (mesh.root / "runs" / before.run / "journal").exists()


def test_who_was_not_told_that_a_run_is_over_is_named(mesh, monkeypatch):
    plain = Embedded.exchange

    def exchange(engine, asks, seconds):
        heard = plain(engine, {p: d for p, d in asks.items() if p != "birch"}, seconds)
        return dict(heard)

    monkeypatch.setattr(Embedded, "exchange", exchange)
    stopped = mesh.stop(mesh.runs[0].run)
    assert stopped.problem.startswith("Not told: birch. ")
    assert forgotten(mesh) == {"ash": 1, "birch": 0, "cedar": 1}


def test_what_a_silent_domain_means_is_said_of_runs_that_can_go_on_alone(
    mesh, monkeypatch
):
    monkeypatch.setattr(Embedded, "exchange", silent)
    run = mesh.runs[0].run
    with pytest.raises(UnreachableError) as caught:
        mesh.resume(run)
    assert caught.value.remedy.endswith(f"To go on with this run: fl runs resume {run}")
    failures = [party.failure for party in mesh.plan(STUDY).parties]
    assert all(f is not None and "resume" not in f.remedy for f in failures)


@pytest.mark.parametrize("error", [UnreachableError, StorageError])
def test_a_refusal_that_passes_is_asked_again(original, mesh, monkeypatch, error):
    plain = Party._answer

    def answer(party, ask, data, caller):
        if party.name == "birch" and ask.round == AT:
            raise error("Not now.", remedy="Later.")
        return plain(party, ask, data, caller)

    run = mesh.runs[0].run
    with monkeypatch.context() as patched:
        patched.setattr(Party, "_answer", answer)
        with pytest.raises(error):
            mesh.resume(run)
    assert mesh.resume(run).record.model_digest == original[1]
