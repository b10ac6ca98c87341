"""A domain's node: its party behind a socket, run by the domain's own user.

Only the operating system says who calls: over a Unix socket, the user of the calling
process. The domain's node.yml names the users who may speak for a consumer (`callers`);
without it, only the user that the node itself runs as.
"""

import os
import pwd
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fl_plugin.engines.framing import (
    ConnectionLost,
    greet,
    greeting,
    receive,
    send,
)
from fl_plugin.errors import MeshError
from fl_plugin.party.heard import Tell, untold
from fl_plugin.party.party import Party
from fl_plugin.software import release
from fl_plugin.unix_sockets import answer_each, listen_at, user_at

GREETING_SECONDS = 10.0
MOST_CONNECTIONS = 32
_ANYBODY = 0o666  # who may speak is decided by who calls, see `Party.admits`


class Node:
    """A party that answers on a socket until it is stopped.

    Args:
        folder: The domain's folder.
        path: Of the Unix socket.
        tell: Told of each message, for the domain's own people.

    Raises:
        StorageError: The socket cannot be made, or another node answers there.
        UsageError: Its path is too long.
    """

    def __init__(self, folder: Path, path: Path, tell: Tell = untold) -> None:
        self._party = Party(folder, tell)
        self.name = self._party.name
        self._path = path
        self._listening = listen_at(
            path, f"the node of {self.name}", mode=_ANYBODY, waiting=MOST_CONNECTIONS
        )
        self._places = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._stopped = threading.Event()

    def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Answer until `stop`.

        Args:
            ready: Called once the node listens.
        """
        ready()
        with self._listening:
            answer_each(self._listening, self._talk)

    def stop(self) -> None:
        """Stop listening; what is being answered is answered."""
        self._stopped.set()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        with suppress(OSError):  # last: the process may end once nobody listens
            self._listening.shutdown(socket.SHUT_RDWR)

    def _talk(self, connection: socket.socket) -> None:
        with connection, self._placed() as placed, suppress(ConnectionLost, MeshError):
            if not placed:
                return
            until = time.monotonic() + GREETING_SECONDS
            words = greeting(connection, until)
            problem = self._unwelcome(connection, words)
            if problem is not None:
                greet(connection, problem, until)
                return
            caller = str(words["caller"])
            told = {"party": self.name, "software": release()}
            greet(connection, told, until)
            while not self._stopped.is_set():
                send(connection, self._party.handle(receive(connection), caller))

    @contextmanager
    def _placed(self) -> Iterator[bool]:
        """Hold one of the places for connections, if there is one."""
        held = self._places.acquire(blocking=False)
        try:
            yield held
        finally:
            if held:
                self._places.release()

    def _unwelcome(
        self, connection: socket.socket, words: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return what to tell a caller that is not let in; None for one that is."""
        caller, software = words.get("caller"), words.get("software")
        if not isinstance(caller, str) or words.get("party") != self.name:
            return _told(f"This is the node of {self.name}.", "Check its address.")
        if software != release():
            return _told(
                f"The node of {self.name} runs version {release()} of "
                f"fl_plugin, and was called by another.",
                "Install the same version on both sides.",
            )
        user = _user_of(connection)
        if self._party.admits(caller, user, own=user == _own_user()):
            return None
        return _told(
            f"The user {user} may not speak for the consumer {caller} at {self.name}.",
            f"Ask {self.name} to list the user under `callers` in its node.yml.",
        )


def _told(problem: str, remedy: str) -> dict[str, Any]:
    return {"problem": problem, "remedy": remedy}


def _user_of(connection: socket.socket) -> str:
    """Return the name of the user whose process is at the other end."""
    return _named(user_at(connection))


def _own_user() -> str:
    return _named(os.geteuid())


def _named(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
