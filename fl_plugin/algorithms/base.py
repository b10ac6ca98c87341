"""What an algorithm is: a party's half over rows, a coordinator's half over sums.

The two halves never meet. A party's `Worker` sees rows and returns arrays; the
coordinator's `rounds` is a plain loop that yields what to ask and gets back the arrays
summed over all parties. Neither knows of privacy, engines or files. What an answer
looks like and how large it can get (`answers`) is public and known before a row is
touched, so that fixed point cannot overflow and a party can prove its part before it
is masked.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from fl_plugin.algorithms.described import Described
from fl_plugin.summand import Array, Arrays, Floats, Summand

Hashes = npt.NDArray[np.uint64]
Category = str | bool | int

# Blocks of this many rows stay in a core's second-level cache.
BATCH = 4_096


class Design(ABC):
    """One party's rows, prepared: in memory, or on disk and read block by block."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def blocks(self, size: int = BATCH) -> Iterator["Block"]:
        """Yield all rows in order, at most `size` at a time."""

    @abstractmethod
    def whole(self) -> "Block":
        """Return all rows at once; only for what is small, as binned rows are."""


@dataclass(frozen=True)
class Block(Design):
    """Rows in memory.

    Args:
        x: One row of this array per design column: (columns, rows), C order; float64,
            or uint8 bins (the last bin of a column, `missing`, is for missing values).
        y: Target, (rows,) float64: 0 or 1 for a binary one, the index of the class for
            several classes, the number itself otherwise; zeros where there is none.
        hashes: (rows,) uint64: equal for the same row key wherever the row lies, under
            the study's seed. For draws that must not depend on who holds a row.
    """

    x: Array
    y: Floats
    hashes: Hashes = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.x.shape[1])

    def blocks(self, size: int = BATCH) -> Iterator["Block"]:
        """Yield views of consecutive rows."""
        for begin in range(0, self.rows, size):
            end = begin + size
            yield Block(self.x[:, begin:end], self.y[begin:end], self.hashes[begin:end])

    def whole(self) -> "Block":
        """Return itself."""
        return self


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is to be predicted.

    Args:
        kind: "binary", "multiclass", "regression", "count" or "none".
        classes: Of a binary or multiclass target, sorted; `y` is the index into them.
    """

    kind: str = "binary"
    classes: tuple[Category, ...] = (False, True)


@dataclass(frozen=True, kw_only=True)
class DesignColumn:
    """One column of a design.

    Args:
        name: Of the column, unique: "age", or "purpose = car" of a one-hot one.
        feature: The study's feature that it comes from.
        categorical: Whether its (binned) values are codes without an order.
        edges: Of a binned numeric column, the upper edges between its bins, ascending:
            bin i holds edges[i-1] < value <= edges[i]. None otherwise.
        bins: Of a binned column, how many bins hold values (missing ones apart).
        monotonic: 1, -1 or 0: how the prediction may move with it.
    """

    name: str
    feature: str
    categorical: bool = False
    edges: Floats | None = None
    bins: int = 0
    monotonic: int = 0


@dataclass(frozen=True, kw_only=True)
class Task:
    """What both halves of a fit know before its first round; all of it is public.

    Args:
        target: What is predicted.
        columns: Of the design, in order.
        rows: Training rows of all parties together.
        parties: How many there are.
        seed: Of the study.
        mean_square: The largest mean square of a design column over all training rows.
        target_mean: Of `y` over all training rows.
        target_mean_square: Of `y` over all training rows.
        class_counts: Of a binary or multiclass target, rows per class.
        mu: How private the fit is (`privacy.dp.accountant`); infinite without noise.
            Of a private fit, `rows` is a public upper bound and the facts about the
            data keep their defaults.
    """

    target: Target
    columns: tuple[DesignColumn, ...]
    rows: int
    parties: int = 1
    seed: int = 0
    mean_square: float = 1.0
    target_mean: float = 0.0
    target_mean_square: float = 1.0
    class_counts: tuple[int, ...] = ()
    mu: float = math.inf

    @property
    def width(self) -> int:
        """Columns of the design."""
        return len(self.columns)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What every party is asked next.

    Args:
        arrays: float64 or int64, sent to all parties alike.
        progress: Figures about the last accepted point, for people: `loss`,
            `gradient_norm`, `step` or what the algorithm has.
    """

    arrays: Arrays
    progress: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """How far the optimum of the same objective over all pooled rows can be.

    Args:
        gradient_norm: Euclidean norm of the objective's gradient at the solution.
        smallest_eigenvalue: Of its Hessian there.
        distance_bound: On the Euclidean distance to the pooled optimum.
    """

    gradient_norm: float
    smallest_eigenvalue: float
    distance_bound: float


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What came out.

    Args:
        model: Arrays that `estimator` makes a fitted estimator from; they are sent to
            the parties for evaluation.
        rounds: Exchanges used.
        loss: The objective at the solution, where there is one.
        certificate: Where the objective is convex and smooth.
        notes: Sentences for the report (an empty cluster, an early stop).
    """

    model: Arrays
    rounds: int
    loss: float | None = None
    certificate: Certificate | None = None
    notes: tuple[str, ...] = ()


Rounds = Generator[Question, Arrays, Fitted]


class Worker(ABC):
    """A party's half of one fit, with what it must remember between rounds."""

    @abstractmethod
    def answer(self, question: Arrays) -> Arrays:
        """Return what the party's rows contribute: the arrays that `answers` names."""


@dataclass(frozen=True, kw_only=True)
class Algorithm(Described):
    """Base class; a subclass in this room, one per file, is found by its `name`."""

    # (module, class, skops node) of what its estimator holds beyond plain arrays
    types: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    @property
    def sees(self) -> str:
        """Either "sum", which masks allow, or "each" for every party's own part."""
        return "sum"

    @abstractmethod
    def worker(self, task: Task, design: Design) -> Worker:
        """Return a party's half for these rows."""

    @abstractmethod
    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """Return what an answer to this question looks like; from public facts only.

        Raises:
            MessageError: The question is not one that this algorithm asks: its arrays
                are missing, misshapen or out of range. An opponent may have written it.
        """

    @abstractmethod
    def rounds(self, task: Task) -> Rounds:
        """The coordinator's half: yield questions, get the sums, return the fit.

        Deterministic: the same sums give the same questions, so that a run can be
        resumed by replaying them. A sum's entries are off by at most `parties` times
        half the spacing of the grid of its `Summand`.

        Raises:
            TrainingError: The fit did not converge, or the sums allow none.
        """

    def combine(self, parts: Sequence[Arrays]) -> Arrays:
        """Return what `rounds` gets where the coordinator sees each party's part."""
        return {name: np.sum([p[name] for p in parts], axis=0) for name in parts[0]}

    @abstractmethod
    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return the fitted scikit-learn estimator, over (rows, columns) of a design.

        Raises:
            MessageError: The arrays are not a model of this algorithm. They may come
                from an opponent: nothing compiled may be given an unchecked index.
        """

    @abstractmethod
    def model_of(self, estimator: BaseEstimator) -> Arrays:
        """Return the arrays that `estimator` would make this estimator from."""

    def personalise(
        self,
        model: Arrays,  # noqa: ARG002
        task: Task,  # noqa: ARG002
        design: Design,  # noqa: ARG002
    ) -> Arrays | None:
        """Return a model fitted further to one domain's rows; it never leaves them.

        None where an algorithm knows no personal model.
        """
        return None

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return predictions: (rows,) or, with several classes, (rows, classes).

        Of a binary target the probability of the second class, of several classes
        their probabilities, else the expected value. Without a target: (rows,), how
        badly each row fits (its loss).
        """
        estimator: Any = self.estimator(model, task)
        x = block.x.T
        if task.target.kind in {"binary", "multiclass"}:
            chances = np.asarray(estimator.predict_proba(x), dtype=np.float64)
            return chances[:, 1] if task.target.kind == "binary" else chances
        return np.asarray(estimator.predict(x), dtype=np.float64)

    def outcome(
        self,
        model: Arrays,  # noqa: ARG002
        task: Task,  # noqa: ARG002
        block: Block,
    ) -> Floats:
        """Return (rows,): what predictions are held against.

        The target; without one, each row's loss if nothing but the columns' means
        over the training rows were known, or zeros where a model does not know these.
        """
        return block.y


class RowAlgorithm(Algorithm):
    """An algorithm whose parties remember nothing: a pure function of the question."""

    @abstractmethod
    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """A party's part: what its rows contribute. Adds over parties."""

    def worker(self, task: Task, design: Design) -> Worker:
        """Return a worker that calls `step`."""
        return _Forgetful(self, task, design)


@dataclass(frozen=True)
class _Forgetful(Worker):
    algorithm: RowAlgorithm
    task: Task
    design: Design

    def answer(self, question: Arrays) -> Arrays:
        return self.algorithm.step(question, self.task, self.design)


Total = Callable[[Arrays, Mapping[str, Summand]], Arrays]


def solve(algorithm: Algorithm, task: Task, total: Total) -> Fitted:
    """Run an algorithm to its end, with sums from `total(question, answers)`."""
    rounds = algorithm.rounds(task)
    try:
        question = next(rounds)
        while True:
            expected = algorithm.answers(question.arrays, task)
            question = rounds.send(total(question.arrays, expected))
    except StopIteration as end:
        fitted: Fitted = end.value
        return fitted


def solve_alone(algorithm: Algorithm, task: Task, design: Design) -> Fitted:
    """Fit one party's rows by themselves."""
    worker = algorithm.worker(task, design)
    return solve(algorithm, task, lambda question, _: worker.answer(question))
