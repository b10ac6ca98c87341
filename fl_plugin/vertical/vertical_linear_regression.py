"""Linear regression over columns of several domains, targets protected.

Minimises  |y - X w - b|^2 + alpha |w|^2,  the objective of scikit-learn's
`LinearRegression` and, with alpha above 0, of `Ridge(alpha)` on the joined rows. Nobody
joins them: a row's prediction exists as two shares, at the label party and at the
others, and only sums over rows of products with a domain's own columns are ever opened.
"""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.checks.options import at_least
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.glm.links import Identity, Link
from fl_plugin.vertical.glm.model import VerticalGLM, require_target


@dataclass(frozen=True, kw_only=True)
class VerticalLinearRegression(VerticalGLM):
    """Least squares, with an L2 penalty or none.

    Args:
        alpha: Weight of the penalty, as in scikit-learn's Ridge; 0 or more.
        tolerance: As of the others; larger, as an added blind costs digits.
    """

    name: ClassVar[str] = "vertical_linear_regression"
    title: ClassVar[str] = "Linear regression over columns of several domains"
    paper: ClassVar[str] = "Gascon et al. (2017), PoPETs 2017(4); Cheon et al. (2017)"
    targets: ClassVar[tuple[str, ...]] = ("regression", "count")
    exact: ClassVar[str] = (
        "scikit-learn's LinearRegression(), or Ridge(alpha), on the joined rows, to "
        "1e-4 of the target's standard deviation"
    )
    alpha: float = 0.0
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        """Refuse a negative penalty."""
        super().__post_init__()
        at_least(self.name, "alpha", self.alpha, 0.0)

    def link(self) -> Link:
        """Return the identity."""
        return Identity()

    def penalty(self, task: VerticalTask) -> float:
        """Return alpha: of half the squares, as half the squared residuals count."""
        require_target(task, self.name, self.targets)
        return self.alpha
