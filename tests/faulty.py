"""An engine whose parties fall silent, or send something else than they should."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fl_plugin.coordinator.traffic import Transport
from fl_plugin.messages import Message, Reply, decode, encode

Change = Callable[[Reply], Reply]


@dataclass
class Losing:
    """A transport on which parties fall silent for good.

    Args:
        inner: What carries the messages.
        loses: Kind of message to who is silent from then on.
        after: How many messages of that kind they answer before.
        works: Whether a lost party still gets messages, and only its answers are lost.
    """

    inner: Transport
    loses: Mapping[str, Collection[str]]
    after: int = 0
    works: bool = False
    kinds: list[str] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""
        return self.inner.parties

    def exchange(
        self, asks: Mapping[str, bytes], seconds: float
    ) -> Mapping[str, bytes]:
        """Carry what is not lost."""
        kind = kind_of(asks)
        before = self.kinds.count(kind)
        self.kinds.append(kind)
        if before >= self.after:
            self.silent |= set(self.loses.get(kind, ()))
        sent = asks if self.works else self._audible(asks)
        return self._audible(self.inner.exchange(sent, seconds))

    def _audible(self, messages: Mapping[str, bytes]) -> dict[str, bytes]:
        return {p: m for p, m in messages.items() if p not in self.silent}


@dataclass
class Poisoning:
    """A transport on which one party's answers of one kind are changed.

    Args:
        inner: What carries the messages.
        kind: Of the message.
        party: Whose.
        change: From what it should have sent to what it sends.
    """

    inner: Transport
    kind: str
    party: str
    change: Change
    changed: int = 0

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""
        return self.inner.parties

    def exchange(
        self, asks: Mapping[str, bytes], seconds: float
    ) -> Mapping[str, bytes]:
        """Carry everything, one party's answers changed."""
        answers = dict(self.inner.exchange(asks, seconds))
        if kind_of(asks) == self.kind and self.party in answers:
            reply = decode(answers[self.party])
            if isinstance(reply, Reply):
                self.changed += 1
                answers[self.party] = encode(self.change(reply))
        return answers


def kind_of(asks: Mapping[str, bytes]) -> str:
    """Return the kind of work that messages ask for."""
    message: Message = decode(next(iter(asks.values())))
    return message.kind


def with_arrays(**arrays: Any) -> Change:
    """Return a change that puts these arrays beside, or in place of, the party's."""
    return lambda reply: replace(reply, arrays={**reply.arrays, **arrays})
