"""What `--since` may say: a day, a moment, a while ago, a number or an event."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from fl_plugin.changes.event import Event
from fl_plugin.errors import UsageError

Wanted = Callable[[Event], bool]
_WHILE = re.compile(r"([1-9][0-9]{0,4})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NUMBER = re.compile(r"(?:([a-z0-9_-]{1,64}):)?([0-9]{1,12})", re.ASCII)
_EVENT = re.compile(r"evt_[0-9a-f]{32}", re.ASCII)
_REMEDY = (
    "Use a date (2026-11-21), a moment (2026-11-21T08:00), a while (7d, 12h), "
    "<domain>:<number> or an event's id."
)


def since(words: str, events: Mapping[str, tuple[Event, ...]], now: datetime) -> Wanted:
    """Return which events are meant.

    Args:
        words: What was said.
        events: What there is, by domain.
        now: A while is counted back from here.

    Raises:
        UsageError: It says nothing that is known.
    """
    if _EVENT.fullmatch(words):
        return _after_event(words, events)
    number = _NUMBER.fullmatch(words)
    if number is not None:
        return _after_number(number[1], int(number[2]), events)
    moment = _moment(words, now)
    return lambda event: event.at >= moment


def _moment(words: str, now: datetime) -> datetime:
    ago = _WHILE.fullmatch(words)
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(words)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            "--since says neither when nor after which event.", remedy=_REMEDY
        ) from None


def _after_number(
    domain: str | None, number: int, events: Mapping[str, tuple[Event, ...]]
) -> Wanted:
    if domain is None and len(events) != 1:
        raise UsageError(
            "Events are numbered in each domain by itself.",
            remedy="Name the domain too: --since <domain>:<number>.",
        )
    wanted = domain or next(iter(events))
    if wanted not in events:
        raise UsageError(
            f"There is no domain {wanted}.", remedy=f"There are: {', '.join(events)}."
        )
    return lambda event: event.domain == wanted and event.sequence > number


def _after_event(wanted: str, events: Mapping[str, tuple[Event, ...]]) -> Wanted:
    """Of its own domain what has a higher number, of others what was no earlier."""
    found = next((e for all_ in events.values() for e in all_ if e.id == wanted), None)
    if found is None:
        raise UsageError(
            "No outbox holds this event; the oldest are dropped.", remedy=_REMEDY
        )
    last = found
    return lambda event: (
        event.sequence > last.sequence
        if event.domain == last.domain
        else event.at >= last.at
    )
