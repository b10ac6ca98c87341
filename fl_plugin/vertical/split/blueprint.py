"""The whole network before it is cut: sizes, schedule and what protects whom."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.algorithms.checks.arrays import malformed
from fl_plugin.errors import ContractError, TrainingError
from fl_plugin.summand import Array, Floats
from fl_plugin.vertical.base import SHARED, Side, VerticalTask
from fl_plugin.vertical.split.balance import Balance
from fl_plugin.vertical.split.defences import FIXED, MARVELL, Defence
from fl_plugin.vertical.split.goals import outputs_of
from fl_plugin.vertical.split.keys import DROPOUT, WEIGHTS, Schedule, Secret
from fl_plugin.vertical.split.layers import Coded, Layer
from fl_plugin.vertical.split.net import (
    Drawn,
    Net,
    Training,
    bottom_net,
    last_layers,
    residual,
)
from fl_plugin.vertical.split.release import Release


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How wide everything is.

    Args:
        bottom: Units of each domain's hidden layers.
        cut: Numbers that a domain sends of a row.
        top: Units of the coordinator's hidden layers; what they give is added to the
            joined numbers.
        label: Units of the hidden layers beside the labels.
        embedding: Numbers that stand for one code.
    """

    bottom: tuple[int, ...]
    cut: int
    top: tuple[int, ...]
    label: tuple[int, ...]
    embedding: int


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What is done against leaks.

    Args:
        defence: Noise on returned gradients.
        release: Clipping and noise on activations.
        decorrelate: Weight of the squared distance correlation in a bottom's loss.
    """

    defence: Defence
    release: Release
    decorrelate: float


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """All that every side of a fit derives alike; public but for the draws.

    Args:
        task: Of the fit.
        sizes: Of the nets.
        training: How weights move.
        schedule: Which rows when.
        guard: What is done against leaks.
        balance: What rows count for.
        precision: Of the numbers in messages.
    """

    task: VerticalTask
    sizes: Sizes
    training: Training
    schedule: Schedule
    guard: Guard
    balance: Balance
    precision: str

    def __post_init__(self) -> None:
        """Check that the options suit the target.

        Raises:
            ContractError: They do not.
            TrainingError: No domain has a column.
        """
        kind = self.task.target.kind
        if kind != "binary" and self.guard.defence.name == MARVELL:
            raise _unsuited("defence: marvell", "a target of two classes")
        if kind != "binary" and self.balance.undersample:
            raise _unsuited("undersample", "a target of two classes")
        if kind not in {"binary", "multiclass"} and self.balance.class_weight != "none":
            raise _unsuited("class_weight", "a target of classes")
        if not self.holders:
            raise TrainingError(
                "No domain of the study has a column to learn from.",
                remedy="Name features of at least one domain.",
            )

    @property
    def shared(self) -> bool:
        """Whether the coordinator may have the labels."""
        return self.task.labels == SHARED

    @property
    def holders(self) -> tuple[str, ...]:
        """The parties that have columns, sorted."""
        return tuple(p for p in self.task.parties if self.task.widths[p])

    @property
    def joined(self) -> int:
        """Numbers of a row at the coordinator, and of what it hands on."""
        return self.sizes.cut * len(self.holders)

    @property
    def outputs(self) -> int:
        """Numbers of the last layer."""
        return outputs_of(self.task.target)

    def slice_of(self, party: str) -> slice:
        """Return a party's place among the joined numbers."""
        begin = self.sizes.cut * self.holders.index(party)
        return slice(begin, begin + self.sizes.cut)

    def bottom(self, side: Side) -> Net:
        """Return a domain's net, as it begins."""
        secret = Secret.of(self.task.seed, side.party, side.block)
        units = self.sizes.bottom, self.sizes.cut, self.sizes.embedding
        return bottom_net(coded_of(side.columns), units, self._returned, drawn(secret))

    def middle(self) -> Net:
        """Return the coordinator's layers where labels are protected."""
        return Net(self._middle(drawn(Secret.public(self.task.seed))), self._returned)

    @property
    def _returned(self) -> Training:
        """How nets move that learn from returned gradients; zeros must move nothing."""
        fixed = self.guard.defence.name == FIXED
        return replace(self.training, l2=0.0) if fixed else self.training

    def end(self, begun: Drawn) -> Net:
        """Return the layers beside the labels: all of the top where they are shared."""
        ends = self.joined, self.outputs
        layers = last_layers(self.sizes.label, ends, self.training, begun)
        if self.shared:
            layers = [*self._middle(begun), *layers]
        return Net(layers, self.training)

    def _middle(self, begun: Drawn) -> list[Layer]:
        return residual(self.sizes.top, self.joined, self.training, begun)


def drawn(secret: Secret, net: int = 0) -> Drawn:
    """Return the draws of one of a party's nets."""
    return Drawn(weights=secret.rng(WEIGHTS, net), dropout=secret.rng(DROPOUT, net))


def coded_of(columns: Sequence[DesignColumn]) -> Coded:
    """Return which columns are numbers and which codes."""
    return Coded(
        numbers=tuple(i for i, c in enumerate(columns) if not c.categorical),
        codes=tuple((i, c.bins) for i, c in enumerate(columns) if c.categorical),
    )


def rows_of(side: Side) -> Floats:
    """Return a domain's own rows, (rows, columns).

    Raises:
        MessageError: A value is not finite, or a code is none of its column.
    """
    x = np.ascontiguousarray(side.block.x.T, dtype=np.float64)
    if x.shape[1] != len(side.columns) or not np.isfinite(x).all():
        raise malformed("x")
    for place, codes in coded_of(side.columns).codes:
        if not _are_codes(x[:, place], codes):
            raise malformed("x")
    return x


def _are_codes(values: Array, codes: int) -> bool:
    whole = (values == np.floor(values)) & (values >= 0) & (values < codes)
    return bool(whole.all())


def _unsuited(option: str, needs: str) -> ContractError:
    return ContractError(
        f"{option} of split_network needs {needs}.",
        remedy="Correct the study's algorithm; see `fl algorithms show split_network`.",
    )
