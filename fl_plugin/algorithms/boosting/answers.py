"""What an answer to a question looks like, and how much one row can change it."""

import math
from collections.abc import Mapping

from fl_plugin.algorithms.base import Task
from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.algorithms.boosting.questions import Asked
from fl_plugin.summand import Summand


def expected(
    asked: Asked, layout: Layout, loss: Loss, task: Task
) -> dict[str, Summand]:
    """Return each array of the answer.

    Histograms are whole numbers on a grid that the question names, together with the
    largest sum that a bin can have. A party whose part is larger sends nothing.
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
    shape = (len(asked.wanted), layout.size)
    gradients, hessians, counts = (whole(shape, int(b)) for b in asked.bounds)
    sums = {"gradients": gradients, "counts": counts} if len(asked.wanted) else {}
    if sums and not loss.constant_hessian:
        sums["hessians"] = hessians
    if asked.scores:
        sums["scores"] = Summand(shape=(4,), bound=None)
    return sums


def sensitivities(asked: Asked, layout: Layout, loss: Loss) -> Mapping[str, float]:
    """Return by how much one row can move each array: the Euclidean norm, at most.

    In the units that are sent. A row lies in one bin of each column and, of the nodes
    that are asked for at a time, in one of each tree. Its gradients are at most 1, or
    root 2 over all classes together (p_k - y_k), its hessians 1/4, or 1/2 together
    (the sum of squared p (1 - p) is at most 1/4 of their sum, which is below 1); both
    times the weight of its class. Infinite where the loss sets no bound.
    """
    columns, several = math.sqrt(layout.columns), loss.trees > 1
    if asked.opens:
        norm = 1.0 if loss.bounded else math.inf
        held = {"held": 1.0} if loss.weights else {}
        return {"counts": columns, "rows": 1.0, "targets": norm, **held}
    norms: dict[str, float] = {}
    if len(asked.wanted):
        row = loss.heaviest if loss.bounded else math.inf
        gradient = row * (math.sqrt(2.0) if several else 1.0)
        hessian = row * (0.5 if several else 0.25)
        exponents = asked.grid.tolist()
        norms["gradients"] = columns * math.ldexp(gradient, exponents[0])
        norms["counts"] = columns * math.sqrt(loss.trees)
        if not loss.constant_hessian:
            norms["hessians"] = columns * math.ldexp(hessian, exponents[1])
    if asked.scores:
        norms["scores"] = math.inf
    return norms


def whole(shape: tuple[int, ...], most: int) -> Summand:
    """Return that of whole numbers of at most `most`, no wider than they need."""
    width = next(w for w in range(1, 9) if most < 1 << (8 * w - 1))
    return Summand(shape=shape, bound=float(most), integer=True, width=width)
