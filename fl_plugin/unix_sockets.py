"""Unix sockets: where processes of one machine meet, and who is at the other end."""

import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fl_plugin.errors import StorageError, UsageError

_LONGEST = 100  # bytes; the system's own limit is 108
# What the system lacks for this caller it may have for the next one: accept(2).
_PASSES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED)
_PAUSE = 0.05  # seconds
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: SO_PEERCRED of Linux, unix(7)


def listen_at(path: Path, what: str, *, mode: int, waiting: int) -> socket.socket:
    """Return a listening socket, in place of one whose process was killed.

    Args:
        path: Where.
        what: Whose it is, for the error.
        mode: Who may connect, as of a file.
        waiting: How many may wait to be accepted.

    Raises:
        UsageError: The path is too long for the system.
        StorageError: It cannot be made, or somebody answers there.
    """
    if len(os.fsencode(path)) > _LONGEST:
        raise UsageError(
            f"The path of the socket of {what} is too long for the system.",
            remedy="Choose a folder with a shorter path, such as one in /run.",
        )
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and not _answers(path):
            path.unlink()
        found.bind(os.fspath(path))
        path.chmod(mode)
        found.listen(waiting)
    except OSError as error:
        found.close()
        raise StorageError(
            f"The socket {path.name} of {what} cannot be made ({error.strerror}).",
            remedy="Check its folder, and that no other one runs.",
        ) from None
    return found


def answer_each(
    listening: socket.socket, talk: Callable[[socket.socket], None]
) -> None:
    """Have each caller answered in a thread, until the socket is shut down or closed.

    Args:
        listening: As of `listen_at`.
        talk: Answers one caller, and closes the connection.
    """
    while True:
        try:
            connection, _ = listening.accept()
        except OSError as error:
            if error.errno not in _PASSES:
                return
            time.sleep(_PAUSE)
            continue
        try:
            threading.Thread(target=talk, args=(connection,), daemon=True).start()
        except RuntimeError:  # the system has no thread left
            connection.close()


def user_at(connection: socket.socket) -> int:
    """Return the number of the user whose process is at the other end."""
    raw = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    return int(_CREDENTIALS.unpack(raw)[1])


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(os.fspath(path)) == 0
