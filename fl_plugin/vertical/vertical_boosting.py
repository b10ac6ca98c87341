"""Boosted trees over columns of several domains: SecureBoost, with trees as pooled.

Cheng et al. (2021), "SecureBoost: a lossless federated learning framework", IEEE
Intelligent Systems 36(6), arXiv:1901.08755. The label party grows the trees that
scikit-learn grows on the joined rows. In mode "strict" it sends every row's gradient
encrypted, gets back encrypted sums by bin (`boosting/lattice.py`), and learns of a
split that it chooses only which rows go left. In mode "bins" (Li et al. (2022),
"FederBoost", arXiv:2011.02796) the others release the number of each value's bin once,
without edges; the contract must offer `release_bins` for it. In both, each bin that
anyone else can tell from others holds many rows. Enough sums over known numbers tell
which rows are in a bin, however they were encrypted: so a strict fit has few of them.
"""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.boosting.losses import Loss, loss_of
from fl_plugin.algorithms.boosting.options import FEWEST_ROWS, Options
from fl_plugin.algorithms.checks.options import one_of, within
from fl_plugin.errors import TrainingError
from fl_plugin.manifest.uses import RELEASE_BINS
from fl_plugin.summand import Arrays
from fl_plugin.vertical.base import (
    Rounds,
    Scorer,
    ScoringRounds,
    Side,
    VerticalAlgorithm,
    VerticalFitted,
    VerticalTask,
    VerticalWorker,
)
from fl_plugin.vertical.boosting.features import FeatureWorker, Limits
from fl_plugin.vertical.boosting.label import LabelWorker
from fl_plugin.vertical.boosting.parameters import MOST_ROWS
from fl_plugin.vertical.boosting.scoring import FeatureScorer, LabelScorer
from fl_plugin.vertical.boosting.turns import carried, peers_of

STRICT, RELEASED = MODES = ("strict", "bins")
MOST_JOINED = 4_096  # columns of all domains
# Nodes may be expanded in vain, at most about as often as they are kept.
_IN_VAIN = 4


@dataclass(frozen=True, kw_only=True)
class VerticalBoosting(VerticalAlgorithm):
    """Gradient boosting; options are named as scikit-learn names them.

    Args:
        mode: "strict", or "bins" where contracts let bins be released.
        loss: "auto" for what fits the target; "squared_error", "poisson", "gamma".
        learning_rate: Share of a tree's values that is added.
        max_iter: Trees, or rounds of one tree per class.
        max_leaf_nodes: Most leaves of a tree.
        max_depth: Most splits above a leaf; 0 for no limit.
        min_samples_leaf: Fewest rows of a leaf, 20 or more.
        l2_regularization: Penalty on leaf values.
        max_bins: Most bins of a column that hold values.
        growth: "exact" for the fewest sums, "ahead" for few exchanges.
        smallest_bin: Fewest rows of a bin that others can tell from its neighbours.
        sums_per_row: Most sums of a bin that a strict fit has, for every row.
    """

    name: ClassVar[str] = "vertical_boosting"
    title: ClassVar[str] = "Boosted trees over columns of several domains"
    paper: ClassVar[str] = "Cheng et al. (2021), SecureBoost, arXiv:1901.08755"
    targets: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression", "count")
    prepares: ClassVar[str] = "bins"
    exact: ClassVar[str] = (
        "the trees of scikit-learn's HistGradientBoosting on the joined rows and the "
        "same bins, derivatives rounded to about 2^-25"
    )
    leaves: ClassVar[str] = (
        "strict: encrypted gradients; to the label domain, sums of them by bin, and "
        "which rows of a split node go left. bins: the number of each value's bin, "
        "without edges. Each bin has `smallest_bin` rows or more"
    )

    mode: str = STRICT
    loss: str = "auto"
    learning_rate: float = 0.1
    max_iter: int = 100
    max_leaf_nodes: int = 31
    max_depth: int = 0
    min_samples_leaf: int = 20
    l2_regularization: float = 0.0
    max_bins: int = 255
    growth: str = "exact"
    smallest_bin: int = 20
    sums_per_row: float = 0.1

    def uses(self) -> tuple[str, ...]:
        """Bins are released only where the contract says so."""
        return (RELEASE_BINS,) if self.mode == RELEASED else ()

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ContractError: One is out of range.
        """
        one_of(self.name, "mode", self.mode, MODES)
        one_of(
            self.name,
            "loss",
            self.loss,
            ("auto", "log_loss", "squared_error", "poisson", "gamma"),
        )
        within(self.name, "smallest_bin", self.smallest_bin, (FEWEST_ROWS, 1e6))
        within(self.name, "sums_per_row", self.sums_per_row, (1e-4, 10.0))
        self.options()

    def options(self) -> Options:
        """Return the options of the trees alone."""
        return _Options(
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            max_leaf_nodes=self.max_leaf_nodes,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2_regularization,
            max_bins=self.max_bins,
            growth=self.growth,
        )

    def loss_for(self, task: VerticalTask) -> Loss:
        """Return the loss that is minimised."""
        return loss_of(self.loss, task.target)

    def worker(self, task: VerticalTask, side: Side) -> VerticalWorker:
        """Return a party's half."""
        _require_room(task)
        loss = self.loss_for(task)
        limits = self._limits(task, loss)
        if limits.strict:
            self._require_few(task, limits)
        if side.party == task.label_party:
            fit = (self.options(), loss, self.mode == STRICT)
            return LabelWorker(task, side, fit)
        return FeatureWorker(task, side, limits)

    def _limits(self, task: VerticalTask, loss: Loss) -> Limits:
        full = 2**self.max_depth if self.max_depth else self.max_leaf_nodes
        leaves = min(self.max_leaf_nodes, task.rows // self.min_samples_leaf, full)
        nodes = self.max_iter * loss.trees * max(leaves, 1)
        # Where depth alone ends a tree, all that is asked for is used.
        in_vain = self.growth == "ahead" and not (
            self.max_depth and full <= self.max_leaf_nodes
        )
        nodes *= _IN_VAIN if in_vain else 1
        return Limits(
            strict=self.mode == STRICT,
            words=nodes * (2 if loss.constant_hessian else 3),
            splits=nodes,
            smallest_side=self.min_samples_leaf,
            smallest_bin=self.smallest_bin,
        )

    def _require_few(self, task: VerticalTask, limits: Limits) -> None:
        """Refuse a fit whose sums would tell which rows are in a bin."""
        if limits.words > self.sums_per_row * task.rows:
            raise TrainingError(
                f"{limits.words:,} sums of each bin over {task.rows:,} rows could be "
                "solved for single rows' bins.",
                remedy="Choose fewer trees or leaves, or `growth: exact`; or `mode: "
                "bins`, where the contracts offer it. `sums_per_row` is the limit.",
            )

    def rounds(self, task: VerticalTask) -> Rounds:
        """The coordinator's half: carry what it cannot read."""
        _require_room(task)
        rounds = yield from carried(task)
        return VerticalFitted(part={}, rounds=rounds)

    def scorer(self, task: VerticalTask, side: Side, part: Arrays) -> Scorer:
        """Return a party's half of scoring."""
        if side.party == task.label_party:
            return LabelScorer(task, side, part, self.loss_for(task))
        return FeatureScorer(task, side, part)

    def scoring(self, task: VerticalTask, part: Arrays) -> ScoringRounds:  # noqa: ARG002
        """The coordinator's half of scoring; it has no part of the model."""
        yield from carried(task)


@dataclass(frozen=True, kw_only=True)
class _Options(Options):
    """The options of trees; errors name the vertical algorithm."""

    name: ClassVar[str] = VerticalBoosting.name


def _require_room(task: VerticalTask) -> None:
    """Refuse a fit that has nobody to ask, or more than there is room for."""
    if not peers_of(task):
        raise TrainingError(
            "Another domain than the label's must have features.",
            remedy="Name features of at least two domains in the study.",
        )
    columns = sum(task.widths.values())
    if columns > MOST_JOINED:
        raise TrainingError(
            f"The domains have {columns:,} columns together; at most {MOST_JOINED:,} "
            "can be trained on.",
            remedy="Choose fewer features.",
        )
    if task.rows > MOST_ROWS:
        raise TrainingError(
            f"At most {MOST_ROWS:,} matched rows can be trained on.",
            remedy="Narrow the study's row filter.",
        )
