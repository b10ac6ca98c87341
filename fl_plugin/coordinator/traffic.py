"""What goes over the wire in a run: the transport, and an account of each message."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


class Transport(Protocol):
    """How messages travel; an engine."""

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""

    def exchange(
        self, asks: Mapping[str, bytes], seconds: float
    ) -> Mapping[str, bytes]:
        """Send each party its message; return what comes back in so many seconds."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One message to one party and back, as it went over the wire.

    Args:
        bytes_down: To the party.
        bytes_up: From it.
        seconds: Of the whole round.
        answered: Whether anything came back before the deadline.
    """

    round: int
    kind: str
    party: str
    bytes_down: int
    bytes_up: int
    seconds: float
    answered: bool = True


Listener = Callable[[str, int], None]
Note = Callable[[Sequence[Exchange]], None]


@runtime_checkable
class Watcher(Protocol):
    """A listener that is also told of which run the rounds are."""

    def begins(self, run: str, study: str, engine: str) -> None:
        """Hear that a run begins, or goes on."""


def tell_beginning(listener: object, run: str, study: str, engine: str) -> None:
    """Tell a listener which run begins, if it wants to know."""
    if isinstance(listener, Watcher):
        listener.begins(run, study, engine)


def silent(kind: str, number: int) -> None:
    """Listen to nothing."""


def unnoted(sent: Sequence[Exchange]) -> None:
    """Keep no account."""


def account(
    kind: str,
    number: int,
    asks: Mapping[str, bytes],
    raw: Mapping[str, bytes],
    seconds: float,
) -> list[Exchange]:
    """Return one round's messages.

    Args:
        kind: Of work.
        number: The round's.
        asks: What went to each party.
        raw: What came back; who is missing was silent.
        seconds: That it took.
    """
    return [
        Exchange(
            round=number,
            kind=kind,
            party=party,
            bytes_down=len(sent),
            bytes_up=len(raw.get(party, b"")),
            seconds=seconds,
            answered=party in raw,
        )
        for party, sent in asks.items()
    ]
