"""Silent domains: named at the deadline, borne or waited for, never for ever."""

import os
import shutil
import signal
import threading
import time
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
from tests.small_mesh import FIVE, small

pytestmark = pytest.mark.slow
RECOVER = {"privacy": {"on_dropout": "recover"}}


@pytest.fixture(scope="module")
def stopping(tmp_path_factory):
    made = small(("ash", "birch", "cedar"))
    return make_mesh(tmp_path_factory.mktemp("stopping"), made)


@pytest.fixture(scope="module")
def recovering(tmp_path_factory):
    made = small(FIVE, study=RECOVER)
    return make_mesh(tmp_path_factory.mktemp("recovering"), made)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    made = small(FIVE, study={**RECOVER, "rounds": {"quorum": 5}})
    return make_mesh(tmp_path_factory.mktemp("whole"), made)


def copied(original, tmp_path):
    return Mesh.open(shutil.copytree(original, tmp_path / "mesh"))


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


def undisturbed(original, tmp_path):
    root = shutil.copytree(original, tmp_path / "undisturbed")
    return Mesh.open(root).train(STUDY).record


def stuck(every):
    return {name for one in every for name in one.stuck}


def hanging(every, *args, **words):
    every.append(Hanging(*args, **words))
    return every[-1]


def test_nobody_is_waited_for_beyond_the_deadline(tmp_path):
    made = small(("ash", "birch", "cedar"), study={"rounds": {"deadline_seconds": 8}})
    mesh = Mesh.open(make_mesh(tmp_path, made))
    with Hanging({"cedar"}, "step"), pytest.raises(UnreachableError, match="cedar did"):
        mesh.train(STUDY)


@pytest.mark.parametrize("kind", ["decide", "open", "keys", "prepare", "step"])
def test_a_hanging_domain_is_named_at_the_deadline_and_the_run_resumes(
    stopping, tmp_path, kind, no_waiting
):
    mesh = copied(stopping, tmp_path)
    with (
        hanging(no_waiting, {"cedar"}, kind),
        pytest.raises(UnreachableError) as caught,
    ):
        mesh.train(STUDY)
    assert "cedar did not answer in round" in caught.value.problem
    assert caught.value.domains == ("cedar",)
    (state,) = mesh.runs
    assert state.standing == "interrupted"
    assert state.fault == "cedar"
    done = mesh.resume(state.run).record
    assert done.model_digest == undisturbed(stopping, tmp_path).model_digest
    assert mesh.run_state(state.run).fault == ""


def test_with_a_quorum_left_the_run_goes_on_without_who_hangs(
    recovering, tmp_path, no_waiting
):
    mesh = copied(recovering, tmp_path)
    with hanging(no_waiting, {"cedar"}, "step", from_call=2):
        done = mesh.train(STUDY).record
    assert "without cedar from round" in done.privacy.dropout
    (state,) = mesh.runs
    assert state.standing == "done"
    rounds = mesh.run_rounds(state.run)
    absent = {r.kind: r.absent for r in rounds if r.absent}
    assert absent == {"step": ("cedar",), "close": ("cedar",)}
    assert len([r for r in rounds if r.kind == "step"]) > 2


def test_a_lost_domain_that_is_back_at_the_end_forgets_the_run(
    recovering, tmp_path, no_waiting
):
    mesh = copied(recovering, tmp_path)
    with hanging(no_waiting, {"cedar"}, "step", from_call=2) as held:

        def let_go(kind, _number):
            if kind == "evaluate":
                held.let_go.set()

        run = mesh.train(STUDY, listener=let_go).record.run
    for records in mesh.audit().values():
        assert [r.action for r in records if r.run == run].count("close") == 1


@pytest.mark.parametrize("kind", ["count", "unmask", "step", "evaluate"])
def test_without_a_quorum_the_round_is_abandoned_and_asked_again(
    whole, tmp_path, kind, no_waiting
):
    mesh = copied(whole, tmp_path)
    with (
        hanging(no_waiting, {"cedar"}, kind),
        pytest.raises(UnreachableError) as caught,
    ):
        mesh.train(STUDY)
    assert "Fewer than 5 domains are left: cedar did not" in caught.value.problem
    (state,) = mesh.runs
    assert (state.standing, state.fault) == ("interrupted", "cedar")
    done = mesh.resume(state.run).record
    assert done.model_digest == undisturbed(whole, tmp_path).model_digest
    assert "without" not in done.privacy.dropout


def test_who_is_lost_first_stays_out_and_who_is_lost_last_comes_back(
    recovering, tmp_path, no_waiting
):
    mesh = copied(recovering, tmp_path)
    first = hanging(no_waiting, {"cedar"}, "prepare")
    last = hanging(no_waiting, {"fir"}, "step")
    with first, last, pytest.raises(UnreachableError) as caught:
        mesh.train(STUDY)
    assert caught.value.domains == ("cedar", "fir")
    done = mesh.resume(mesh.runs[0].run).record
    assert "without cedar from round" in done.privacy.dropout
    assert "fir" not in done.privacy.dropout


def test_a_node_that_stands_still_is_named_and_the_run_resumes(
    stopping, tmp_path, monkeypatch
):
    monkeypatch.setattr(processes, "_END_SECONDS", 0.5)
    mesh = copied(stopping, tmp_path)
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
    assert done.model_digest == undisturbed(stopping, tmp_path).model_digest


def test_a_quorum_of_more_domains_than_there_are_is_told(tmp_path):
    made = small(FIVE, study={**RECOVER, "rounds": {"quorum": 6}})
    with pytest.raises(ContractError, match="quorum of 6 domains, and has 5"):
        Mesh.open(make_mesh(tmp_path, made)).train(STUDY)
