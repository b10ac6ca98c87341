"""Which release of this program runs: both ends of a message must be the same."""

from functools import cache
from importlib.metadata import version

NAME = "data-mesh-learning"


@cache
def release() -> str:
    """Return the installed version."""
    return version(NAME)
