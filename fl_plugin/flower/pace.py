"""How often to look whether there is something: often while there is, seldom after."""

import time

BUSY, IDLE = 0.08, 1.0
_CALM_AFTER = 10.0


class Pace:
    """Sleeps between two looks.

    Args:
        idle: The longest pause, in seconds.
    """

    def __init__(self, idle: float = IDLE) -> None:
        self._idle = idle
        self._since = time.monotonic()

    def found(self) -> None:
        """Note that there was something: what follows it comes soon."""
        self._since = time.monotonic()

    def sleep(self) -> None:
        """Wait until the next look."""
        calm = time.monotonic() - self._since > _CALM_AFTER
        time.sleep(self._idle if calm else BUSY)
