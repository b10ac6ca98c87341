"""Ask until there is an answer: the same bytes again, after whatever went wrong.

A party answers one question once. So a question may be sent as often as it takes: what
was lost on the way there is answered now, what was lost on the way back is told again.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from fl_plugin.engines.framing import ConnectionLost

PAUSE = 0.05


@dataclass(frozen=True)
class Clock:
    """What time it is, and how to let some pass; a test has another."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Line(ABC):
    """A way to one party."""

    # Set, perhaps by another thread, once nobody waits for an answer any more.
    given_up = False

    @abstractmethod
    def call(self, data: bytes, until: float) -> bytes:
        """Send a message and return what comes back.

        Args:
            data: The message.
            until: When to give up, by the clock.

        Raises:
            ConnectionLost: Nothing came back; the next call begins anew.
        """


def ask(line: Line, data: bytes, until: float, clock: Clock) -> bytes | None:
    """Return a party's answer; None where there is none in time, or none is wanted.

    Args:
        line: To the party.
        data: The message.
        until: When to give up, by the clock.
        clock: The time.
    """
    while clock.now() < until and not line.given_up:
        try:
            return line.call(data, until)
        except ConnectionLost:
            clock.sleep(PAUSE)
    return None
