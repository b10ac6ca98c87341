"""A SuperLink or a node in the background: started, found again, ended.

While it runs it holds a lock that the kernel takes back, so a number in a file is never
mistaken for a process that has long gone.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from fl_plugin.errors import UnreachableError, UsageError
from fl_plugin.flower.places import private_folder

_NAME, _SAID = "running", "said.log"
_START_SECONDS, _END_SECONDS = 120.0, 30.0
_LOOK_SECONDS = 0.1


@contextmanager
def running(folder: Path, what: str) -> Iterator[None]:
    """Hold the place of something that may run once only.

    Args:
        folder: Its own, made where there is none.
        what: In words, for the error.

    Raises:
        UsageError: It runs already.
    """
    file = private_folder(folder) / _NAME
    with file.open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(
                f"{what} runs already.", remedy="End it: fl flower stop"
            ) from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield


def start(words: Sequence[str], folder: Path) -> str:
    """Start a verb of `fl flower` in the background; return the first it says.

    Args:
        words: The verb and its options.
        folder: Where it says it.

    Raises:
        UnreachableError: It ended, or has said nothing for long.
    """
    said = private_folder(folder) / _SAID
    with said.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 this program, with words checked
            [sys.executable, "-m", "fl_plugin", "flower", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        line, found, _ = said.read_text().partition("\n")
        if found:
            process.returncode = 0  # it goes on, and is nobody's to wait for
            return line
        time.sleep(_LOOK_SECONDS)
    process.terminate()
    told = said.read_text().partition("\n")[0].removeprefix("error: ")
    raise UnreachableError(told or "It says nothing.", remedy=f"See {said}.")


def stop(folder: Path) -> bool:
    """End what runs there, and wait until it has; return whether anything did.

    Raises:
        UnreachableError: It does not end.
    """
    with suppress(FileNotFoundError), (folder / _NAME).open("r+") as file:
        if not _is_held(file.fileno()):
            return False
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(file.read()), signal.SIGTERM)
        until = time.monotonic() + _END_SECONDS
        while time.monotonic() < until:
            if not _is_held(file.fileno()):
                return True
            time.sleep(_LOOK_SECONDS)
        raise UnreachableError(
            "What runs in the background does not end.",
            remedy=f"Its process is named in {folder / _NAME}.",
        )
    return False


def _is_held(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    return False
