"""The coordinator's side of a fit: which party is asked what for one gradient.

It carries sealed messages on and adds up numbers: of every party what was opened, with
masks on it, and what takes the masks off. It ends with the gradient by the turned
coordinates of every party's columns.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import Asks, Replies, VerticalTask
from fl_plugin.vertical.glm.turns import (
    CLOSE,
    END,
    OPEN,
    PASS,
    POINT,
    SHARE,
    START,
    SUMS,
    TARGET,
    Terms,
    bytes_of,
    features_of,
    place,
    stage,
)


@dataclass
class Looks:
    """Asks for gradients.

    Args:
        task: Of the fit.
        terms: Of the fit.
    """

    task: VerticalTask
    terms: Terms

    def __post_init__(self) -> None:
        """Start counting."""
        self.exchanges = 0
        self._label = self.task.label_party
        self._line = features_of(self.task)
        self._target: dict[str, Floats] = {}
        self._progress: Mapping[str, float] = {}

    @property
    def size(self) -> int:
        """How many coordinates there are: a column each, and the intercept."""
        return sum(self._size(p) for p in self.task.parties)

    def start(self) -> Generator[Asks, Replies, None]:
        """Have the target's products with all columns made."""
        label, line = self._label, self._line
        begun = yield from self._ask({label: {"stage": stage(START)}})
        asks = {p: self._letter(TARGET, p, {label: begun[label]}) for p in line}
        sums = yield from self._ask(asks)
        opened = yield from self._ask({label: self._letter(OPEN, label, sums)})
        self._target = {p: self._mean(p, sums[p], opened[label]) for p in line}
        self._target[label] = checked(begun[label], "own", (self._size(label),))

    def gradient(
        self, at: Floats, progress: Mapping[str, float]
    ) -> Generator[Asks, Replies, Floats]:
        """Return the gradient of the mean loss at a point."""
        self._progress = progress
        label, line, points = self._label, self._line, self._split(at)
        passed = yield from self._pass(points)
        ask = {label: self._letter(SHARE, label, {line[-1]: passed[line[-1]]})}
        shared = (yield from self._ask(ask))[label]
        asks = {}
        for peer in line:
            closed = {} if peer == line[-1] else {line[-1]: passed[line[-1]]}
            asks[peer] = self._letter(SUMS, peer, {label: shared, **closed})
        asks[line[-1]]["sums"] = bytes_of(shared, "sums")
        sums = yield from self._ask(asks)
        opened = yield from self._ask({label: self._letter(OPEN, label, sums)})
        slopes = {p: self._slope(p, sums[p], opened[label]) for p in line}
        slopes[label] = self._slope(label, shared, sums[line[-1]])
        gradient = np.concatenate([slopes[p] for p in self.task.parties])
        return gradient / self.task.rows

    def finish(self, at: Floats) -> Generator[Asks, Replies, None]:
        """Tell every party its own coefficients."""
        label, points = self._label, self._split(at)
        told = {"stage": stage(END), "point": points[label]}
        units = (yield from self._ask({label: told}))[label]
        asks = {}
        for peer in self._line:
            asks[peer] = self._letter(END, peer, {label: units})
            asks[peer]["point"] = points[peer]
        offsets = yield from self._ask(asks)
        yield from self._ask({label: self._letter(CLOSE, label, offsets)})

    def _pass(
        self, points: Mapping[str, Floats]
    ) -> Generator[Asks, Replies, dict[str, Arrays]]:
        """Let every party take its part in; return all their answers."""
        answers: dict[str, Arrays] = {}
        before = self._label
        told = {"stage": stage(POINT), "point": points[before]}
        answers |= yield from self._ask({before: told})
        for peer in self._line:
            told = self._letter(PASS, peer, {before: answers[before]})
            told["point"] = points[peer]
            answers |= yield from self._ask({peer: told})
            before = peer
        return answers

    def _ask(self, to: Mapping[str, Arrays]) -> Generator[Asks, Replies, Replies]:
        self.exchanges += 1
        return (yield Asks(to=to, progress=self._progress))

    def _letter(
        self, told: int, to: str, answers: Mapping[str, Arrays]
    ) -> dict[str, Array]:
        """Return a question that carries what others have sealed for a party."""
        question = {"stage": stage(told)}
        for sender, answer in answers.items():
            name = place(self.task, "sealed", sender)
            question[name] = bytes_of(answer, place(self.task, "sealed", to))
        return question

    def _mean(self, party: str, own: Arrays, opened: Arrays) -> Floats:
        """Return products with a party's columns, their masks taken off."""
        shape = (self._size(party),)
        name = place(self.task, "opened", party)
        return checked(opened, name, shape) + checked(own, "own", shape)

    def _slope(self, party: str, own: Arrays, opened: Arrays) -> Floats:
        residual = self._mean(party, own, opened) - self._target[party]
        penalty = checked(own, "penalty", (self._size(party),))
        return self.terms.link.sign * residual + penalty

    def _size(self, party: str) -> int:
        return self.task.widths[party] + int(party == self._label)

    def _split(self, at: Floats) -> dict[str, Floats]:
        ends = np.cumsum([self._size(p) for p in self.task.parties])[:-1]
        return dict(zip(self.task.parties, np.split(at, ends), strict=True))
