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

from fl_plugin.flower.haste import look_sooner, pull_sooner

_GRACE = 5.0


def main() -> None:
    """Run the program that the first argument names, and end when it does.

    A SuperNode that gives up waits for threads of its own that never end.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    code = 1
    try:
        _run(sys.argv.pop(1))
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        os._exit(code)


def _run(program: str) -> None:
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

        look_sooner(loop)
        pull_sooner(loop)
        flower_supernode()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)


if __name__ == "__main__":
    main()
