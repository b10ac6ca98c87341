"""Which algorithms there are: this room's and those of other packages."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.discovery import discover
from fl_plugin.errors import UsageError

GROUP = "fl_plugin.algorithms"


@cache
def algorithms() -> Mapping[str, type[Algorithm]]:
    """Return every installed algorithm by name."""
    return discover(GROUP, Algorithm, GROUP)


def find_algorithm(name: str) -> type[Algorithm]:
    """Return the installed algorithm of this name.

    Raises:
        UsageError: There is none.
    """
    found = algorithms()
    if name not in found:
        near = get_close_matches(name, found, 1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"There is no algorithm {name}.",
            remedy=f"{meant}Choose one of: {', '.join(sorted(found))}.",
        )
    return found[name]
