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
from typing import Any, ClassVar

from fl_plugin.algorithms.base import Algorithm, Task
from fl_plugin.algorithms.boosting.forester import Forester
from fl_plugin.algorithms.by_class.weights import (
    as_parameter,
    class_weights,
    require_class_weight,
)
from fl_plugin.summand import Arrays, Floats


@dataclass(frozen=True, kw_only=True)
class RandomForestClassifier(Forester, Algorithm):
    """A random forest for two or more classes; further options as `Forester` has them.

    Args:
        class_weight: "balanced" lets all classes count alike, "none" all rows.
    """

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
    class_weight: str = "none"

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        super().__post_init__()
        require_class_weight(self.name, self.class_weight)

    def weights_for(self, task: Task) -> Floats:
        """Return what a copy of each class counts."""
        return class_weights(self.class_weight, task)

    def estimator(self, model: Arrays, task: Task) -> Any:
        """Return scikit-learn's forest, over raw values and codes of categories."""
        made: Any = super().estimator(model, task)
        return made.set_params(class_weight=as_parameter(self.class_weight))
