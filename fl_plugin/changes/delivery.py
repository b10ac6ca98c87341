"""Brings a domain's events to its subscribers: in order, each at least once.

A subscriber's place moves on after its answer, so a process that dies in between sends
the event again, under the same Idempotency-Key. One that does not answer holds up only
itself; after so many attempts its event becomes a dead letter and the next is tried.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from fl_plugin.changes.dead_letters import DeadLetter, DeadLetters
from fl_plugin.changes.event import Event
from fl_plugin.changes.files import read_bytes, write_whole
from fl_plugin.changes.message import body_of, headers_of
from fl_plugin.changes.outbox import Outbox, read_block
from fl_plugin.changes.posting import Answer, post
from fl_plugin.changes.subscribers import Subscriber
from fl_plugin.manifest.contract import ContractBlock

# Worth trying again at once; everything else below 500 is somebody's mistake.
_AGAIN = frozenset({408, 425, 429})
# The mistake is in the event, and the next one may be taken.
_UNWANTED = frozenset({400, 409, 411, 413, 415, 422})
_SHORTEST, _LONGEST = 0.5, 30.0  # seconds between two attempts
_SERVER_FAULT = 500
State = Literal["delivered", "waiting", "nothing to send"]


class Place(ContractBlock):
    """How far a subscriber has got.

    Args:
        sequence: Of the last event that is done with.
        tries: Of the next one, so far.
        not_before: Until then it asked to be left alone.
    """

    sequence: Annotated[int, Field(ge=0)] = 0
    tries: Annotated[int, Field(ge=0)] = 0
    not_before: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What came of one call, for one subscriber.

    Args:
        waiting: Events that are still to be sent.
        given_up: Events that became dead letters in this call.
        trouble: Why it stopped.
    """

    domain: str
    subscriber: str
    sent: int = 0
    waiting: int = 0
    given_up: int = 0
    trouble: str = ""

    @property
    def state(self) -> State:
        """In a word."""
        if self.waiting or self.trouble:
            return "waiting"
        return "delivered" if self.sent else "nothing to send"


@dataclass(frozen=True)
class Clock:
    """Time as a delivery sees it; a test has its own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[float], float] = lambda top: secrets.SystemRandom().uniform(
        0, top
    )


@dataclass(frozen=True)
class Route:
    """The way from an outbox to one subscriber."""

    outbox: Outbox
    name: str
    subscriber: Subscriber
    secret: bytes | None = None
    clock: Clock = Clock()

    def waiting(self) -> tuple[Event, ...]:
        """Return what is still to be sent, in order."""
        events = self.outbox.events()
        place = self.place().sequence
        # A place beyond the end belongs to an outbox that was moved away.
        place = place if events and place <= events[-1].sequence else 0
        return tuple(
            e for e in events if e.sequence > place and self.subscriber.wants(e)
        )

    def place(self) -> Place:
        """Return how far the subscriber has got."""
        content = read_bytes(self._file)
        return Place() if content is None else read_block(Place, content, self._file)

    def deliver(self) -> Delivered:
        """Send what is waiting until one event cannot be delivered.

        Raises:
            StorageError: A place or a dead letter cannot be written.
        """
        waiting, place = self.waiting(), self.place()
        paused = place.not_before
        if paused is not None and paused > self.clock.now():
            trouble = f"it asked to wait until {paused:%Y-%m-%d %H:%M} UTC"
            return self._told(waiting=len(waiting), trouble=trouble if waiting else "")
        sent = given_up = 0
        for event in waiting:
            answer = self._send(event, place)
            if answer.delivered:
                sent += 1
            elif self._ends(event, answer):
                given_up += 1
            place = self.place()
            if not _goes_on(answer):
                left = len(waiting) - sent - given_up
                return self._told(sent, left, given_up, answer.words)
        return self._told(sent, 0, given_up)

    def again(self, letter: DeadLetter) -> Answer:
        """Send a dead letter once more, once."""
        return self._post(letter.event)

    def _send(self, event: Event, place: Place) -> Answer:
        """Try an event and remember what came of it."""
        answer, tries, pause = Answer(), place.tries, 0.0
        for attempt in range(self.subscriber.attempts):
            answer = self._post(event)
            tries += 1
            pause = self._pause(answer, attempt)
            over = tries >= self.subscriber.give_up_after
            last = attempt == self.subscriber.attempts - 1
            if not _may_change(answer) or over or last or pause > _LONGEST:
                break
            self.clock.sleep(pause)
        if answer.delivered:
            self._move(Place(sequence=event.sequence))
            return answer
        asked = pause if answer.pause is not None else 0.0
        until = self.clock.now() + timedelta(seconds=asked) if asked else None
        self._move(Place(sequence=place.sequence, tries=tries, not_before=until))
        return answer

    def _ends(self, event: Event, answer: Answer) -> bool:
        """Make a dead letter of an event that nobody will take."""
        place = self.place()
        tired = place.tries >= self.subscriber.give_up_after
        if not tired and answer.status not in _UNWANTED:
            return False
        letter = DeadLetter(
            subscriber=self.name,
            at=self.clock.now(),
            tries=place.tries,
            reason=answer.words,
            event=event,
        )
        DeadLetters(self.outbox.folder).add(letter)
        self._move(Place(sequence=event.sequence, not_before=place.not_before))
        return True

    def _post(self, event: Event) -> Answer:
        return post(
            self.subscriber.target,
            body_of(event),
            headers_of(event, self.secret, self.clock.now()),
            seconds=self.subscriber.timeout_seconds,
        )

    def _pause(self, answer: Answer, attempt: int) -> float:
        """Return the seconds to the next attempt: doubled, blurred, or as asked."""
        blurred = self.clock.jitter(min(_LONGEST, _SHORTEST * 2**attempt))
        return max(blurred, answer.pause or 0.0)

    def _move(self, place: Place) -> None:
        write_whole(self._file, place.model_dump_json().encode())

    def _told(
        self, sent: int = 0, waiting: int = 0, given_up: int = 0, trouble: str = ""
    ) -> Delivered:
        return Delivered(
            domain=self.outbox.domain,
            subscriber=self.name,
            sent=sent,
            waiting=waiting,
            given_up=given_up,
            trouble=trouble,
        )

    @property
    def _file(self) -> Path:
        return self.outbox.folder / "subscribers" / f"{self.name}.json"


def _may_change(answer: Answer) -> bool:
    """Return whether the same request may be answered otherwise in a moment."""
    if answer.delivered:
        return False
    status = answer.status
    return status is None or status in _AGAIN or status >= _SERVER_FAULT


def _goes_on(answer: Answer) -> bool:
    """Return whether the next event is worth trying in the same call."""
    return answer.delivered or answer.status in _UNWANTED
