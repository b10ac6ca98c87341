"""The questions of a fit, in the order in which each party must get them.

Label party:    START OPEN (POINT SHARE OPEN)* END CLOSE
Feature party:  TARGET (PASS SUMS)* END
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked, malformed, whole_number
from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import Side, VerticalTask, VerticalWorker
from fl_plugin.vertical.glm.columns import Columns
from fl_plugin.vertical.glm.links import Link

START, TARGET, POINT, PASS, SHARE, SUMS, OPEN, END, CLOSE = range(9)
FARTHEST = 1e9  # no coefficient of a turned column is larger
LARGEST = 2_000  # columns of all parties together
ROWS_EACH = 10  # rows for every column, and for every look at the rows


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a fit is, for all sides.

    Args:
        link: The family.
        penalty: Weight of half the squared coefficients, beside the rows' losses.
        looks: The most points at which a gradient may be asked for.
        balanced: Whether both classes count alike.
    """

    link: Link
    penalty: float
    looks: int
    balanced: bool = False


def features_of(task: VerticalTask) -> tuple[str, ...]:
    """Return the parties other than the label party, in the order of a pass."""
    return tuple(p for p in task.parties if p != task.label_party)


def require_room(task: VerticalTask, terms: Terms) -> None:
    """Refuse a fit whose sums could be solved for rows, or that no ring carries.

    Raises:
        TrainingError: There are too few rows, or too many columns, or one party only.
    """
    columns = sum(task.widths.values())
    others = features_of(task)
    if not others or not all(task.widths[p] for p in others):
        raise TrainingError(
            "Every domain but the label's must have features.",
            remedy="Name features of at least two domains in the study.",
        )
    if columns > LARGEST:
        raise TrainingError(
            f"The model has {columns} coefficients; a vertical one takes {LARGEST}.",
            remedy="Choose fewer features.",
        )
    if task.rows < ROWS_EACH * max(columns, terms.looks, 1):
        raise TrainingError(
            f"{columns} columns need {ROWS_EACH * max(columns, 1)} matched rows to "
            "learn from, those held out not counted: the sums of fewer could be "
            "solved for them.",
            remedy="Choose fewer features, match more rows, or hold fewer out; a "
            "category counts as a column: `preparation.min_count` joins rare ones.",
        )


def place(task: VerticalTask, kind: str, peer: str) -> str:
    """Return the name of an array that is from or for a peer."""
    return f"{kind}.{task.parties.index(peer)}"


def stage(number: int) -> Array:
    """Return what says which question this is."""
    return np.array([number], dtype=np.int64)


def point_of(question: Arrays, size: int) -> Floats:
    """Return the `point` that a question asks about.

    Raises:
        MessageError: It is missing, misshapen, not finite or absurdly far out.
    """
    point = checked(question, "point", (size,))
    if np.abs(point).max(initial=0.0) > FARTHEST:
        raise malformed("point")
    return point


def bytes_of(arrays: Arrays, name: str) -> Array:
    """Return a sealed message out of a question or an answer.

    Raises:
        MessageError: It is missing or no bytes.
    """
    told = arrays.get(name)
    if told is None or told.dtype != np.uint8 or told.ndim != 1:
        raise malformed(name)
    return told


class TurnWorker(VerticalWorker):
    """A party's half that answers questions in their order and no others."""

    first: ClassVar[int]

    def __init__(self, task: VerticalTask, side: Side, terms: Terms) -> None:
        require_room(task, terms)
        x = side.block.x
        if x.shape != (task.widths[side.party], task.rows) or not np.isfinite(x).all():
            raise malformed("x")
        self.task, self.side, self.terms = task, side, terms
        self._columns: Columns | None = None
        self._due: Sequence[int] = (self.first,)
        self._looks = 0

    @property
    def columns(self) -> Columns:
        """The party's turned columns."""
        if self._columns is None:
            self._columns = Columns.of(
                np.asarray(self.side.block.x, dtype=np.float64),
                self.terms.link.curvature,
                self.terms.penalty,
                constant=self.side.party == self.task.label_party,
                source=self.side.draws.stream("directions of columns"),
            )
        return self._columns

    def answer(self, question: Arrays) -> Arrays:
        """Return what the party answers.

        Raises:
            MessageError: It is not the question that comes next.
        """
        told = whole_number(question, "stage", CLOSE)
        if told not in self._due:
            raise MessageError(
                "A question of a vertical fit came out of order.",
                remedy="Start the run again.",
            )
        self._due = ()  # of a question that fails nothing follows
        answer, self._due = self.turn(told, question)
        return answer

    @abstractmethod
    def turn(self, told: int, question: Arrays) -> tuple[Arrays, Sequence[int]]:
        """Return the answer and which questions may follow."""

    def look(self) -> None:
        """Count a point that is asked about.

        Raises:
            MessageError: There were more than were agreed.
        """
        self._looks += 1
        if self._looks > self.terms.looks:
            raise MessageError(
                "A coordinator asked for more rounds than the study allows.",
                remedy="Ask the coordinator why; nothing was answered.",
            )

    def opened(self, question: Arrays, peer: str) -> Arrays:
        """Return what a peer has sealed for this party."""
        sealed = bytes_of(question, place(self.task, "sealed", peer))
        return self.side.channel.open(peer, sealed)

    def sealed(self, peer: str, arrays: Arrays) -> dict[str, Array]:
        """Return an answer's array for a peer."""
        name = place(self.task, "sealed", peer)
        return {name: self.side.channel.seal(peer, arrays)}

    def close(self, part: dict[str, Array]) -> None:
        """Keep the party's own part of the model."""
        self._part = part

    def part(self) -> Arrays:
        """Return the party's own part of the model; it stays in the domain."""
        return self._part
