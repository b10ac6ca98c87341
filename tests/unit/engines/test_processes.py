"""Nodes that keep silent: nobody waits for them longer than was said."""

import socket
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from fl_plugin.engines.asking import ask
from fl_plugin.engines.framing import ConnectionLost, greet, greeting, receive
from fl_plugin.engines.processes import CLOCK, Processes, _Reached
from fl_plugin.errors import MessageError

AN_HOUR = 3_600.0
A_WHILE = 60.0  # for what takes a moment, on a machine that is busy


@pytest.fixture
def path():
    # A socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="fl-") as place:
        yield Path(place) / "a.sock"


@contextmanager
def silent_node(path, *, greets):
    """Answer nothing; give an event that tells when it was asked."""
    asked = threading.Event()

    def serve():
        connection, _ = listening.accept()
        with connection, suppress(ConnectionLost):
            until = CLOCK.now() + AN_HOUR
            greeting(connection, until)
            if greets:
                greet(connection, {"party": "ash"}, until)
                receive(connection, until=until)
            asked.set()
            receive(connection, until=until)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(1)
        threading.Thread(target=serve, daemon=True).start()
        yield asked


def in_thread(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("greets", [True, False])
def test_an_engine_that_is_closed_waits_for_no_answer(tmp_path, path, greets):
    folder = tmp_path / "domains" / "ash"
    folder.mkdir(parents=True)
    (tmp_path / "nodes.yml").write_text(f"nodes: {{ash: {{socket: {path}}}}}")
    engine, answers = Processes([folder], "ml_coe"), []
    with silent_node(path, greets=greets) as asked:
        work = in_thread(
            lambda: answers.append(engine.exchange({"ash": b"x"}, AN_HOUR))
        )
        assert asked.wait(A_WHILE)
        closing = in_thread(engine.close)
        closing.join(A_WHILE)
        work.join(A_WHILE)
    assert not closing.is_alive()
    assert answers == [{}]


def test_a_queue_that_others_have_filled_is_not_waited_in_for_ever(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            other.connect(str(path))
            line = _Reached("ash", path, "ml_coe")
            told = []
            work = in_thread(
                lambda: told.append(ask(line, b"x", CLOCK.now() + 0.2, CLOCK))
            )
            work.join(A_WHILE)
    assert told == [None]


def test_a_connection_that_went_wrong_is_not_used_again(path):
    line = _Reached("ash", path, "ml_coe")
    seen: list[object] = []

    def serve():
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                until = CLOCK.now() + AN_HOUR
                seen.append(greeting(connection, until)["caller"])
                greet(connection, {"party": "ash"}, until)
                receive(connection, until=until)
                connection.sendall(b"HTTP/1.1 400 Bad Request")

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(1)
        in_thread(serve)
        for _ in range(2):
            with pytest.raises(MessageError, match="same language"):
                line.call(b"x", CLOCK.now() + A_WHILE)
    assert seen == ["ml_coe"] * 2
