"""Logistic regression over columns of several domains, labels protected.

Minimises  sum_i log(1 + exp(z_i)) - y_i z_i + l2/2 |w|^2,  z = w x + b,  the objective
of scikit-learn's `LogisticRegression(C=1/l2)` on the joined rows. Nobody joins them:
a row's chance exists as two shares, at the label party and at the others, and only
sums over rows of products with a domain's own columns are ever opened (`glm/links.py`).
"""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.by_class.weights import BALANCED, require_class_weight
from fl_plugin.algorithms.checks.options import positive
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.glm.links import Link, Logit
from fl_plugin.vertical.glm.model import VerticalGLM, require_target
from fl_plugin.vertical.glm.turns import Terms


@dataclass(frozen=True, kw_only=True)
class VerticalLogisticRegression(VerticalGLM):
    """Binary logistic regression with an L2 penalty.

    Args:
        l2: Weight of the penalty, 1/C of scikit-learn; above 0.
        class_weight: "balanced" lets both classes count alike, "none" all rows.
    """

    name: ClassVar[str] = "vertical_logistic_regression"
    title: ClassVar[str] = "Logistic regression over columns of several domains"
    paper: ClassVar[str] = "Hardy et al. (2017), arXiv 1711.10677; Cheon et al. (2017)"
    targets: ClassVar[tuple[str, ...]] = ("binary",)
    exact: ClassVar[str] = (
        "scikit-learn's LogisticRegression(C=1/l2) on the joined rows, to 1e-4"
    )
    l2: float = 1.0
    class_weight: str = "none"

    def __post_init__(self) -> None:
        """Refuse a penalty of 0: separable rows then have no optimum."""
        super().__post_init__()
        positive(self.name, "l2", self.l2)
        require_class_weight(self.name, self.class_weight)

    def link(self) -> Link:
        """Return the logit."""
        return Logit()

    def penalty(self, task: VerticalTask) -> float:
        """Return l2."""
        require_target(task, self.name, self.targets)
        return self.l2

    def terms(self, task: VerticalTask) -> Terms:
        """Return what all sides agree on."""
        return Terms(
            link=self.link(),
            penalty=self.penalty(task),
            looks=self.looks(task),
            balanced=self.class_weight == BALANCED,
        )
