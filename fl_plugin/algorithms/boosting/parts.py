"""One party's rows as boosting holds them: to train on, and held out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Block, Design, Task
from fl_plugin.algorithms.boosting.draws import uniform
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Array, Floats


@dataclass(frozen=True)
class Part:
    """Rows that train, or rows that are held out for early stopping.

    Args:
        x: Bins, (rows, columns), F order.
        y: Target, (rows,).
        raw: Predictions so far, before the link, (rows, trees), F order.
        weights: What each row counts, (rows,); None where all count alike.
    """

    x: Array
    y: Floats
    raw: Floats
    weights: Floats | None

    @classmethod
    def of(cls, block: Block, loss: Loss) -> "Part":
        """Return rows without predictions."""
        raw = np.zeros((block.rows, loss.trees), order="F")
        x = np.asfortranarray(block.x.T)
        y = np.ascontiguousarray(block.y, dtype=np.float64)
        return cls(x, y, raw, loss.weigh(y))


def parts_of(
    design: Design, task: Task, loss: Loss, held_out: float
) -> tuple[Part, Part]:
    """Return the rows that train and those that are held out, by a hash of each row.

    Raises:
        TrainingError: A row has no hash to choose by, or a target that the loss has
            no value for.
    """
    block = design.whole()
    if not _in_range(block.y, loss):
        raise TrainingError(
            f"The target has values that the loss {loss.name} is not defined for.",
            remedy="Choose another loss, or add a test to the column.",
        )
    if not held_out:
        return Part.of(block, loss), Part.of(_chosen(block, []), loss)
    if len(block.hashes) != block.rows:
        raise TrainingError(
            "Rows cannot be held out for early stopping: they have no key.",
            remedy="Set validation_fraction to 0, or early_stopping to false.",
        )
    held = uniform(block.hashes, task.seed, 0) < held_out
    return tuple(  # type: ignore[return-value]
        Part.of(_chosen(block, np.flatnonzero(which)), loss) for which in (~held, held)
    )


def _chosen(block: Block, which: Sequence[int] | Array) -> Block:
    at = np.asarray(which, dtype=np.int64)
    return Block(np.ascontiguousarray(block.x[:, at]), block.y[at])


def _in_range(y: Floats, loss: Loss) -> bool:
    if loss.bounded:
        whole = np.isin(y, np.arange(max(loss.trees, 2)))
        return bool(whole.all())
    return len(y) == 0 or bool(
        np.isfinite(y).all() and loss.compiled.in_y_true_range(y)
    )
