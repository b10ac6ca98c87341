"""What a domain tells its own people of each message: names, numbers, never a value."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from fl_plugin.errors import MessageError
from fl_plugin.messages import Refusal, decode
from fl_plugin.tracing.runs import answered
from fl_plugin.tracing.wanted import wanted

Fact = str | int | float
Tell = Callable[[str, Mapping[str, Fact]], None]


def untold(event: str, facts: Mapping[str, Fact]) -> None:
    """Tell nobody."""


def hear(domain: str, data: bytes, work: Callable[[], bytes], tell: Tell) -> bytes:
    """Have a message answered and tell of it.

    Args:
        domain: Whose party answers.
        data: The message.
        work: What answers it; it raises nothing.
        tell: Told "answered" or "refused", and of which message. Where there is
            nobody to tell, and no trace is wanted, nothing is looked at.
    """
    if tell is untold and not wanted():
        return work()
    begun = time.time_ns()
    reply = work()
    facts: dict[str, Fact] = {"domain": domain, **_asked(data)}
    refusal = _refusal(reply)
    if "run" in facts:
        facts |= {"bytes.down": len(data), "bytes.up": len(reply)}
        facts["seconds"] = round((time.time_ns() - begun) / 1e9, 6)
        answered({**facts, **refusal}, begun, refusal.get("code", ""))
    tell("refused" if refusal else "answered", {**facts, **refusal})
    return reply


def _asked(data: bytes) -> dict[str, Fact]:
    """Return which message it is; nothing where it is none."""
    with suppress(MessageError):
        ask = decode(data)
        return {"run": ask.run, "round": ask.round, "kind": ask.kind}
    return {}


def _refusal(reply: bytes) -> dict[str, str]:
    answer = decode(reply)
    if not isinstance(answer, Refusal):
        return {}
    return {word: str(answer.body[word]) for word in ("code", "reason")}
