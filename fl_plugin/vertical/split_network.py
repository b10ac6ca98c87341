"""Split network: a bottom net in each domain, a middle, and an end beside the labels.

Gupta & Raskar (2018), "Distributed learning of deep neural network over multiple
agents" (arXiv:1810.06060), vertical as in Vepakomma et al. (2018), "Split learning for
health" (arXiv:1812.00564); with a label party that keeps its labels, as in Li & Toor
(2024), "Empowering Data Mesh with Federated Learning" (arXiv:2403.17878).

The cut network is one network: run over parties it takes the same steps as in one
process, up to the rounding of messages.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

from fl_plugin.algorithms.checks.options import at_least, one_of, positive, within
from fl_plugin.errors import ContractError
from fl_plugin.manifest.uses import RELEASE_GRADIENTS
from fl_plugin.summand import Arrays
from fl_plugin.vertical.base import (
    PROTECTED,
    Rounds,
    Scorer,
    ScoringRounds,
    Side,
    VerticalAlgorithm,
    VerticalTask,
    VerticalWorker,
)
from fl_plugin.vertical.split.balance import Balance
from fl_plugin.vertical.split.blueprint import Blueprint, Guard, Sizes
from fl_plugin.vertical.split.defences import (
    DEFENCES,
    FIXED,
    NOISY_LABELS,
    NONE,
    Defence,
)
from fl_plugin.vertical.split.keys import Schedule
from fl_plugin.vertical.split.net import Training
from fl_plugin.vertical.split.party import SplitWorker
from fl_plugin.vertical.split.release import Release
from fl_plugin.vertical.split.scoring import SplitScorer, score
from fl_plugin.vertical.split.top import fit_protected, fit_shared
from fl_plugin.vertical.split.wire import BYTES

_AUTO = "auto"
_MOST_UNITS, _MOST_LAYERS, _MOST_CUT = 4_096, 16, 1_024
_MOST_EPOCHS, _MOST_BATCH = 10_000, 2**20
_MOST_WEIGHTS = 2**24  # between hidden layers of a net: half a gigabyte with Adam's own
_NOISE = 12.0  # two labels are told apart by it with an AUC of .524 at most


@dataclass(frozen=True, kw_only=True)
class SplitNetwork(VerticalAlgorithm):
    """A network cut between domains, the coordinator and whoever has the labels.

    Args:
        bottom_layers: Units of each domain's hidden layers: "32,16", or "" for none.
        cut: Numbers that a domain sends of a row.
        top_layers: Units of the coordinator's hidden layers; what they give is added
            to the joined numbers of all domains.
        label_layers: Units of the hidden layers beside the labels.
        embedding: Numbers that stand for one category of a column.
        dropout: Share of hidden units left out of a training row.
        batch_norm: Whether hidden units are standardised over each batch.
        learning_rate: Of Adam; every party has its own.
        decay: Whether it falls to 0 over the fit, along a cosine.
        epochs: Passes over the rows.
        batch_size: Rows of a step; 0 for one chosen from the table's size.
        l2: Weight of the penalty of half the squares of matrices.
        class_weight: "none", or "balanced" for classes that count the same in all.
        undersample: Rows kept of the commoner of two classes for each of the rarer;
            0 for all.
        defence: Of returned gradients: "none", "max_norm", "marvell", "noisy_labels",
            "fixed" for zeros; "auto" for noisy labels where these are protected.
        noise: How strong: the deviation of `noisy_labels`, the power of `marvell`.
        decorrelate: Weight of the distance correlation of activations with columns.
        activation_clip: Largest length of a row's activations; 0 for any.
        activation_noise: Deviation of their noise over that length; 0 for none.
        precision: Of numbers in messages: "float16", "float32" or "float64".
    """

    name: ClassVar[str] = "split_network"
    title: ClassVar[str] = "Split network over domains with other columns"
    paper: ClassVar[str] = (
        "Gupta & Raskar (2018), arXiv:1810.06060; Vepakomma et al. (2018), "
        "arXiv:1812.00564; Li & Toor (2024), arXiv:2403.17878"
    )
    targets: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression", "count")
    prepares: ClassVar[str] = "codes"
    exact: ClassVar[str] = (
        "the same network in one process with the same first weights and batches, up "
        "to the rounding of messages and, where labels are protected, the noise that "
        "hides them"
    )
    form: ClassVar[Literal["sealed", "activation"]] = "activation"
    leaves: ClassVar[str] = (
        "of each row and epoch the domain's activations and, back to it, their "
        "gradients; where labels are protected neither labels nor predictions leave "
        "the label domain"
    )

    bottom_layers: str = "32"
    cut: int = 10
    top_layers: str = "32"
    label_layers: str = "64,32"
    embedding: int = 3
    dropout: float = 0.0
    batch_norm: bool = False
    learning_rate: float = 0.001
    decay: bool = True
    epochs: int = 20
    batch_size: int = 0
    l2: float = 0.0
    class_weight: str = "none"
    undersample: float = 0.0
    defence: str = _AUTO
    noise: float = _NOISE
    decorrelate: float = 0.0
    activation_clip: float = 0.0
    activation_noise: float = 0.0
    precision: str = "float16"

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ContractError: One is out of range.
        """
        for option in ("bottom_layers", "top_layers", "label_layers"):
            _units(option, getattr(self, option))
        within(self.name, "cut", self.cut, (1, _MOST_CUT))
        within(self.name, "embedding", self.embedding, (1, _MOST_CUT))
        within(self.name, "dropout", self.dropout, (0.0, 0.95))
        within(self.name, "epochs", self.epochs, (1, _MOST_EPOCHS))
        within(self.name, "batch_size", self.batch_size, (0, _MOST_BATCH))
        positive(self.name, "learning_rate", self.learning_rate)
        positive(self.name, "noise", self.noise)
        for option in ("l2", "undersample", "decorrelate", "activation_clip"):
            at_least(self.name, option, getattr(self, option), 0.0)
        at_least(self.name, "activation_noise", self.activation_noise, 0.0)
        one_of(self.name, "class_weight", self.class_weight, ("none", "balanced"))
        one_of(self.name, "defence", self.defence, (_AUTO, *DEFENCES))
        one_of(self.name, "precision", self.precision, tuple(BYTES))
        if self.activation_noise and not self.activation_clip:
            positive(self.name, "activation_clip", self.activation_clip)

    def label_uses(self) -> tuple[str, ...]:
        """A study may not undo what protects a label, unless its contract says so.

        Gradients tell the label of each row but for the noise on them, and less noise
        than the default, or noise that is drawn anew, lets an attack find it.
        """
        noisy = self.defence in {_AUTO, NOISY_LABELS} and self.noise >= _NOISE
        return () if noisy or self.defence == FIXED else (RELEASE_GRADIENTS,)

    def blueprint(self, task: VerticalTask) -> Blueprint:
        """Return all that every side derives from the options and the task."""
        schedule = Schedule(
            seed=task.seed,
            rows=task.rows,
            batch_size=self.batch_size,
            epochs=self.epochs,
        )
        training = Training(
            rate=self.learning_rate,
            steps=schedule.steps if self.decay else 0,
            l2=self.l2,
            dropout=self.dropout,
            batch_norm=self.batch_norm,
        )
        return Blueprint(
            task=task,
            sizes=self._sizes(),
            training=training,
            schedule=schedule,
            guard=self._guard(task),
            balance=Balance(
                class_weight=self.class_weight, undersample=self.undersample
            ),
            precision=self.precision,
        )

    def _sizes(self) -> Sizes:
        return Sizes(
            bottom=_units("bottom_layers", self.bottom_layers),
            cut=self.cut,
            top=_units("top_layers", self.top_layers),
            label=_units("label_layers", self.label_layers),
            embedding=self.embedding,
        )

    def _guard(self, task: VerticalTask) -> Guard:
        chosen = self.defence
        if chosen == _AUTO:
            chosen = NOISY_LABELS if task.labels == PROTECTED else NONE
        return Guard(
            defence=Defence(chosen, self.noise),
            release=Release(clip=self.activation_clip, noise=self.activation_noise),
            decorrelate=self.decorrelate,
        )

    def worker(self, task: VerticalTask, side: Side) -> VerticalWorker:
        """Return a party's half."""
        return SplitWorker(self.blueprint(task), side)

    def rounds(self, task: VerticalTask) -> Rounds:
        """The coordinator's half."""
        plan = self.blueprint(task)
        return fit_shared(plan) if plan.shared else fit_protected(plan)

    def scorer(self, task: VerticalTask, side: Side, part: Arrays) -> Scorer:
        """Return a party's half of scoring."""
        return SplitScorer(self.blueprint(task), side, part)

    def scoring(self, task: VerticalTask, part: Arrays) -> ScoringRounds:
        """The coordinator's half of scoring."""
        return score(self.blueprint(task), part)


def _units(option: str, text: str) -> tuple[int, ...]:
    """Return the units of hidden layers.

    Raises:
        ContractError: The words are not numbers of units.
    """
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    good = all(w.isascii() and w.isdigit() and len(w) < 6 for w in words)  # noqa: PLR2004
    if good and len(words) <= _MOST_LAYERS:
        units = tuple(int(word) for word in words)
        weights = sum(a * b for a, b in pairwise(units))
        sizes = all(1 <= size <= _MOST_UNITS for size in units)
        if sizes and weights <= _MOST_WEIGHTS:
            return units
    raise ContractError(
        f"{option} of {SplitNetwork.name} must be numbers of units, such as 32,16: at "
        f"most {_MOST_LAYERS} layers of at most {_MOST_UNITS:,}, and {_MOST_WEIGHTS:,} "
        "weights between them.",
        remedy="Correct the study; see `fl algorithms show split_network`.",
    )
