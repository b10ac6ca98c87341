"""What the MLP family shares: local training, clipping, and the coordinator's loop.

Every round each party trains the shared network on its own rows for `local_epochs`
passes and returns by how much its weights changed, times its rows; the coordinator
divides the sum by all rows and lets its algorithm take the step. Two choices differ
from McMahan et al. (2017):

- All parties take the same number of steps: a larger one takes larger batches. With
  batches of one size its drift would count once by its rows and again by its steps
  (Wang et al. 2020, "objective inconsistency", arXiv:2007.07481).
- Each change is clipped to the Euclidean norm `clip` before it is weighted and masked,
  so that sums have a public bound and no party moves the model further than that.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from fl_plugin.algorithms.base import (
    Design,
    Fitted,
    Question,
    Rounds,
    RowAlgorithm,
    Task,
)
from fl_plugin.algorithms.checks.arrays import checked, malformed, whole_number
from fl_plugin.algorithms.checks.options import one_of, within
from fl_plugin.algorithms.neural import robust
from fl_plugin.algorithms.neural.estimator import (
    arrays_of,
    estimator_of,
    folded,
    standard,
)
from fl_plugin.algorithms.neural.local import Local, clipped, diverged, weighted
from fl_plugin.algorithms.neural.perceptron import LARGEST_LOSS, Network, batches
from fl_plugin.algorithms.neural.personal import Passes, personal
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays, Floats, Summand

FARTHEST = 1e6  # no weight of a network over standardised columns is larger
MOST_ROUNDS = 10_000


@dataclass(frozen=True)
class Shared:
    """What the coordinator has between two rounds.

    Args:
        weights: Of the shared network.
        memory: What its algorithm keeps beside them.
    """

    weights: Floats
    memory: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FederatedMLP(RowAlgorithm):
    """A multi-layer perceptron, trained by parties in turn with their own rows.

    Args:
        hidden_units: Units of each hidden layer.
        hidden_layers: How many hidden layers; 0 for a linear model.
        alpha: Weight of the L2 penalty, as scikit-learn's.
        learning_rate: Of a party's own steps, in the first round.
        decay: Whether that rate falls to 0 over the rounds, along a cosine.
        batch_size: Rows of a step, in the mean over parties.
        local_epochs: Passes that a party makes over its rows in a round.
        max_rounds: How many rounds.
        clip: Largest Euclidean norm of a party's change in a round.
        aggregation: "mean" of all rows; or "trimmed_mean", "median" or "krum" of the
            parties, which a few hostile ones cannot spoil, but which must see each
            party's change.
        hostile: How many hostile parties such an aggregation must stand.
        personal_epochs: Passes over a domain's rows that fit the last layer of its
            personal model; 0 for none.
    """

    targets: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")
    exact: ClassVar[str] = (
        "nothing: it comes close to scikit-learn's MLPClassifier or MLPRegressor on "
        "the pooled rows, but not to the same weights"
    )
    leaves: ClassVar[str] = (
        "per round: by how much training on the domain's rows changed the network's "
        "weights, clipped and times its rows; the number of its rows; the sum of "
        "their losses; as masked fixed-point integers, or each domain's own where "
        "`aggregation` is not mean"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (
            "sklearn.neural_network._multilayer_perceptron",
            "MLPClassifier",
            "ObjectNode",
        ),
        ("sklearn.neural_network._multilayer_perceptron", "MLPRegressor", "ObjectNode"),
        ("sklearn.preprocessing._label", "LabelBinarizer", "ObjectNode"),
    )
    hidden_units: int = 32
    hidden_layers: int = 1
    alpha: float = 1e-4
    learning_rate: float = 0.3
    decay: bool = True
    batch_size: int = 64
    local_epochs: int = 1
    max_rounds: int = 50
    clip: float = 10.0
    aggregation: str = "mean"
    hostile: int = 1
    personal_epochs: int = 5

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        for name, ends in _ENDS.items():
            within(self.name, name, getattr(self, name), ends)
        one_of(self.name, "aggregation", self.aggregation, robust.AGGREGATIONS)

    @property
    def sees(self) -> str:
        """Every party's own change, where hostile ones must be told from others."""
        return "sum" if self.aggregation == "mean" else "each"

    @property
    def pull(self) -> float:
        """How strongly a party's training is held near the shared weights."""
        return 0.0

    @abstractmethod
    def moved(self, shared: Shared, means: Arrays) -> Shared:
        """Return what the coordinator has after a round.

        Args:
            shared: What it had before.
            means: The parties' answers, divided by all rows.
        """

    def begin(self, size: int) -> Mapping[str, Floats]:  # noqa: ARG002
        """Return the memory that the coordinator starts with."""
        return {}

    def asked(self, shared: Shared, number: int) -> Arrays:
        """Return what the parties are sent in round `number`, from 0."""
        return {"weights": shared.weights, "round": np.array([number])}

    def network(self, task: Task) -> Network:
        """Return the shape of the network for a task."""
        kind = task.target.kind
        outputs = len(task.target.classes) if kind == "multiclass" else 1
        hidden = (self.hidden_units,) * self.hidden_layers
        return Network((task.width, *hidden, outputs), kind)

    def rate(self, number: int) -> float:
        """Return the learning rate of a round."""
        share = number / self.max_rounds
        return self.learning_rate * (
            0.5 * (1.0 + float(np.cos(np.pi * share))) if self.decay else 1.0
        )

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """Train, and return the change: a pure function of question and rows."""
        return weighted(self.train(question, task, design), design.rows)

    def train(
        self, question: Arrays, task: Task, design: Design, shift: Floats | None = None
    ) -> Local:
        """Take steps against the gradient (plus `shift`) from the asked weights."""
        network, shared = self.network(task), question["weights"]
        number = int(question["round"][0])
        rate, weights = self.rate(number), shared.copy()
        penalty = np.zeros(network.size)
        penalty[: network.matrices] = self.alpha / self.batch_size
        size = self.batch_of(task, design)
        steps, loss = 0, 0.0
        for epoch in range(self.local_epochs):
            loss = 0.0
            key = (task.seed, number, epoch)
            for x, y in batches(design, size, task.width, key):
                here, slope = network.gradient(weights, x, standard(y, task))
                slope += penalty * weights + self.pull * (weights - shared)
                if shift is not None:
                    slope += shift
                weights -= rate * slope
                loss += here
                steps += 1
        return Local(clipped(weights - shared, self.clip), loss, steps)

    def batch_of(self, task: Task, design: Design) -> int:
        """Return the rows of a batch that give every party the same number of them."""
        steps = max(1, round(task.rows / task.parties / self.batch_size))
        return max(1, round(design.rows / steps))

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """A change is clipped; a row's loss too."""
        network = self.network(task)
        if np.abs(checked(question, "weights", (network.size,))).max() > FARTHEST:
            raise malformed("weights")
        whole_number(question, "round", self.max_rounds - 1)
        rows = max(task.rows, 1)
        return {
            "update": Summand(shape=(network.size,), bound=2.0 * rows * self.clip),
            "rows": Summand.count((1,), rows),
            "loss": Summand(shape=(1,), bound=2.0 * rows * LARGEST_LOSS),
        }

    def combine(self, parts: Sequence[Arrays]) -> Arrays:
        """Return the sums, or a robust mean as the sums of a single row."""
        if self.aggregation == "mean":
            return super().combine(parts)
        return robust.combined(parts, self.aggregation, self.hostile)

    def rounds(self, task: Task) -> Rounds:
        """Ask for changes and take the step that they give, `max_rounds` times."""
        network = self.network(task)
        shared = Shared(network.start(task.seed), self.begin(network.size))
        losses: list[float] = []
        for number in range(self.max_rounds):
            told = {"loss": losses[-1]} if losses else {}
            sums = yield Question(arrays=self.asked(shared, number), progress=told)
            rows = float(sums["rows"][0])
            if rows < 1:
                raise _nobody(self.name)
            means = {name: array / rows for name, array in sums.items()}
            losses.append(float(means["loss"][0]))
            shared = self.moved(shared, means)
            if not np.abs(shared.weights).max() <= FARTHEST:
                raise diverged(self.name)
        weights = folded(shared.weights, network, task)
        return Fitted(
            model={"weights": weights, "losses": np.array(losses)},
            rounds=self.max_rounds,
            loss=losses[-1],
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `MLPClassifier` or `MLPRegressor`."""
        parameters = {
            "alpha": self.alpha,
            "batch_size": self.batch_size,
            "learning_rate_init": self.learning_rate,
            "max_iter": self.max_rounds * self.local_epochs,
        }
        return estimator_of(model, task, self.network(task), parameters)

    def model_of(self, estimator: BaseEstimator) -> Arrays:
        """Return `weights`, matrices first, and `losses`, one for each round."""
        return arrays_of(estimator)

    def personalise(self, model: Arrays, task: Task, design: Design) -> Arrays | None:
        """Return the model with its last layer fitted further to these rows."""
        if not self.personal_epochs:
            return None
        weights = checked(model, "weights", (self.network(task).size,))
        passes = Passes(self.personal_epochs, self.batch_size, self.rate(0), self.alpha)
        tuned = personal(weights, self.network(task), task, design, passes)
        return {**model, "weights": tuned}


def _nobody(what: str) -> TrainingError:
    return TrainingError(
        f"No party of {what} has a training row.",
        remedy="Build the domains' products, or widen the study's training rows.",
    )


_ENDS: Mapping[str, tuple[float, float]] = {
    "hidden_units": (1, 4_096),
    "hidden_layers": (0, 8),
    "alpha": (0.0, 1e6),
    "learning_rate": (1e-9, 100.0),
    "batch_size": (1, 1_000_000),
    "local_epochs": (1, 1_000),
    "max_rounds": (1, MOST_ROUNDS),
    "clip": (1e-9, FARTHEST),
    "hostile": (0, 1_000),
    "personal_epochs": (0, 1_000),
}
