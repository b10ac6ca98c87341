"""A bound on the processor's time, so that a hang is a failing test and no hang."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 2.0


class TooSlowError(BaseException):
    """Not an `Exception`: nothing that is tested may swallow it."""


@contextmanager
def at_most(seconds: float = SECONDS) -> Iterator[None]:
    """Stop what takes more of this process's time; other processes' does not count."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
