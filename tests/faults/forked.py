"""Processes of a fork server that has imported everything a run needs.

So that a run in a process of its own costs its own time and no more. A process has one
fork server, however many ask for it: what it imports is said here alone.
"""

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from typing import Any

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.faults.imported"])
LONGEST = 180  # seconds; a run takes about one


def apart(work: Callable[..., Any], *words: Any) -> tuple[int, Any]:
    """Do something in a process of its own; return its exit code and what it returns.

    A negative code is the signal that ended it; it has returned nothing then.

    Raises:
        AssertionError: It hangs.
    """
    receiver, sender = SERVER.Pipe(duplex=False)
    process = SERVER.Process(target=_do, args=(sender, work, words))
    process.start()
    sender.close()
    found = None
    with receiver:
        if not receiver.poll(LONGEST):
            process.kill()
            process.join()
            raise AssertionError(f"{work.__name__} hangs: {words}")
        with suppress(EOFError):
            found = receiver.recv()
    process.join()
    return int(process.exitcode or 0), found


def _do(sender: Any, work: Callable[..., Any], words: tuple[Any, ...]) -> None:
    sender.send(work(*words))
