"""Poisson regression over columns of several domains, counts protected.

Minimises  1/n sum_i exp(z_i) - y_i z_i + alpha/2 |w|^2,  z = w x + b,  the objective of
scikit-learn's `PoissonRegressor(alpha)` on the joined rows. Nobody joins them: a row's
mean exists as two factors, at the label party and at the others, and only sums over
rows of products with a domain's own columns are ever opened (`glm/links.py`).
"""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.checks.options import at_least
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.glm.links import Link, Log
from fl_plugin.vertical.glm.model import VerticalGLM, require_target


@dataclass(frozen=True, kw_only=True)
class VerticalPoissonRegression(VerticalGLM):
    """Poisson regression with an L2 penalty.

    Args:
        alpha: Weight of the penalty, as in scikit-learn; 0 or more.
    """

    name: ClassVar[str] = "vertical_poisson_regression"
    title: ClassVar[str] = "Poisson regression over columns of several domains"
    paper: ClassVar[str] = "McCullagh & Nelder (1989), chapter 6; Cheon et al. (2017)"
    targets: ClassVar[tuple[str, ...]] = ("count", "regression")
    exact: ClassVar[str] = (
        "scikit-learn's PoissonRegressor(alpha) on the joined rows, to 1e-4"
    )
    alpha: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a negative penalty."""
        super().__post_init__()
        at_least(self.name, "alpha", self.alpha, 0.0)

    def link(self) -> Link:
        """Return the logarithm."""
        return Log()

    def penalty(self, task: VerticalTask) -> float:
        """Return alpha beside the sum of the losses, not their mean."""
        require_target(task, self.name, self.targets)
        return self.alpha * task.rows
