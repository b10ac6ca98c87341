"""How parties take turns: the label party asks the others, sealed, until it is done.

The coordinator carries what it cannot read. It learns who is asked, how long messages
are, and how many trees there are.
"""

from collections.abc import Generator, Mapping
from typing import Any, Generic, TypeVar

import numpy as np

from fl_plugin.algorithms.checks.arrays import malformed, whole_number
from fl_plugin.errors import MessageError
from fl_plugin.summand import Array, Arrays
from fl_plugin.vertical.base import Asks, Replies, Side, VerticalTask

# What a feature party is asked for.
OPEN, HINT, SUMS, SIDES, RELEASE, CLOSE, SCORE = range(7)
BEGIN, NEXT = range(2)  # what the label party is asked for

Result = TypeVar("Result")
Talk = Generator[Mapping[str, Arrays], Mapping[str, Arrays], Result]
TREES = "trees"


def number(value: int) -> Array:
    """Return a whole number as it is sent."""
    return np.array([value], dtype=np.int64)


def peers_of(task: VerticalTask) -> tuple[str, ...]:
    """Return the parties that have features and not the label, sorted."""
    return tuple(
        p for p in task.parties if p != task.label_party and task.widths[p] > 0
    )


def sealed_name(task: VerticalTask, peer: str) -> str:
    """Return the name of an array that is sealed from or for a peer."""
    return f"sealed.{task.parties.index(peer)}"


def bytes_of(arrays: Arrays, name: str) -> Array:
    """Return a sealed message out of a question or an answer.

    Raises:
        MessageError: It is missing or no bytes.
    """
    told = arrays.get(name)
    if told is None or told.dtype != np.uint8 or told.ndim != 1:
        raise malformed(name)
    return told


def carried(task: VerticalTask) -> Generator[Asks, Replies, int]:
    """Carry sealed messages between the label party and the others; count exchanges."""
    label, name = task.label_party, sealed_name(task, task.label_party)
    told = (yield Asks(to={label: {"stage": number(BEGIN)}}))[label]
    exchanges = 1
    while "done" not in told:
        asked = [p for p in peers_of(task) if sealed_name(task, p) in told]
        if not asked:
            raise malformed("sealed")
        to = {p: {name: bytes_of(told, sealed_name(task, p))} for p in asked}
        trees = whole_number(told, TREES)
        replies = yield Asks(to=to, progress={TREES: float(trees)})
        back = {sealed_name(task, p): bytes_of(replies[p], name) for p in asked}
        told = (yield Asks(to={label: {"stage": number(NEXT), **back}}))[label]
        exchanges += 2
    return exchanges


class Speaker(Generic[Result]):
    """The label party's end: runs a talk, one exchange for every question it gets.

    Args:
        task: Of the fit.
        side: The label party's.
        talk: Yields what to ask which peer, gets their answers, returns a result.
    """

    def __init__(self, task: VerticalTask, side: Side, talk: Talk[Result]) -> None:
        self._task, self._side, self._talk = task, side, talk
        self._asked: tuple[str, ...] | None = None  # before the first question
        self.result: Result | None = None
        self.trees = 0

    def answer(self, question: Arrays) -> Arrays:
        """Open what peers said, and return what to ask them next.

        Raises:
            MessageError: It is not the question that comes next.
        """
        due = BEGIN if self._asked is None else NEXT
        if self.result is not None or whole_number(question, "stage", NEXT) != due:
            raise out_of_order()
        replies = {
            peer: self._side.channel.open(
                peer, bytes_of(question, sealed_name(self._task, peer))
            )
            for peer in self._asked or ()
        }
        try:
            asks = next(self._talk) if due == BEGIN else self._talk.send(replies)
        except StopIteration as end:
            self.result = end.value
            return {"done": number(1)}
        self._asked = tuple(asks)
        sealed = {
            sealed_name(self._task, peer): self._side.channel.seal(peer, arrays)
            for peer, arrays in asks.items()
        }
        return {**sealed, TREES: number(self.trees)}


class Listener:
    """A feature party's end: opens what the label party asks, seals what it answers.

    Args:
        task: Of the fit.
        side: The party's own.
    """

    def __init__(self, task: VerticalTask, side: Side) -> None:
        self._task, self._side = task, side

    def opened(self, question: Arrays) -> tuple[int, Arrays]:
        """Return which question it is, and its arrays."""
        label = self._task.label_party
        told = self._side.channel.open(
            label, bytes_of(question, sealed_name(self._task, label))
        )
        return whole_number(told, "kind", SCORE), told

    def sealed(self, arrays: Arrays) -> Arrays:
        """Return an answer."""
        label = self._task.label_party
        return {sealed_name(self._task, label): self._side.channel.seal(label, arrays)}


def out_of_order() -> MessageError:
    """Return the error for a question that is not the next."""
    return MessageError(
        "A question of a vertical fit came out of order.",
        remedy="Start the run again.",
    )


def array_of(
    arrays: Arrays, name: str, kind: Any, shape: tuple[int | None, ...]
) -> Array:
    """Return an array of this type and shape; None where any length goes.

    Raises:
        MessageError: It is missing or another.
    """
    told = arrays.get(name)
    if told is None or told.dtype != kind or told.ndim != len(shape):
        raise malformed(name)
    if not all(n in {None, m} for n, m in zip(shape, told.shape, strict=True)):
        raise malformed(name)
    return told
