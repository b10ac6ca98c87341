"""Sends what the outboxes hold to the domains' subscribers, one sender at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.changes.dead_letters import DeadLetter, DeadLetters
from fl_plugin.changes.delivery import Clock, Delivered, Route
from fl_plugin.changes.event import Event
from fl_plugin.changes.files import locked
from fl_plugin.changes.outbox import FOLDER, Outbox
from fl_plugin.changes.subscribers import read_secret, read_subscribers


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What one subscriber would be sent.

    Args:
        host: Where to; the path may be a secret and is not told.
        dead: How many of its events were given up.
    """

    domain: str
    subscriber: str
    host: str
    events: tuple[Event, ...]
    dead: int


def routes(folder: Path, clock: Clock | None = None) -> Iterator[Route]:
    """Yield the way to each subscriber of a domain.

    Raises:
        ContractError: notifications.yml is not valid, or a secret is not there.
    """
    outbox = Outbox(folder / FOLDER, folder.name)
    for name, subscriber in sorted(read_subscribers(folder).items()):
        yield Route(
            outbox=outbox,
            name=name,
            subscriber=subscriber,
            secret=read_secret(subscriber, name, folder),
            clock=clock or Clock(),
        )


def waiting(folder: Path, new: tuple[Event, ...] = ()) -> tuple[Waiting, ...]:
    """Return what would be sent; nothing is.

    Args:
        folder: The domain's.
        new: Events that no outbox holds yet.

    Raises:
        MeshError: A file of the domain is not valid.
    """
    own = [event for event in new if event.domain == folder.name]
    dead = [letter.subscriber for letter in DeadLetters(folder / FOLDER).letters()]
    return tuple(
        Waiting(
            domain=folder.name,
            subscriber=route.name,
            host=route.subscriber.target.host,
            events=(*route.waiting(), *filter(route.subscriber.wants, own)),
            dead=dead.count(route.name),
        )
        for route in routes(folder)
    )


def send(folder: Path, clock: Clock | None = None) -> tuple[Delivered, ...]:
    """Send what is waiting to every subscriber of a domain.

    Raises:
        ContractError: notifications.yml is not valid; nothing was sent.
        StorageError: Another process is sending, or a place cannot be written.
    """
    ways = tuple(routes(folder, clock))
    if not ways:
        return ()
    with _alone(folder):
        return tuple(way.deliver() for way in ways)


def send_dead(folder: Path, clock: Clock | None = None) -> tuple[Delivered, ...]:
    """Send every dead letter once more; what is taken is no longer one.

    Raises:
        ContractError: notifications.yml is not valid; nothing was sent.
        StorageError: Another process is sending, or a file cannot be written.
    """
    ways = {way.name: way for way in routes(folder, clock)}
    if not ways:
        return ()
    with _alone(folder):
        letters = DeadLetters(folder / FOLDER)
        found = [x for x in letters.letters() if x.subscriber in ways]
        return tuple(_again(way, letters, found) for way in ways.values())


def _again(way: Route, letters: DeadLetters, found: list[DeadLetter]) -> Delivered:
    sent, trouble = 0, ""
    mine = [letter for letter in found if letter.subscriber == way.name]
    for letter in mine:
        answer = way.again(letter)
        if answer.delivered:
            sent += 1
            letters.drop(letter)
        else:
            trouble = answer.words
    return Delivered(
        domain=way.outbox.domain,
        subscriber=way.name,
        sent=sent,
        waiting=len(mine) - sent,
        trouble=trouble,
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with locked(folder / FOLDER / ".sender", seconds=0):
        yield
