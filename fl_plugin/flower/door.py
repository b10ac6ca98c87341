"""The socket at which a run on the SuperLink's machine gets its way to the nodes.

A run connects, is told the task that it may send messages as, and keeps the connection
for as long as it goes on. Only processes of the same user get in.
"""

import json
import os
import socket
import struct
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from fl_plugin.errors import StorageError, UnreachableError

GREETING_SECONDS = 60.0
_LONGEST = 4_096
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: SO_PEERCRED of Linux, unix(7)


@dataclass(frozen=True)
class Pass:
    """What a run sends its messages with.

    Args:
        address: Of the SuperLink, on this machine.
        token: Of the task that the run is to Flower.
    """

    address: str
    token: str


def listen_at(door: Path) -> socket.socket:
    """Return a socket that only processes of this user can reach.

    Raises:
        StorageError: It cannot be made, or a SuperLink runs already.
    """
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if door.exists() and not _answers(door):
            door.unlink()  # of one that was killed
        found.bind(os.fspath(door))
        door.chmod(0o600)
        found.listen()
    except OSError as error:
        found.close()
        raise StorageError(
            f"The SuperLink of this mesh cannot be started ({error.strerror}).",
            remedy="Stop the one that runs: fl flower stop. The path of the mesh's "
            "folder may have 80 letters at most.",
        ) from None
    return found


def _answers(door: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(os.fspath(door)) == 0


def is_own(connection: socket.socket) -> bool:
    """Return whether the process at the other end is of this user."""
    raw = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    return bool(_CREDENTIALS.unpack(raw)[1] == os.geteuid())


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
