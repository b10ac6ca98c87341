"""Random forest of numbers over bins, the same for any cut of the rows into domains.

As `random_forest_classifier.py`, with the squared error: per bin the sum of the target
over the bag and its copies.
"""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.algorithms.boosting.forester import Forester


@dataclass(frozen=True, kw_only=True)
class RandomForestRegressor(Forester, Algorithm):
    """A random forest for a number or a count; options as `Forester` has them.

    Args:
        max_features: Share of the columns that a split is chosen from.
    """

    name: ClassVar[str] = "random_forest_regressor"
    title: ClassVar[str] = "Random forest of numbers"
    paper: ClassVar[str] = "Breiman (2001), Machine Learning 45, pages 5-32"
    targets: ClassVar[tuple[str, ...]] = ("regression", "count")
    prepares: ClassVar[str] = "bins"
    exact: ClassVar[str] = (
        "itself on the pooled rows, the same trees; not scikit-learn's forest, which "
        "draws other bags and splits between values instead of bins"
    )
    leaves: ClassVar[str] = (
        "per node and bin of some columns, summed over a bag of the domain's training "
        "rows: the target, copies and different rows, as masked whole numbers; per "
        "leaf the target's squares"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.ensemble._forest", "RandomForestRegressor", "ObjectNode"),
        ("sklearn.tree._classes", "DecisionTreeRegressor", "ObjectNode"),
        ("sklearn.tree._tree", "Tree", "TreeNode"),
    )
    max_features: float = 1.0
