"""Random forest of classes over bins, the same for any cut of the rows into domains.

Breiman (2001), "Random forests", Machine Learning 45. Each tree is grown on a bag of
the rows, and each of its nodes is split by one of a few columns drawn for it; what a
split needs are, per bin of these columns, the copies of each class in the bag: sums
over rows, hence over parties. How often a row is in a bag is drawn from a hash of its
key, so it does not matter who holds it.

Where what stands: `boosting/forest_rows.py` is a party's half, `boosting/forest.py`
the coordinator's, `boosting/forest_growth.py` one tree.
"""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.algorithms.boosting.forester import Forester


@dataclass(frozen=True, kw_only=True)
class RandomForestClassifier(Forester, Algorithm):
    """A random forest for two or more classes; options as `Forester` has them."""

    name: ClassVar[str] = "random_forest_classifier"
    title: ClassVar[str] = "Random forest of classes"
    paper: ClassVar[str] = "Breiman (2001), Machine Learning 45, pages 5-32"
    targets: ClassVar[tuple[str, ...]] = ("binary", "multiclass")
    prepares: ClassVar[str] = "bins"
    exact: ClassVar[str] = (
        "itself on the pooled rows, to the bit; not scikit-learn's forest, which draws "
        "other bags and splits between values instead of bins"
    )
    leaves: ClassVar[str] = (
        "per node and bin of some columns, summed over a bag of the domain's training "
        "rows: copies of each class and different rows, as masked whole numbers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.ensemble._forest", "RandomForestClassifier", "ObjectNode"),
        ("sklearn.tree._classes", "DecisionTreeClassifier", "ObjectNode"),
        ("sklearn.tree._tree", "Tree", "TreeNode"),
    )
