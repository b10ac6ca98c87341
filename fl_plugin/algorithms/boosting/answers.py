"""What an answer to a question looks like."""

from fl_plugin.algorithms.base import Task
from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.algorithms.boosting.packing import Packing, packing_of
from fl_plugin.algorithms.boosting.questions import Asked
from fl_plugin.summand import Summand


def expected(
    asked: Asked, layout: Layout, loss: Loss, task: Task
) -> dict[str, Summand]:
    """Return each array of the answer.

    Histograms are whole numbers on a grid that the question names, together with the
    largest sum that a bin can have; `packing.py` puts them into words. A party whose
    part is larger sends nothing.
    """
    if asked.opens:
        targets = max(loss.trees, 2) if loss.bounded else 1
        sums = {
            "counts": Summand.count((layout.size,), task.rows),
            "rows": Summand.count((2,), task.rows),
            "targets": Summand(shape=(targets,), bound=None),
        }
        if loss.weights:
            sums["held"] = Summand.count((len(loss.weights),), task.rows)
        return sums
    sums = {}
    if len(asked.wanted):
        packing = packing_for(asked, loss, task.parties)
        sums["sums"] = packing.expected(len(asked.wanted), layout.size)
    if asked.scores:
        sums["scores"] = Summand(shape=(4,), bound=None)
    return sums


def packing_for(asked: Asked, loss: Loss, parties: int) -> Packing:
    """Return how the sums of a bin are sent; all sides derive it from the question."""
    gradients, hessians, counts = asked.bounds.tolist()
    return packing_of(
        (gradients, hessians, counts), parties, constant=loss.constant_hessian
    )


def whole(shape: tuple[int, ...], most: int) -> Summand:
    """Return that of whole numbers of at most `most`, no wider than they need."""
    width = next(w for w in range(1, 9) if most < 1 << (8 * w - 1))
    return Summand(shape=shape, bound=float(most), integer=True, width=width)
