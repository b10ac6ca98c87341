"""Silent domains: named at the deadline, borne or waited for, never for ever."""

import os
import shutil
import signal
import threading
import time
from contextlib import ExitStack
from unittest.mock import patch

import pytest

from fl_plugin import Mesh
from fl_plugin.coordinator.federation import CLOSE_SECONDS
from fl_plugin.engines import processes
from fl_plugin.engines.embedded import _Seat
from fl_plugin.errors import ContractError, UnreachableError
from fl_plugin.messages import decode
from fl_plugin.party.party import Party
from tests.made_mesh import STUDY, make_mesh
from tests.small_mesh import FIVE, THREE, small

pytestmark = pytest.mark.slow
RECOVER = {"privacy": {"on_dropout": "recover"}}


@pytest.fixture(scope="module")
def of_five(tmp_path_factory):
    return make_mesh(tmp_path_factory.mktemp("five"), small(FIVE, study=RECOVER))


@pytest.fixture
def recovering(of_five, tmp_path):
    return Mesh.open(shutil.copytree(of_five, tmp_path / "recovering"))


@pytest.fixture(scope="module")
def of_all_five(tmp_path_factory):
    """No domain of it may be missing; what an undisturbed run over it gives."""
    made = small(FIVE, study={**RECOVER, "rounds": {"quorum": 5}})
    root = make_mesh(tmp_path_factory.mktemp("all_five"), made)
    undisturbed = shutil.copytree(root, tmp_path_factory.mktemp("whole") / "mesh")
    return root, Mesh.open(undisturbed).train(STUDY).record


class Hanging:
    """Parties whose work on a kind of message does not end, until they are let go."""

    def __init__(self, names, kind, *, from_call=1):
        self.names, self.kind, self.from_call = names, kind, from_call
        self.calls: dict[str, int] = {}
        self.let_go = threading.Event()
        self.stuck: set[str] = set()

    def __enter__(self):
        hanging, plain = self, Party.handle

        def handle(party, data, caller):
            hanging.wait(party.name, decode(data).kind)
            return plain(party, data, caller)

        self.patch = patch.object(Party, "handle", handle)
        self.patch.start()
        return self

    def __exit__(self, *_):
        self.let_go.set()
        self.patch.stop()

    def wait(self, name, kind):
        if name in self.names and kind == self.kind:
            self.calls[name] = self.calls.get(name, 0) + 1
            if self.calls[name] >= self.from_call:
                self.stuck.add(name)
                self.let_go.wait()
                self.stuck.discard(name)


@pytest.fixture
def no_waiting(monkeypatch):
    """Let the deadline pass as soon as nobody is left who still works."""
    every: list[Hanging] = []
    plain, asked = _Seat.ask, {}

    def ask(seat, data):
        answer = plain(seat, data)
        asked[answer] = seat._party.name
        return answer

    def wait(answers, timeout):
        assert timeout in {300.0, CLOSE_SECONDS}
        while {asked[a] for a in answers if not a.done()} - stuck(every):
            time.sleep(0.002)
        return {a for a in answers if a.done()}, set()

    monkeypatch.setattr(_Seat, "ask", ask)
    monkeypatch.setattr("fl_plugin.engines.embedded.wait", wait)
    return every


def stuck(every):
    return {name for one in every for name in one.stuck}


def hanging(every, *args, **words):
    every.append(Hanging(*args, **words))
    return every[-1]


def interrupted(mesh, *hung):
    """Train while these hang; return the error that the run ends with, and its id."""
    with ExitStack() as held:
        for one in hung:
            held.enter_context(one)
        with pytest.raises(UnreachableError) as caught:
            mesh.train(STUDY)
    (state,) = mesh.runs
    assert state.standing == "interrupted"
    assert caught.value.domains
    assert state.fault == ", ".join(caught.value.domains)
    return caught.value, state.run


def test_nobody_is_waited_for_beyond_the_deadline(tmp_path):
    made = small(THREE, study={"rounds": {"deadline_seconds": 8}})
    mesh = Mesh.open(make_mesh(tmp_path, made))
    with Hanging({"cedar"}, "step"), pytest.raises(UnreachableError, match="cedar did"):
        mesh.train(STUDY)


@pytest.mark.parametrize("kind", ["decide", "open", "keys", "prepare", "step"])
def test_a_hanging_domain_is_named_at_the_deadline_and_the_run_resumes(
    mesh, expected, kind, no_waiting
):
    error, run = interrupted(mesh, hanging(no_waiting, {"cedar"}, kind))
    assert "cedar did not answer in round" in error.problem
    assert error.domains == ("cedar",)
    done = mesh.resume(run).record
    assert done.model_digest == expected.model_digest
    assert mesh.run_state(run).fault == ""


def test_with_a_quorum_left_the_run_goes_on_without_who_hangs(recovering, no_waiting):
    with hanging(no_waiting, {"cedar"}, "step", from_call=2):
        done = recovering.train(STUDY).record
    assert "without cedar from round" in done.privacy.dropout
    (state,) = recovering.runs
    assert state.standing == "done"
    rounds = recovering.run_rounds(state.run)
    absent = {r.kind: r.absent for r in rounds if r.absent}
    assert absent == {"step": ("cedar",), "close": ("cedar",)}
    assert len([r for r in rounds if r.kind == "step"]) > 2


def test_a_lost_domain_that_is_back_at_the_end_forgets_the_run(recovering, no_waiting):
    with hanging(no_waiting, {"cedar"}, "step", from_call=2) as held:

        def let_go(kind, _number):
            if kind == "evaluate":
                held.let_go.set()

        run = recovering.train(STUDY, listener=let_go).record.run
    for records in recovering.audit().values():
        assert [r.action for r in records if r.run == run].count("close") == 1


@pytest.mark.parametrize("kind", ["count", "unmask", "step", "evaluate"])
def test_without_a_quorum_the_round_is_abandoned_and_asked_again(
    of_all_five, tmp_path, kind, no_waiting
):
    original, expected = of_all_five
    mesh = Mesh.open(shutil.copytree(original, tmp_path / "mesh"))
    error, run = interrupted(mesh, hanging(no_waiting, {"cedar"}, kind))
    assert "Fewer than 5 domains are left: cedar did not" in error.problem
    done = mesh.resume(run).record
    assert done.model_digest == expected.model_digest
    assert "without" not in done.privacy.dropout


def test_who_is_lost_first_stays_out_and_who_is_lost_last_comes_back(
    recovering, no_waiting
):
    first = hanging(no_waiting, {"cedar"}, "prepare")
    last = hanging(no_waiting, {"fir"}, "step")
    error, run = interrupted(recovering, first, last)
    assert error.domains == ("cedar", "fir")
    done = recovering.resume(run).record
    assert "without cedar from round" in done.privacy.dropout
    assert "fir" not in done.privacy.dropout


def test_a_node_that_stands_still_is_named_and_the_run_resumes(
    mesh, expected, monkeypatch
):
    monkeypatch.setattr(processes, "_END_SECONDS", 0.5)
    engines = []
    plain = processes.Processes.exchange

    def exchange(self, asks, seconds):
        engines.append(self)
        return plain(self, asks, 2.0 if stopped else seconds)

    monkeypatch.setattr(processes.Processes, "exchange", exchange)
    stopped: list[int] = []

    def stop(kind, _number):
        if kind == "step" and not stopped:
            stopped.append(engines[-1]._nodes["birch"]._process.pid)
            os.kill(stopped[0], signal.SIGSTOP)

    with pytest.raises(UnreachableError, match="birch did not answer"):
        mesh.train(STUDY, engine="processes", listener=stop)
    (state,) = mesh.runs
    assert (state.standing, state.fault) == ("interrupted", "birch")
    done = mesh.resume(state.run, engine="embedded").record
    assert done.model_digest == expected.model_digest


def test_a_quorum_of_more_domains_than_there_are_is_told(tmp_path):
    made = small(FIVE, study={**RECOVER, "rounds": {"quorum": 6}})
    with pytest.raises(ContractError, match="quorum of 6 domains, and has 5"):
        Mesh.open(make_mesh(tmp_path, made)).train(STUDY)
