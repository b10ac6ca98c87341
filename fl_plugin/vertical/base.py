"""What a vertical algorithm is: the same rows everywhere, other columns in each domain.

Rows are matched before (`fl_plugin.alignment`): row i of every party's block is the
same customer. A party's `Worker` sees its own columns and answers; the coordinator's
`rounds` is a plain loop that says whom it asks what, and gets each one's answer. One
party, the label party, has the target too. Where labels are protected, neither labels
nor predictions, nor anything they can be told from, may reach another party in the
clear; what parties say to each other passes through the coordinator, sealed.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from fl_plugin.algorithms.base import Block, DesignColumn, Target
from fl_plugin.algorithms.described import Described
from fl_plugin.privacy.randomness import Randomness
from fl_plugin.summand import Array, Arrays, Floats

SHARED, PROTECTED = "shared", "protected"


@dataclass(frozen=True, kw_only=True)
class VerticalTask:
    """What all sides of a fit know before its first message; all of it is public.

    Args:
        target: What is predicted.
        widths: Columns of each party's design, by its name; the label party may have
            none. Names sort as the parties do.
        label_party: Who has the target.
        rows: Matched training rows.
        labels: "shared": the contract lets the coordinator have the labels.
            "protected": they stay where they are.
        seed: Of the study. Orders and draws that all sides must agree on come from it.
    """

    target: Target
    widths: Mapping[str, int]
    label_party: str
    rows: int
    labels: str = PROTECTED
    seed: int = 0

    @property
    def parties(self) -> tuple[str, ...]:
        """Every party, sorted."""
        return tuple(sorted(self.widths))


class Channel(Protocol):
    """What one party uses to speak to another so that the coordinator cannot read it.

    Every sealed message is for one peer, one direction and one use; it cannot be read
    twice, nor in another order.
    """

    def seal(self, peer: str, arrays: Arrays) -> Array:
        """Return the arrays encrypted for a peer: (bytes,) uint8."""

    def open(self, peer: str, sealed: Array) -> Arrays:
        """Return what a peer sealed.

        Raises:
            MessageError: It is not from that peer, altered, or not the next one.
        """


@dataclass(frozen=True, kw_only=True)
class Side:
    """One party's place in a fit, or in scoring.

    Args:
        party: Its name.
        columns: Of its own design.
        block: Its own rows, in matched order: x is (columns, rows); y is (0,) but at
            the label party.
        channel: To the other parties.
        secret: The domain's own, the same in every run and nobody else's: for draws
            that a run must repeat and that nobody may foresee who knows the rows.
        draws: Where all other draws come from: a party that was killed makes the same
            ones when it takes the run up again.
    """

    party: str
    columns: tuple[DesignColumn, ...]
    block: Block
    channel: Channel
    secret: bytes = field(default=b"", repr=False)
    draws: Randomness = field(default_factory=Randomness.fresh, repr=False)


@dataclass(frozen=True, kw_only=True)
class Asks:
    """What the coordinator says next.

    Args:
        to: Arrays by party; who is not named is not asked.
        progress: Figures for people: `loss`, `epoch`, `step` or what there is.
    """

    to: Mapping[str, Arrays]
    progress: Mapping[str, float] = field(default_factory=dict)


Replies = Mapping[str, Arrays]


@dataclass(frozen=True, kw_only=True)
class VerticalFitted:
    """What the coordinator has at the end.

    Args:
        part: Its own part of the model; empty where it has none. Every party keeps its
            own (`VerticalWorker.part`): no file holds another's.
        rounds: Exchanges used.
        loss: Of the training rows, where the coordinator may know it.
        notes: Sentences for the report.
        figures: Of the fit, for the report: what an attack by the coordinator would
            find, for instance.
    """

    part: Arrays
    rounds: int
    loss: float | None = None
    notes: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


Rounds = Generator[Asks, Replies, VerticalFitted]
ScoringRounds = Generator[Asks, Replies, None]


class VerticalWorker(ABC):
    """A party's half of one fit."""

    @abstractmethod
    def answer(self, question: Arrays) -> Arrays:
        """Return what the party answers; the question may be an opponent's.

        Raises:
            MessageError: The question is not the one that comes next.
        """

    @abstractmethod
    def part(self) -> Arrays:
        """Return the party's own part of the model; it stays in the domain."""

    def figures(self) -> Mapping[str, float]:
        """Return figures for the domain's own record and the report; none of a row."""
        return {}


class Scorer(ABC):
    """A party's half of scoring."""

    @abstractmethod
    def answer(self, question: Arrays) -> Arrays:
        """Return what the party answers; as of a `VerticalWorker`."""

    @property
    @abstractmethod
    def predictions(self) -> Floats | None:
        """At the label party, once all is answered: (rows,), or (rows, classes).

        As `Algorithm.predict` returns them. None at the others.
        """


@dataclass(frozen=True, kw_only=True)
class VerticalAlgorithm(Described):
    """Base class; a subclass in this room, one per file, is found by its `name`."""

    partitioning: ClassVar[str] = "vertical"
    sharing: ClassVar[tuple[str, ...]] = (SHARED, PROTECTED)  # ways with labels
    form: ClassVar[Literal["sealed", "activation"]] = "sealed"  # of what leaves

    def uses(self) -> tuple[str, ...]:
        """Uses that contracts must offer for these parameters, beside training."""
        return ()

    def label_uses(self) -> tuple[str, ...]:
        """Uses that the label's contract must offer besides where it protects it."""
        return ()

    def require_packages(self) -> None:
        """Check that what training needs beside this package is installed here.

        A domain asks when it decides, and before it opens a row.

        Raises:
            UsageError: A package is missing; the remedy says how to get it.
        """

    @abstractmethod
    def worker(self, task: VerticalTask, side: Side) -> VerticalWorker:
        """Return a party's half of a fit."""

    @abstractmethod
    def rounds(self, task: VerticalTask) -> Rounds:
        """The coordinator's half: yield what to ask whom, get the answers.

        Deterministic: the same answers give the same questions.

        Raises:
            TrainingError: The fit did not converge, or the answers allow none.
            MessageError: An answer is not what was asked for.
        """

    @abstractmethod
    def scorer(self, task: VerticalTask, side: Side, part: Arrays) -> Scorer:
        """Return a party's half of scoring rows that are matched likewise.

        Args:
            task: With the number of rows to score.
            side: With the rows; no target anywhere.
            part: What the party kept (`VerticalWorker.part`).

        Raises:
            MessageError: The part is not one of this algorithm's.
        """

    @abstractmethod
    def scoring(self, task: VerticalTask, part: Arrays) -> ScoringRounds:
        """The coordinator's half of scoring, with its own part of the model."""
