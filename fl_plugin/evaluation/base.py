"""What an evaluation is: sums of a party's rows, and the metrics of their total.

One file of this room for each kind of target. A party calls `sums`; what they look
like (`answers`) is public before a row is touched; the coordinator calls `metrics` on
the arrays added over all parties, so the figures are those of the pooled rows,
whoever holds which.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from fl_plugin.discovery import discover
from fl_plugin.errors import ContractError, MessageError, TrainingError
from fl_plugin.evaluation.histogram import MAX_BINS, MIN_BINS
from fl_plugin.evaluation.metrics import Metrics
from fl_plugin.evaluation.paired import Paired
from fl_plugin.summand import Array, Arrays, Floats, Summand

Codes = npt.NDArray[np.int64]
Category = str | bool | int

MAX_CLASSES = 1_024
MAX_GROUPS = 10_000
MAX_ROWS = 1 << 48
MAX_NUMBER = 1e100


@dataclass(frozen=True, kw_only=True)
class EvaluationSpec:
    """How predictions are judged; public, and the same at every party.

    Args:
        bins: Of a score histogram; more of them narrow the brackets.
        threshold: A row is predicted positive when its score is *above* this.
        calibration_bins: Rows of the calibration table.
        kind: Of the target.
        classes: Of a binary or multiclass target, sorted; `y` is the index into them.
        low: Least prediction of a regression or count to be told apart in the
            calibration table, from the contract's bounds or the training moments.
            No metric depends on it but that table, and predictions may lie outside.
        high: Greatest such prediction. None for either: no calibration table.
        rows: At most so many rows have all parties together.
        group_sizes: How many categories each protected column has.
        centre: Mean of the training target of a regression or count: what the
            baseline predicts, and what squares are taken about.
    """

    bins: int = 1024
    threshold: float = 0.5
    calibration_bins: int = 10
    kind: str = "binary"
    classes: tuple[Category, ...] = ()
    low: float | None = None
    high: float | None = None
    rows: int = 2**31 - 1
    group_sizes: tuple[int, ...] = ()
    centre: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no evaluation can use.

        Raises:
            ContractError: A setting is out of range; it is named.
        """
        if type(self.bins) is not int or type(self.calibration_bins) is not int:
            raise _bad("bins", "a whole number")
        for key, wanted, fits in (*self._shape_rules(), *self._number_rules()):
            if not fits:
                raise _bad(key, wanted)

    def _shape_rules(self) -> Iterator[tuple[str, str, bool]]:
        wanted = f"a whole number from {MIN_BINS} to {MAX_BINS}"
        yield "bins", wanted, MIN_BINS <= self.bins <= MAX_BINS
        wanted = "from 1 to the number of bins"
        yield "calibration_bins", wanted, 1 <= self.calibration_bins <= self.bins
        fewest, classes = 2 if self.kind == "multiclass" else 0, len(self.classes)
        wanted = f"from {fewest} to {MAX_CLASSES}"
        yield "classes", wanted, fewest <= classes <= MAX_CLASSES
        fits = classes * self.bins <= 4 * MAX_BINS
        yield "bins", "small enough for so many classes", fits
        fits = all(0 < size <= MAX_GROUPS for size in self.group_sizes)
        yield "group_sizes", f"from 1 to {MAX_GROUPS} each", fits

    def _number_rules(self) -> Iterator[tuple[str, str, bool]]:
        yield "threshold", "a number between 0 and 1", 0.0 < self.threshold < 1.0
        numbers = (self.centre, self.low or 0.0, self.high or 0.0)
        # Written so that a NaN fails it.
        fits = all(abs(number) <= MAX_NUMBER for number in numbers)
        yield "range", f"made of numbers up to {MAX_NUMBER:g}", fits
        yield "rows", f"from 0 to {MAX_ROWS}", 0 <= self.rows <= MAX_ROWS

    @property
    def range(self) -> tuple[float, float] | None:
        """Return (low, high) where both are known and far enough apart to divide."""
        if self.low is None or self.high is None:
            return None
        if not self.high - self.low > max(abs(self.low), abs(self.high)) * 2.0**-40:
            return None
        return self.low, self.high


def _bad(key: str, wanted: str) -> ContractError:
    return ContractError(
        f"The study's evaluation.{key} is not {wanted}.",
        remedy=f"Set evaluation.{key} to {wanted}.",
    )


@dataclass(frozen=True)
class Evaluation(ABC):
    """Base class; a subclass in this room, one per file, is found by its `kind`.

    Args:
        spec: The shared settings.
    """

    spec: EvaluationSpec

    kind: ClassVar[str]
    main: ClassVar[str]  # the figure that models are chosen and compared by
    better: ClassVar[Literal["higher", "lower"]]  # which of two main figures is

    @abstractmethod
    def sums(
        self, predictions: Floats, y: Floats, groups: Sequence[Codes] = ()
    ) -> dict[str, Array]:
        """Summarise one party's rows, or a block of them, in arrays that add.

        Args:
            predictions: (rows,) probability of the second class; of several classes
                (rows, classes); (rows,) the expected value of a regression or count;
                without a target (rows,) each row's loss. `rows` may be 0.
            y: (rows,) index of the class, or the number itself. Without a target, the
                loss under the model that knows only the columns' means, or zeros.
            groups: For each protected column (rows,) int64 codes, -1 where unknown.

        Raises:
            TrainingError: A prediction is impossible, or shapes differ.
        """

    @abstractmethod
    def answers(self) -> Mapping[str, Summand]:
        """Return what the arrays of `sums` look like; from public facts only."""

    @abstractmethod
    def metrics(self, totals: Arrays, min_cell: int = 10) -> Metrics:
        """Compute every figure from the added arrays of `sums`.

        Args:
            totals: The arrays, added over any number of parties.
            min_cell: Table cells that rest on fewer rows are suppressed, and so is
                any further cell that would give them away. 1 shows everything.

        Raises:
            MessageError: An array is missing, misshapen or impossible, or they
                contradict each other.
        """

    @abstractmethod
    def paired(self, first: Floats, second: Floats, y: Floats) -> Paired | None:
        """Compare two models' predictions of the same rows by the main measure.

        It needs the rows, so it runs inside a domain. None for too few rows.
        """

    @abstractmethod
    def baseline(self, totals: Arrays, train_counts: Sequence[int] = ()) -> Metrics:
        """Return the figures of the model that knows only the training target."""

    def check(self, totals: Arrays, *, signed: frozenset[str] = frozenset()) -> None:
        """Refuse totals that no rows could have given.

        Args:
            totals: What was added.
            signed: Arrays that may hold negative numbers.

        Raises:
            MessageError: One is missing, misshapen, not finite or negative; named.
        """
        for name, summand in self.answers().items():
            if name not in totals or totals[name].shape != summand.shape:
                raise broken(name, "missing or of the wrong length")
            # Written so that a NaN fails it.
            if not np.isfinite(totals[name]).all():
                raise broken(name, "not a number somewhere")
            if name not in signed and not (totals[name] >= 0).all():
                raise broken(name, "below 0 somewhere")


def evaluation_for(spec: EvaluationSpec) -> Evaluation:
    """Return the evaluation of this kind of target.

    Raises:
        ContractError: There is none for it.
    """
    if spec.kind not in _kinds():
        raise _bad("kind", f"one of {', '.join(sorted(_kinds()))}")
    return _kinds()[spec.kind](spec)


def baseline_metrics(
    spec: EvaluationSpec, totals: Arrays, train_counts: Sequence[int] = ()
) -> Metrics:
    """Return the figures of the model that knows only the training target.

    Of classes it predicts the training shares for every row, and with them the most
    frequent class (the first of equals); of a number its training mean, `centre`.

    Args:
        spec: What the parties were told.
        totals: Any model's sums over the rows to be judged.
        train_counts: Of classes, training rows of each.

    Raises:
        TrainingError: There were no training rows.
    """
    return evaluation_for(spec).baseline(totals, train_counts)


def shares_of(train_counts: Sequence[int], classes: int) -> Floats:
    """Return the training share of each class.

    Raises:
        TrainingError: There were no training rows, or counts that cannot be.
    """
    counts = np.asarray(train_counts, dtype=np.float64)
    if counts.shape != (classes,) or not (counts >= 0).all() or not counts.sum():
        raise TrainingError(
            "The baseline has no training rows of this target's classes.",
            remedy="Lower evaluation.holdout, or check the product's row filter.",
        )
    shares: Floats = counts / counts.sum()
    return shares


def without_groups(evaluation: Evaluation) -> Evaluation:
    """Return the same evaluation with no protected columns."""
    return replace(evaluation, spec=replace(evaluation.spec, group_sizes=()))


def broken(name: str, how: str) -> MessageError:
    """Return the error for totals that cannot be used."""
    return MessageError(
        f"The evaluation's sums cannot be used: {name} is {how}.",
        remedy="Run it again; if it persists, compare the parties' versions.",
    )


def added(parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Return the sums of arrays of the same names; there is at least one part."""
    total: dict[str, Any] = dict(parts[0])
    for part in parts[1:]:
        for name, array in part.items():
            total[name] = total[name] + array
    return total


@cache
def _kinds() -> dict[str, type[Evaluation]]:
    found = discover("fl_plugin.evaluation", Evaluation)
    return {kind.kind: kind for kind in found.values()}
