"""Histogram gradient boosting of classes, as over the pooled rows.

Trees are grown one after another on the gradients of the log loss, each split where it
lowers the loss most (Chen & Guestrin 2016, arXiv:1603.02754; Ke et al. 2017,
"LightGBM"). What a split needs is a histogram: per bin of each column the sum of the
gradients, of the second derivatives, and the number of rows. These are sums over rows,
hence over parties; scikit-learn's own code then finds the split in the total. With
several classes, one tree for each is grown at a time.

Where what stands: `boosting/rows.py` is a party's half, `boosting/boosting.py` the
coordinator's, `boosting/growth.py` one tree.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from fl_plugin.algorithms.base import Algorithm, Task
from fl_plugin.algorithms.boosting.booster import Booster, types_of
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.algorithms.by_class.weights import (
    NONE,
    as_parameter,
    class_weights,
    require_class_weight,
)
from fl_plugin.summand import Arrays


@dataclass(frozen=True, kw_only=True)
class HistGradientBoostingClassifier(Booster, Algorithm):
    """Boosted trees for two or more classes; further options as `Options` has them.

    Args:
        class_weight: "balanced" lets all classes count alike, "none" all rows.
    """

    name: ClassVar[str] = "hist_gradient_boosting_classifier"
    title: ClassVar[str] = "Histogram gradient boosting of classes"
    paper: ClassVar[str] = "Chen & Guestrin (2016), arXiv:1603.02754"
    targets: ClassVar[tuple[str, ...]] = ("binary", "multiclass")
    prepares: ClassVar[str] = "bins"
    exact: ClassVar[str] = (
        "scikit-learn's HistGradientBoostingClassifier on the pooled rows with the "
        "same bins: the same trees, leaf values to 1e-9"
    )
    leaves: ClassVar[str] = (
        "rows and classes counted; per node and bin of each column, summed over the "
        "domain's training rows: gradients, second derivatives and rows, as masked "
        "whole numbers; with early stopping the loss after each iteration"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = types_of(
        "HistGradientBoostingClassifier",
        losses=("HalfBinomialLoss", "HalfMultinomialLoss"),
        links=("LogitLink", "MultinomialLogit"),
    )
    class_weight: str = "none"

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        super().__post_init__()
        require_class_weight(self.name, self.class_weight)

    def loss_for(self, task: Task) -> Loss:
        """Return the log loss, weighed."""
        loss = super().loss_for(task)
        if self.class_weight == NONE:
            return loss
        weights = class_weights(self.class_weight, task)
        return replace(loss, weights=tuple(weights.tolist()))

    def estimator(self, model: Arrays, task: Task) -> Any:
        """Return scikit-learn's estimator, over raw values and codes of categories."""
        made: Any = super().estimator(model, task)
        return made.set_params(class_weight=as_parameter(self.class_weight))
