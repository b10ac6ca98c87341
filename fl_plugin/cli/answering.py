"""What the verbs that go on until they are stopped have in common."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from fl_plugin.cli.session import Session
from fl_plugin.errors import UsageError
from fl_plugin.tracing.wanted import flush


def folder_of(root: Path, domain: str) -> Path:
    """Return a domain's folder.

    Args:
        root: The mesh's.
        domain: Its name.

    Raises:
        UsageError: There is no such domain.
    """
    folder = root / "domains" / domain
    if not (folder / "node.yml").is_file():
        raise UsageError(
            f"There is no domain {domain}: it has no node.yml.",
            remedy="See which there are: fl catalog list",
        )
    return folder


def until_stopped(stop: Callable[[], None]) -> None:
    """Have Ctrl-C, and whoever ends this process, stop it in good order.

    A signal that comes just before the main thread waits in the kernel would be heard
    only when that wait ends: a thread of its own hears of it at once.
    """
    heard, tells = socket.socketpair()
    tells.settimeout(0)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        with tells, heard:
            while heard.recv(1):
                stop()

    threading.Thread(target=listen, name="signals", daemon=True).start()


def end(session: Session, **of: str) -> NoReturn:
    """End the process of a node, or of what carries messages, that has stopped.

    Args:
        session: Of its verb.
        of: What the log is to say of it.
    """
    session.log.event("stopped", of)
    flush()
    session.tell_lost()
    sys.stdout.flush()
    # Threads that wait for callers hold DuckDB's objects, which complains at the end;
    # those of Flower are waited for ten seconds.
    os._exit(0)
