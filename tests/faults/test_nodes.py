"""A process for each domain: the same bytes, whoever dies, and no stranger gets in."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import pytest

from fl_plugin import Mesh
from fl_plugin.engines.framing import greet, greeting
from fl_plugin.engines.node import Node
from fl_plugin.software import release
from tests.faults.books import on_record_twice
from tests.faults.crashing import node as forked_node
from tests.made_mesh import CONSUMER, STUDY
from tests.small_mesh import THREE

pytestmark = pytest.mark.slow


def nodes_of(root):
    """Return the processes that answer for the domains of a mesh."""
    found = subprocess.run(
        ["pgrep", "-f", f"fl_plugin node .*{root}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(word) for word in found.stdout.split()]


@contextmanager
def node(root, domain, path):
    """Run a node as its domain's team would."""
    words = [sys.executable, "-m", "fl_plugin", "node", "--domain", domain]
    words += ["--project", str(root), "--socket", str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.terminate()


def call(path, **words):
    """Return what a node answers to a greeting."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        until = time.monotonic() + 10
        greet(connection, words, until)
        return greeting(connection, until)


def test_processes_give_the_bytes_of_threads_and_leave_none_behind(root, expected):
    done = Mesh.open(root).train(STUDY, engine="processes").record
    assert done.model_digest == expected.model_digest
    assert done.metrics == expected.metrics
    assert nodes_of(root) == []


@pytest.mark.parametrize("numbers", [(2, 8, 17), (4, 13)])
def test_a_killed_node_takes_its_run_up_and_nothing_is_told_twice(
    root, expected, numbers
):
    killed = []

    def kill(_kind, at):
        if at in numbers:
            dying = nodes_of(root)[:2]
            for process in dying:
                os.kill(process, signal.SIGKILL)
            killed.extend(dying)

    mesh = Mesh.open(root)
    done = mesh.train(STUDY, engine="processes", listener=kill).record
    assert len(killed) == 2 * len(numbers)
    assert done.model_digest == expected.model_digest
    assert once(mesh)
    assert nodes_of(root) == []


def test_nodes_that_are_killed_at_random_times_are_waited_for(
    original, expected, tmp_path, extent, figure
):
    dice = extent.dice("nodes")
    hit = 0
    for number in range(extent.of_nodes):
        root = shutil.copytree(original, tmp_path / str(number))
        hit += run_with_a_killed_node(root, expected, dice)
        shutil.rmtree(root)
    assert hit
    figure("runs with a node killed at a random time, same bytes", hit)


def run_with_a_killed_node(root, expected, dice):
    """Return whether the run still went on when the node was killed."""
    with ExitStack() as stack:
        # A socket's path must be short.
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fl-")))
        paths = {d: place / f"{d}.sock" for d in THREE}
        told = {"nodes": {d: {"socket": str(path)} for d, path in paths.items()}}
        (root / "nodes.yml").write_text(json.dumps(told))
        kill = {
            d: stack.enter_context(forked_node(root / "domains" / d, path))
            for d, path in paths.items()
        }
        begun, done = threading.Event(), threading.Event()
        late: list[bool] = []

        def killer():
            begun.wait()
            late.append(done.wait(dice.uniform(0.0, 1.0)))
            kill[dice.choice(THREE)]()

        thread = threading.Thread(target=killer)
        thread.start()
        mesh = Mesh.open(root)
        run = mesh.train(STUDY, engine="processes", listener=lambda *_: begun.set())
        done.set()
        thread.join()
    assert run.record.model_digest == expected.model_digest
    assert run.record.metrics == expected.metrics
    assert once(mesh)
    return not late[0]


def once(mesh):
    """Whether each domain has all that the run did on record once."""
    ledgers = mesh.audit().values()
    opened = [[r.action for r in records].count("open") for records in ledgers]
    return opened == [1] * len(THREE) and not any(map(on_record_twice, ledgers))


def test_a_node_lets_in_who_may_speak_for_the_consumer(root, tmp_path):
    path = tmp_path / "a.sock"
    told = {"party": "ash", "caller": CONSUMER, "software": release()}
    with node(root, "ash", path):
        assert call(path, **told) == {"party": "ash", "software": release()}
        assert "problem" in call(path, **{**told, "party": "birch"})
        assert "version" in call(path, **{**told, "software": "0.0.1"})["problem"]
        assert "problem" in call(path, **{**told, "caller": 3})
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with suppress(ConnectionResetError):
                assert connection.recv(100) == b""
    assert not path.exists()


def test_another_user_is_turned_away_and_that_is_on_record(root, tmp_path):
    path = tmp_path / "a.sock"
    words = {"party": "ash", "caller": CONSUMER, "software": release()}
    serving = Node(root / "domains" / "ash", path)
    with patch("fl_plugin.engines.node._user_of", return_value="somebody"):
        thread = threading.Thread(target=serving.serve)
        thread.start()
        said = call(path, **words)
        serving.stop()
        thread.join()
    assert "somebody may not speak for the consumer" in said["problem"]
    (record,) = Mesh.open(root).audit("ash")["ash"]
    assert (record.action, record.rule) == ("refuse", "caller.unknown")
    assert (record.consumer, record.actor) == (CONSUMER, "somebody")


@pytest.mark.parametrize("user", ["somebody", "Some.Body@bank.example", "BANK\\ml$"])
def test_a_user_that_a_domain_names_speaks_for_the_consumer(root, tmp_path, user):
    path = tmp_path / "a.sock"
    settings = root / "domains" / "ash" / "node.yml"
    known = json.loads(settings.read_text())
    settings.write_text(json.dumps(known | {"callers": {CONSUMER: [user]}}))
    words = {"party": "ash", "caller": CONSUMER, "software": release()}
    serving = Node(root / "domains" / "ash", path)
    thread = threading.Thread(target=serving.serve)
    thread.start()
    with patch("fl_plugin.engines.node._user_of", return_value=user):
        assert call(path, **words)["party"] == "ash"
    assert "problem" in call(path, **words)  # not even the node's own user, then
    serving.stop()
    thread.join()
