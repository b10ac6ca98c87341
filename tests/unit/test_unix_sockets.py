"""A socket that many come to goes on answering, whoever it could not answer."""

import errno
import os
import socket
import threading

import pytest

from fl_plugin.unix_sockets import answer_each, listen_at

PASSES = [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ECONNABORTED]


class Failing(socket.socket):
    """A listening socket that fails a number of times before it lets somebody in."""

    def __init__(self, listening, errors):
        super().__init__(fileno=os.dup(listening.fileno()))
        self._errors = list(errors)

    def accept(self):
        if self._errors:
            number = self._errors.pop(0)
            raise OSError(number, os.strerror(number))
        return super().accept()


@pytest.fixture
def listening(tmp_path):
    path = tmp_path / "s"
    with listen_at(path, "the test", mode=0o600, waiting=8) as found:
        yield found


def connected(listening):
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    caller.settimeout(30)
    caller.connect(listening.getsockname())
    return caller


def hello(connection):
    with connection:
        connection.sendall(b"hello")


@pytest.mark.parametrize("number", PASSES, ids=errno.errorcode.get)
def test_what_the_system_lacks_for_one_caller_ends_nothing(listening, number):
    with Failing(listening, [number, number]) as failing:
        serving = threading.Thread(target=answer_each, args=(failing, hello))
        serving.start()
        with connected(listening) as caller:
            assert caller.recv(5) == b"hello"
        listening.shutdown(socket.SHUT_RDWR)
        serving.join(30)
        assert not serving.is_alive()


def test_where_no_thread_is_left_the_next_caller_is_answered(listening, monkeypatch):
    class Thread(threading.Thread):
        refused = 0

        def start(self):
            if not Thread.refused:
                Thread.refused += 1
                raise RuntimeError("can't start new thread")
            super().start()

    serving = threading.Thread(target=answer_each, args=(listening, hello))
    serving.start()
    monkeypatch.setattr(threading, "Thread", Thread)
    with connected(listening) as first:
        assert first.recv(5) == b""
    with connected(listening) as second:
        assert second.recv(5) == b"hello"
    monkeypatch.undo()
    listening.shutdown(socket.SHUT_RDWR)
    serving.join(30)
    assert not serving.is_alive()
    assert Thread.refused == 1


def test_another_error_ends_it(listening):
    with Failing(listening, [errno.EINVAL]) as failing:
        answer_each(failing, hello)
    with connected(listening) as caller:
        caller.setblocking(False)  # noqa: FBT003 the library's own
        with pytest.raises(BlockingIOError):
            caller.recv(5)
