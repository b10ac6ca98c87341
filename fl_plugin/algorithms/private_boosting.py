"""Boosting under differential privacy: an additive model of features and pairs.

Trees that are grown split by split would have to ask for a histogram per node, and
each would cost privacy. Here all trees' shapes are fixed beforehand: one over the bins
of each feature, then one over an 8 x 8 grid of each of a few pairs. A round asks for
the residuals' sums in all bins at once (one row is in one bin of each feature) and
moves every leaf. After Nori, Caruana, Bu, Shen & Kulkarni (2021), "Accuracy,
Interpretability, and Differential Privacy via Explainable Boosting", ICML; the pairs
after Lou, Caruana, Gehrke & Hooker (2013), "Accurate Intelligible Models with Pairwise
Interactions".
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from sklearn.base import BaseEstimator

from fl_plugin.algorithms.base import (
    Algorithm,
    Block,
    Design,
    Fitted,
    Rounds,
    Task,
    Worker,
)
from fl_plugin.algorithms.boosting.estimators import arrays_from, fitted
from fl_plugin.algorithms.boosting.losses import loss_of
from fl_plugin.algorithms.boosting.options import Options
from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.private.additive.asked import (
    BOTH,
    COUNT,
    MAINS,
    SCAN,
    Asked,
    read,
)
from fl_plugin.algorithms.private.additive.features import (
    CELLS,
    COARSE,
    edged,
    features_of,
)
from fl_plugin.algorithms.private.additive.fitting import Pace, fit
from fl_plugin.algorithms.private.additive.rows import Rows, width_of
from fl_plugin.algorithms.private.additive.trees import model_of
from fl_plugin.algorithms.private.releases import PrivateAlgorithm, Release
from fl_plugin.summand import Arrays, Floats

_TREES = "sklearn.ensemble._hist_gradient_boosting"
COUNTING, SCANNING = 0.05, 0.2  # shares of the budget
FIRST, SECOND = 0.25, 0.5  # of all rounds without and with pairs


@dataclass(frozen=True, kw_only=True)
class PrivateBoosting(PrivateAlgorithm):
    """Boosted features and pairs of features for a binary target, with noise.

    Args:
        steps: Rounds with features alone, and as many again with pairs.
        pairs: How many pairs of features get a tree of their own; 0 for none.
        bins: Of a numeric feature.
        rate: Share of each step that is taken; lower it where features are nearly
            copies of each other.
        momentum: Share of the step before that is carried on.
    """

    name: ClassVar[str] = "private_boosting"
    title: ClassVar[str] = "Boosting of features and pairs under differential privacy"
    paper: ClassVar[str] = "Nori, Caruana, Bu, Shen & Kulkarni (2021), ICML"
    targets: ClassVar[tuple[str, ...]] = ("binary",)
    leaves: ClassVar[str] = (
        "summed over the domain's training rows, with noise, as masked fixed-point "
        "integers: once, rows per cell of each feature and residuals per cell of pairs "
        "of features; per round, residuals per bin of each feature and chosen pair"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (f"{_TREES}.gradient_boosting", "HistGradientBoostingClassifier", "ObjectNode"),
        (f"{_TREES}.predictor", "TreePredictor", "ObjectNode"),
        (f"{_TREES}.binning", "_BinMapper", "ObjectNode"),
        ("sklearn._loss.loss", "HalfBinomialLoss", "ObjectNode"),
        ("sklearn._loss._loss", "CyHalfBinomialLoss", "LossNode"),
        ("sklearn._loss.link", "LogitLink", "ObjectNode"),
        ("sklearn._loss.link", "Interval", "ObjectNode"),
        ("sklearn.preprocessing._label", "LabelEncoder", "ObjectNode"),
    )
    steps: int = 12
    pairs: int = 6
    bins: int = 32
    rate: float = 0.25
    momentum: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        within(self.name, "steps", self.steps, (1, 200))
        within(self.name, "pairs", self.pairs, (0, 64))
        within(self.name, "bins", self.bins, (2, 128))
        within(self.name, "rate", self.rate, (0.001, 1.0))
        within(self.name, "momentum", self.momentum, (0.0, 0.95))

    def worker(self, task: Task, design: Design) -> Worker:
        """Return the party's half, which keeps its rows' cells."""
        return Rows(task, design)

    def releases(self, question: Arrays, task: Task) -> Mapping[str, Release]:
        """A row is in one cell of each feature or pair, with a residual of at most 1.

        So a sum over k features moves by at most sqrt(k). Features and pairs that are
        asked for together get the same noise.
        """
        features = len(features_of(task.columns))
        asked = read(question, features)
        return self._releases(asked, features, task.rows)

    def rounds(self, task: Task) -> Rounds:
        """Count, step, look for pairs, step; then write the tables as trees."""
        features = features_of(task.columns)
        pace = Pace(
            rate=self.rate,
            momentum=self.momentum,
            rounds=self.steps,
            pairs=self.pairs,
            bins=self.bins,
        )
        many = len(features) * (len(features) - 1) // 2
        together = len(features) + min(self.pairs, many)
        second = FIRST if not (self.pairs and many) else SECOND
        noises = {
            MAINS: math.sqrt(len(features) * self.steps / FIRST) / task.mu,
            BOTH: math.sqrt(together * self.steps / second) / task.mu,
        }
        end = yield from fit(features, pace, noises)
        scanned = int(len(end.asked.pairs) > 0)
        return Fitted(
            model=model_of(features, end.asked),
            rounds=1 + 2 * self.steps + scanned,
            notes=("Noise for differential privacy is in every leaf.",),
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `HistGradientBoostingClassifier` with these trees."""
        # The cells' edges are the trees' thresholds.
        shown = replace(task, columns=edged(task.columns))
        loss = loss_of("auto", task.target)
        options = Options(learning_rate=self.rate, max_bins=CELLS)
        made: BaseEstimator = fitted(model, shown, options, loss)
        return made

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return what the estimator does: leaves are added up tree after tree."""
        return Algorithm.predict(self, model, task, block)

    def model_of(self, estimator: BaseEstimator) -> Arrays:
        """Return the trees as arrays."""
        return arrays_from(estimator)

    def _releases(self, asked: Asked, features: int, rows: int) -> dict[str, Release]:
        bound = float(max(rows, 1))
        pairs = len(asked.pairs)

        def release(shape: tuple[int, int], tables: int, share: float) -> Release:
            return Release(
                shape=shape,
                bound=bound,
                sensitivity=math.sqrt(max(tables, 1)),
                share=share,
            )

        if asked.kind == COUNT:
            return {"counts": release((features, CELLS), features, COUNTING)}
        if asked.kind == SCAN:
            return {"pairs": release((pairs, COARSE**2), pairs, SCANNING)}
        mains = (features, width_of(asked))
        if asked.kind == MAINS:
            share = FIRST / self.steps
            return {"mains": release(mains, features, share)}
        share = SECOND / self.steps / max(features + pairs, 1)
        return {
            "mains": release(mains, features, share * features),
            "pairs": release((pairs, COARSE**2), pairs, share * pairs),
        }
