"""Scoring: partial predictions are added up at the label party, under masks.

With two or more feature parties each pair shares a key; one adds its stream to its
words and the other takes it away, so the label party can read their sum only. One
feature party alone has nobody to hide behind: the label party, which knows its own
part, can tell that party's from any prediction.
"""

from collections.abc import Mapping

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked, malformed, whole_number
from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.streams import Mask, apply
from fl_plugin.summand import Array, Arrays, Floats, Summand
from fl_plugin.vertical.base import Asks, Scorer, ScoringRounds, Side, VerticalTask
from fl_plugin.vertical.glm.links import Link
from fl_plugin.vertical.glm.turns import bytes_of, features_of, place, stage

KEYS, PARTS, TOTAL, SUM = range(4)
GRID = 40  # bits after the point: parts of up to 2^22 units fit, to 1e-12 of one
MOST = 2.0**22
KEY_BYTES = 32


def rounds(task: VerticalTask) -> ScoringRounds:
    """The coordinator's half: carry keys, then words, none of which it can read."""
    line = features_of(task)
    keys: Mapping[str, Arrays] = {}
    if len(line) > 1:
        keys = yield Asks(to={p: {"stage": stage(KEYS)} for p in line})
    asks = {}
    for peer in line:
        asks[peer] = {"stage": stage(PARTS)}
        for other in line[: line.index(peer)]:
            name = place(task, "sealed", other)
            asks[peer][name] = bytes_of(keys[other], place(task, "sealed", peer))
    parts = yield Asks(to=asks)
    told: dict[str, Array] = {"stage": stage(SUM)}
    for peer in line:
        words = bytes_of(parts[peer], place(task, "sealed", task.label_party))
        told[place(task, "sealed", peer)] = words
    yield Asks(to={task.label_party: told})


class _Scorer(Scorer):
    def __init__(
        self, task: VerticalTask, side: Side, part: Arrays, link: Link
    ) -> None:
        self.task, self.side, self.link = task, side, link
        width = task.widths[side.party]
        if side.block.x.shape != (width, task.rows):
            raise malformed("x")
        # Told in the unit of the fit: a target may be in billions, or in billionths.
        self._unit = float(checked(part, "unit", (1,))[0])
        if not self._unit > 0.0:
            raise malformed("unit")
        own = checked(part, "coefficients", (width,)) @ side.block.x
        self._own = own / self._unit
        self._line = features_of(task)
        self._found: Floats | None = None

    @property
    def predictions(self) -> Floats | None:
        """At the label party, once all is answered."""
        return self._found

    def _asked(self, question: Arrays, due: int) -> None:
        if whole_number(question, "stage", SUM) != due:
            raise MessageError(
                "A question of a scoring came out of order.",
                remedy="Score again.",
            )


class FeatureScorer(_Scorer):
    """Sends its part of every prediction, under masks, to the label party."""

    def __init__(
        self, task: VerticalTask, side: Side, part: Arrays, link: Link
    ) -> None:
        super().__init__(task, side, part, link)
        self._keys: dict[str, bytes] = {}
        self._due = KEYS if len(self._line) > 1 else PARTS

    def answer(self, question: Arrays) -> Arrays:
        """Send keys to those that come after; then the masked words."""
        self._asked(question, self._due)
        here = self._line.index(self.side.party)
        if self._due == KEYS:
            self._due = PARTS
            return self._send_keys(self._line[here + 1 :])
        self._due = TOTAL
        for peer in self._line[:here]:
            sealed = bytes_of(question, place(self.task, "sealed", peer))
            told = self.side.channel.open(peer, sealed).get("key")
            if told is None or told.dtype != np.uint8 or told.shape != (KEY_BYTES,):
                raise malformed("key")
            self._keys[peer] = told.tobytes()
        label = self.task.label_party
        sealed = self.side.channel.seal(label, {"words": self._words()})
        return {place(self.task, "sealed", label): sealed}

    def _send_keys(self, peers: tuple[str, ...]) -> Arrays:
        answer, source = {}, self.side.draws.stream("keys of a scoring")
        for peer in peers:
            self._keys[peer] = source(KEY_BYTES)
            key = np.frombuffer(self._keys[peer], dtype=np.uint8)
            sealed = self.side.channel.seal(peer, {"key": key})
            answer[place(self.task, "sealed", peer)] = sealed
        return answer

    def _words(self) -> Array:
        if not (np.abs(self._own) < MOST / len(self._line)).all():
            raise TrainingError(
                "A row's prediction is absurdly large.",
                remedy="Check the product for infinite or absurdly large values.",
            )
        steps = np.rint(np.ldexp(self._own, GRID)).astype(np.int64)
        masks = [
            Mask(key, adds=self.side.party < peer) for peer, key in self._keys.items()
        ]
        expected = {"words": Summand(shape=steps.shape, bound=MOST)}
        return apply({"words": steps.view(np.uint64)}, expected, masks)["words"]


class LabelScorer(_Scorer):
    """Adds up what it got and what it has."""

    def __init__(
        self, task: VerticalTask, side: Side, part: Arrays, link: Link
    ) -> None:
        super().__init__(task, side, part, link)
        self._intercept = float(checked(part, "intercept", (1,))[0])

    def answer(self, question: Arrays) -> Arrays:
        """Add up the words of all; keep the predictions."""
        self._asked(question, SUM)
        if self._found is not None:
            raise MessageError("A scoring is over.", remedy="Score again.")
        total = np.zeros(self.task.rows, dtype=np.uint64)
        for peer in self._line:
            sealed = bytes_of(question, place(self.task, "sealed", peer))
            words = self.side.channel.open(peer, sealed).get("words")
            if words is None or words.dtype != np.uint64 or words.shape != total.shape:
                raise malformed("words")
            total += words
        others = np.ldexp(total.view(np.int64).astype(np.float64), -GRID)
        z = self._unit * (self._own + others) + self._intercept
        self._found = self.link.mean(z)
        return {}
