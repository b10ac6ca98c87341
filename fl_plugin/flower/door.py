"""The socket at which a run on the SuperLink's machine gets its way to the nodes.

A run connects, is told the task that it may send messages as, and keeps the connection
for as long as it goes on. Only processes of the same user get in.
"""

import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from fl_plugin.errors import UnreachableError
from fl_plugin.files import PRIVATE
from fl_plugin.unix_sockets import listen_at, user_at

GREETING_SECONDS = 60.0
_LONGEST = 4_096
_WAITING = 128  # runs of one user that may wait to be let in


@dataclass(frozen=True)
class Pass:
    """What a run sends its messages with.

    Args:
        address: Of the SuperLink, on this machine.
        token: Of the task that the run is to Flower.
    """

    address: str
    token: str


def open_door(door: Path) -> socket.socket:
    """Return a socket that only processes of this user can reach.

    Raises:
        StorageError: It cannot be made, or a SuperLink runs already.
        UsageError: The path of the mesh's folder is too long for a socket.
    """
    return listen_at(door, "the SuperLink of this mesh", mode=PRIVATE, waiting=_WAITING)


def is_own(connection: socket.socket) -> bool:
    """Return whether the process at the other end is of this user."""
    return user_at(connection) == os.geteuid()


def hand_over(connection: socket.socket, words: Pass | str) -> None:
    """Tell a run its pass, or why there is none."""
    told = {"problem": words} if isinstance(words, str) else asdict(words)
    connection.sendall(json.dumps(told).encode() + b"\n")


def enter(door: Path) -> tuple[socket.socket, Pass]:
    """Return the connection to keep, and the pass.

    Raises:
        UnreachableError: No SuperLink runs here, or it is not ready.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(GREETING_SECONDS)
    problem = "No SuperLink runs for this mesh on this machine."
    with suppress(OSError, ValueError, TypeError):
        connection.connect(os.fspath(door))
        problem = "The SuperLink of this mesh gives no way to the nodes."
        with connection.makefile("rb") as told:
            words = json.loads(told.readline(_LONGEST))
        if "problem" not in words:
            return connection, Pass(**words)
        problem = str(words["problem"])
    connection.close()
    raise UnreachableError(problem, remedy="Start it, and look at it: fl flower up")
