"""Flower's own server and node as a child process that ends with its parent.

Run as `python -m fl_plugin.flower.child superlink|supernode <its own options>`: the
programs `flower-superlink` and `flower-supernode`, with two differences. They end when
their standard input is closed, so none is ever left over; and a SuperNode looks for
messages more often than each 3 s while a run is on.
"""

import os
import signal
import sys
import threading
import time
from types import SimpleNamespace

from fl_plugin.flower.pace import Pace

_GRACE = 5.0


def main() -> None:
    """Run the program that the first argument names."""
    program = sys.argv.pop(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if program == "superlink":
        from flwr.superlink.cli.flower_superlink import (  # noqa: PLC0415
            flower_superlink,
        )

        flower_superlink()
    else:
        from flwr.supernode import start_client_internal as loop  # noqa: PLC0415
        from flwr.supernode.cli.flower_supernode import (  # noqa: PLC0415
            flower_supernode,
        )

        loop.time = _Waiting().as_module()  # type: ignore[assignment, attr-defined]
        flower_supernode()


class _Waiting:
    """What `time` is to the SuperNode's loop: it calls nothing but `sleep`.

    It sleeps half a second while it waits for its executor and three while there is
    no message; both are far longer than what it waits for.
    """

    def __init__(self) -> None:
        self._pace = Pace()

    def as_module(self) -> SimpleNamespace:
        return SimpleNamespace(sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        if seconds < 1:  # it has a message
            self._pace.found()
        self._pace.sleep()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)


if __name__ == "__main__":
    main()
