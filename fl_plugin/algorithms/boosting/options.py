"""What a study may choose about boosting."""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.checks.options import one_of, within

# A leaf's value is a sum over at least so many rows.
FEWEST_ROWS = 20
RANGES: dict[str, tuple[float, float]] = {
    "learning_rate": (1e-6, 1.0),
    "max_iter": (1, 10_000),
    "max_leaf_nodes": (2, 4_096),
    "max_depth": (0, 64),
    "min_samples_leaf": (FEWEST_ROWS, 1_000_000),
    "l2_regularization": (0.0, 1e9),
    "max_bins": (2, 255),
    "validation_fraction": (0.0, 0.5),
    "n_iter_no_change": (1, 10_000),
    "tol": (0.0, 1e9),
}
GROWTHS = ("ahead", "exact")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options, named as scikit-learn names them.

    Args:
        learning_rate: Share of a tree's values that is added.
        max_iter: Most trees, or rounds of one tree per class.
        max_leaf_nodes: Most leaves of a tree.
        max_depth: Most splits above a leaf; 0 for no limit.
        min_samples_leaf: Fewest rows of a leaf, 20 or more.
        l2_regularization: Penalty on leaf values.
        max_bins: Most bins of a column that hold values, missing ones apart.
        early_stopping: Whether to stop when the loss no longer falls.
        validation_fraction: Share of rows that the loss is measured on for that, held
            out by a hash of each row's key; 0 to measure it on the training rows.
        n_iter_no_change: Stop after so many iterations without a better loss.
        tol: What counts as better.
        growth: "ahead" for few rounds, "exact" for the fewest histograms; the trees
            are the same.
    """

    name: ClassVar[str] = "hist_gradient_boosting_classifier"

    learning_rate: float = 0.1
    max_iter: int = 100
    max_leaf_nodes: int = 31
    max_depth: int = 0
    min_samples_leaf: int = 20
    l2_regularization: float = 0.0
    max_bins: int = 255
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    tol: float = 1e-7
    growth: str = "ahead"

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ContractError: An option is out of its range.
        """
        for option, ends in RANGES.items():
            within(self.name, option, getattr(self, option), ends)
        one_of(self.name, "growth", self.growth, GROWTHS)

    @property
    def held_out(self) -> float:
        """Share of rows that only judge when to stop."""
        return self.validation_fraction if self.early_stopping else 0.0
