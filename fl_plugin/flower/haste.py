"""Flower's own waits, made as short as what they wait for.

Flower is made for rounds of minutes: a node that finds no message sleeps 3 s, and one
that finds a message whose content is still on its way sleeps 1 s. A run here has many
short rounds. Each name that is replaced is one of Flower 1.41, to which this version is
pinned; without it everything works, some seconds slower a round.
"""

import functools
from types import ModuleType, SimpleNamespace

from flwr.supercore.inflatable.inflatable_utils import pull_objects

from fl_plugin.flower.pace import Pace

FIRST_LOOK = 0.03  # seconds; each further one waits twice as long


def pull_sooner(module: ModuleType) -> None:
    """Look for contents sooner.

    Args:
        module: One of Flower's that calls `pull_objects`.
    """
    module.pull_objects = functools.partial(  # type: ignore[attr-defined]
        pull_objects, initial_backoff=FIRST_LOOK
    )


def look_sooner(module: ModuleType) -> None:
    """Look for messages sooner while a run is on.

    Args:
        module: The SuperNode's loop, which calls `time.sleep` and nothing else of it.
    """
    pace = Pace()

    def sleep(seconds: float) -> None:
        if seconds < 1:  # it has a message, and waits for the reply
            pace.found()
        pace.sleep()

    module.time = SimpleNamespace(sleep=sleep)  # type: ignore[attr-defined]
