"""What forests of classes and of numbers share: options, and both halves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from fl_plugin.algorithms.base import Block, Design, Rounds, Task, Worker
from fl_plugin.algorithms.boosting import forest, forest_estimators
from fl_plugin.algorithms.boosting.answers import whole
from fl_plugin.algorithms.boosting.compiled import SplitRules
from fl_plugin.algorithms.boosting.forest_estimators import classes_of
from fl_plugin.algorithms.boosting.forest_growth import ForestShape
from fl_plugin.algorithms.boosting.forest_questions import MOST_TREES, read
from fl_plugin.algorithms.boosting.forest_rows import MOST_COPIES, BaggedRows
from fl_plugin.algorithms.boosting.layout import Layout, layout_of
from fl_plugin.algorithms.boosting.options import FEWEST_ROWS
from fl_plugin.algorithms.checks.options import within
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays, Floats, Summand

RANGES: dict[str, tuple[float, float]] = {
    "n_estimators": (1, MOST_TREES),
    "max_depth": (0, 64),
    "min_samples_leaf": (FEWEST_ROWS, 1_000_000),
    "max_features": (0.0, 1.0),
    "max_bins": (2, 255),
}


@dataclass(frozen=True, kw_only=True)
class Forester:
    """A random forest, named as scikit-learn names its options.

    Args:
        n_estimators: Trees.
        max_depth: Most splits above a leaf; 0 for no limit.
        min_samples_leaf: Fewest different rows of a leaf, 20 or more.
        max_features: Share of the columns that a split is chosen from; 0 for the root
            of their number.
        max_bins: Most bins of a column.
    """

    name: ClassVar[str] = "random_forest_classifier"

    n_estimators: int = 100
    max_depth: int = 0
    min_samples_leaf: int = 20
    max_features: float = 0.0
    max_bins: int = 255

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ContractError: An option is out of its range.
        """
        for option, ends in RANGES.items():
            within(self.name, option, getattr(self, option), ends)

    def worker(self, task: Task, design: Design) -> Worker:
        """Return a party's rows, ready to be bagged.

        Raises:
            TrainingError: Rows have no keys to draw by, or targets are out of range.
        """
        block, classes = design.whole(), classes_of(task)
        if len(block.hashes) != block.rows:
            raise TrainingError(
                "Rows cannot be drawn for the trees: they have no key.",
                remedy="Name the product's key in its contract.",
            )
        whole_classes = np.isin(block.y, np.arange(classes)).all()
        if not (whole_classes if classes else np.isfinite(block.y).all()):
            raise TrainingError(
                "The target has values that it cannot have.",
                remedy="Add a test to the column.",
            )
        layout = layout_of(task.columns)
        return BaggedRows(layout, _rules(layout), block, classes, task.seed)

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """Return the shape and the bound of every sum that is asked for."""
        layout, classes = layout_of(task.columns), classes_of(task)
        asked = read(question, layout)
        sums: dict[str, Summand] = {}
        if len(asked.wanted):
            bins = int(asked.sizes(layout).sum())
            bound = MOST_COPIES * max(task.rows, 1) if classes else asked.bound
            sums["sums"] = whole((classes or 2, bins), bound)
            sums["counts"] = Summand.count((bins,), task.rows)
        if asked.leaves:
            sums["squares"] = Summand(shape=(asked.leaves,), bound=None)
        return sums

    def weights_for(self, task: Task) -> Floats:
        """Return what a copy of each class counts; empty for a number."""
        return np.ones(classes_of(task))

    def rounds(self, task: Task) -> Rounds:
        """Grow batches of trees, a level a round."""
        layout = layout_of(task.columns)
        share = self.max_features * layout.columns or math.sqrt(layout.columns)
        shape = ForestShape(
            depth=self.max_depth,
            smallest_leaf=self.min_samples_leaf,
            tried=max(1, int(share)),
            classes=classes_of(task),
            seed=task.seed % (1 << 63),
            weights=tuple(self.weights_for(task).tolist()),
        )
        return forest.grow(self.n_estimators, shape, layout, task)

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's forest, over raw values and codes of categories."""
        options = {
            "max_depth": self.max_depth or None,
            "min_samples_leaf": self.min_samples_leaf,
            "max_features": self.max_features or "sqrt",
        }
        estimator: BaseEstimator = forest_estimators.fitted(model, task, options)
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return the trees."""
        return forest_estimators.arrays_from(estimator)

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return predictions for binned rows."""
        return forest_estimators.predicted(model, task, block)


def _rules(layout: Layout) -> SplitRules:
    """Return rules to route rows by: nothing is searched for at a party."""
    nothing = np.zeros(layout.columns, dtype=np.int64)
    return SplitRules(
        bins=layout.bins,
        missing=nothing,
        categorical=nothing,
        monotonic=nothing,
        l2=0.0,
        smallest_leaf=1,
        constant_hessian=False,
    )
