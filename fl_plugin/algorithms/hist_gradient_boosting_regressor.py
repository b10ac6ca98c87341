"""Histogram gradient boosting of numbers and counts, as over the pooled rows.

As `hist_gradient_boosting_classifier.py`, on the gradients of half the squared error,
of half the Poisson deviance or of half the gamma deviance (the last two predict the
logarithm of the mean). A row's gradient has no bound here that is known beforehand:
before each tree the parties sum its squares, which bounds every sum that follows
(`boosting/losses.py`).
"""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.base import Algorithm, Task
from fl_plugin.algorithms.boosting.booster import Booster, types_of
from fl_plugin.algorithms.boosting.losses import Loss, loss_of


@dataclass(frozen=True, kw_only=True)
class HistGradientBoostingRegressor(Booster, Algorithm):
    """Boosted trees for a number or a count; further options as `Options` has them.

    Args:
        loss: "squared_error", "poisson" or "gamma"; "auto" takes the Poisson deviance
            for a count and the squared error for any other number.
    """

    name: ClassVar[str] = "hist_gradient_boosting_regressor"
    title: ClassVar[str] = "Histogram gradient boosting of numbers and counts"
    paper: ClassVar[str] = "Chen & Guestrin (2016), arXiv:1603.02754"
    targets: ClassVar[tuple[str, ...]] = ("regression", "count")
    prepares: ClassVar[str] = "bins"
    exact: ClassVar[str] = (
        "scikit-learn's HistGradientBoostingRegressor on the pooled rows with the same "
        "bins: the same trees, leaf values to 1e-9"
    )
    leaves: ClassVar[str] = (
        "rows counted and the target summed; per tree the loss and the sums of squared "
        "gradients; per node and bin of each column, summed over the domain's training "
        "rows: gradients, second derivatives and rows, as masked whole numbers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = types_of(
        "HistGradientBoostingRegressor",
        losses=("HalfSquaredError", "HalfPoissonLoss", "HalfGammaLoss"),
        links=("IdentityLink", "LogLink"),
    )
    loss: str = "auto"

    def loss_for(self, task: Task) -> Loss:
        """Return the loss that is minimised."""
        return loss_of(self.loss, task.target)
