"""Judging a model without a target by how badly it describes rows it has not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.base import Codes, Evaluation
from fl_plugin.evaluation.groups import slots_of
from fl_plugin.evaluation.interval import loss_sums, mean_interval, mean_of, ratio
from fl_plugin.evaluation.metrics import Metrics, known
from fl_plugin.evaluation.numbers import check_numbers
from fl_plugin.evaluation.paired import Paired, paired_loss
from fl_plugin.summand import Array, Arrays, Floats, Summand


@dataclass(frozen=True)
class UnsupervisedEvaluation(Evaluation):
    """The mean loss of a row, and the share of the columns' variance explained.

    A clustering's loss is the squared distance to the nearest centre (its sum is the
    inertia), a PCA's the squared error of reconstruction. Beside it stands the loss of
    the model that knows the columns' means alone: the squared distance to them.
    Protected columns are not looked at.
    """

    kind: ClassVar[str] = "none"
    main: ClassVar[str] = "mean_loss"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def sums(
        self, predictions: Floats, y: Floats, groups: Sequence[Codes] = ()
    ) -> dict[str, Array]:
        """Return `rows`, `loss` with its squares, and `spread`, the sum of `y`."""
        _check_losses(predictions, y)
        slots_of(groups, self.spec.group_sizes, len(y))
        return {
            "rows": np.array([len(y)]),
            "loss": loss_sums(predictions),
            "spread": loss_sums(y),
        }

    def answers(self) -> Mapping[str, Summand]:
        """Return the shapes of `sums`."""
        return {
            "rows": Summand.count((1,), self.spec.rows),
            "loss": Summand(shape=(2,), bound=None),
            "spread": Summand(shape=(2,), bound=None),
        }

    def metrics(self, totals: Arrays, min_cell: int = 10) -> Metrics:  # noqa: ARG002
        """Return `mean_loss`, `total_loss` and `explained_share`."""
        self.check(totals)
        return self._found(totals, "loss")

    def paired(
        self,
        first: Floats,
        second: Floats,
        y: Floats,
    ) -> Paired | None:
        """Compare losses; None for fewer than two rows."""
        for losses in (first, second):
            _check_losses(losses, y)
        return paired_loss(self.main, first, second)

    def baseline(
        self,
        totals: Arrays,
        train_counts: Sequence[int] = (),  # noqa: ARG002 - there are no classes
    ) -> Metrics:
        """Describe every row by the columns' means."""
        self.check(totals)
        return self._found(totals, "spread")

    def _found(self, totals: Arrays, name: str) -> Metrics:
        rows = int(totals["rows"][0])
        left = ratio(float(totals[name][0]), float(totals["spread"][0]))
        return Metrics(
            kind=self.kind,
            rows=rows,
            figures={
                "mean_loss": mean_of(totals[name], rows),
                "total_loss": float(totals[name][0]),
                "explained_share": None if left is None else 1.0 - left,
            },
            intervals=known(mean_loss=mean_interval(totals[name], rows)),
        )


def _check_losses(losses: Floats, y: Floats) -> None:
    check_numbers(losses, y)
    if losses.size and not (losses.min() >= 0 and y.min() >= 0):
        raise TrainingError(
            "A row's loss is below 0.",
            remedy="Judge only algorithms that describe a row with a distance.",
        )
