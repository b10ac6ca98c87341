"""Carry what the coordinator's half of a protocol asks to the parties and back."""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol, TypeVar

from fl_plugin.coordinator.federation import Federation
from fl_plugin.summand import Arrays


class Addressed(Protocol):
    """What is said next: arrays by party, and figures for people."""

    @property
    def to(self) -> Mapping[str, Arrays]:
        """Who is not named is not asked."""

    @property
    def progress(self) -> Mapping[str, float]:
        """Figures about where the protocol stands."""


A = TypeVar("A", bound=Addressed)
T = TypeVar("T")
Noted = Callable[[int, Mapping[str, float]], None]


def carry(
    kind: str,
    rounds: Generator[A, Mapping[str, Arrays], T],
    federation: Federation,
    noted: Noted | None = None,
) -> T:
    """Run a protocol to its end and return what its coordinator then knows.

    Args:
        kind: Of work, at the parties.
        rounds: The coordinator's half.
        federation: The run.
        noted: Told the number of each round, and its figures.

    Raises:
        MeshError: A party refused, or left the protocol.
    """
    try:
        asks = next(rounds)
        while True:
            nothing: dict[str, dict[str, Any]] = {party: {} for party in asks.to}
            replies = federation.ask_each(kind, nothing, asks.to)
            if noted is not None:
                noted(federation.round, asks.progress)
            asks = rounds.send({p: r.arrays for p, r in replies.items()})
    except StopIteration as end:
        found: T = end.value
        return found
