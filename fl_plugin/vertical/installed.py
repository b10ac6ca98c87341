"""Which vertical algorithms there are, and all algorithms of either mode by name."""

from collections.abc import Mapping
from functools import cache

from fl_plugin.algorithms.described import Described
from fl_plugin.algorithms.installed import algorithms
from fl_plugin.discovery import discover
from fl_plugin.errors import MeshError, UsageError
from fl_plugin.vertical.base import VerticalAlgorithm

GROUP = "fl_plugin.vertical"


@cache
def vertical_algorithms() -> Mapping[str, type[VerticalAlgorithm]]:
    """Return every installed vertical algorithm by name."""
    return discover(GROUP, VerticalAlgorithm, GROUP)


@cache
def all_algorithms() -> Mapping[str, type[Described]]:
    """Return the algorithms of both modes by name.

    Raises:
        MeshError: Two share a name.
    """
    horizontal, vertical = algorithms(), vertical_algorithms()
    twice = sorted(set(horizontal) & set(vertical))
    if twice:
        raise MeshError(
            f"A horizontal and a vertical algorithm are both called {twice[0]}.",
            remedy="Uninstall the package that brings one of them, or rename it.",
        )
    return {**horizontal, **vertical}


def find_described(name: str) -> type[Described]:
    """Return what is said of the algorithm of this name, of either mode.

    Raises:
        UsageError: There is none.
    """
    found = all_algorithms()
    if name not in found:
        raise UsageError(
            f"There is no algorithm {name}.",
            remedy=f"Choose one of: {', '.join(sorted(found))}.",
        )
    return found[name]


def find_vertical(name: str) -> type[VerticalAlgorithm]:
    """Return the vertical algorithm of this name.

    Raises:
        UsageError: There is none.
    """
    found = vertical_algorithms()
    if name not in found:
        raise UsageError(
            f"There is no vertical algorithm {name}.",
            remedy=f"Choose one of: {', '.join(sorted(found)) or 'none'}.",
        )
    return found[name]
