"""Flower's own programs, started so that they end with whoever has started them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_END_SECONDS = 10.0


def quiet(home: Path) -> Mapping[str, str]:
    """Return the environment in which Flower calls nobody and writes in one folder."""
    return {
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "FLWR_HOME": str(home),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def child(
    program: str, words: Sequence[str], home: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run Flower's server or node until the block ends.

    Args:
        program: "superlink" or "supernode".
        words: Its options.
        home: What it may write to.
        log: Where what it says goes, written anew.
    """
    command = [sys.executable, "-m", "fl_plugin.flower.child", program, *words]
    with log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 this program, with words checked
            command,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            start_new_session=True,
            env={**os.environ, **quiet(home)},
        )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
