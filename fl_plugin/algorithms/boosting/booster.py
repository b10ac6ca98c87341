"""What boosting of classes and of numbers shares: both halves, by the same options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator

from fl_plugin.algorithms.base import Block, Design, Rounds, Task, Worker
from fl_plugin.algorithms.boosting import answers, boosting, estimators
from fl_plugin.algorithms.boosting.layout import layout_of
from fl_plugin.algorithms.boosting.losses import Loss, loss_of
from fl_plugin.algorithms.boosting.options import Options
from fl_plugin.algorithms.boosting.parts import parts_of
from fl_plugin.algorithms.boosting.questions import read
from fl_plugin.algorithms.boosting.rows import Rows
from fl_plugin.summand import Arrays, Floats, Summand


@dataclass(frozen=True, kw_only=True)
class Booster(Options):
    """Histogram gradient boosting; a subclass says which losses it takes."""

    def loss_for(self, task: Task) -> Loss:
        """Return the loss that is minimised."""
        return loss_of("auto", task.target)

    def worker(self, task: Task, design: Design) -> Worker:
        """Return a party's rows, ready to be split."""
        layout, loss = layout_of(task.columns), self.loss_for(task)
        nothing = layout.bins < 0  # rows are only routed here, not searched
        rules = boosting.rules_of(self, layout, loss, nothing)
        parts = parts_of(design, task, loss, self.held_out)
        return Rows(layout, loss, rules, parts, task.parties)

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """Return the shape and the bound of every sum that is asked for."""
        layout, loss = layout_of(task.columns), self.loss_for(task)
        asked = read(question, layout, loss.trees)
        return answers.expected(asked, layout, loss, task)

    def rounds(self, task: Task) -> Rounds:
        """Grow trees from summed histograms."""
        return boosting.boost(self, self.loss_for(task), task)

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's estimator, over raw values and codes of categories."""
        estimator: BaseEstimator = estimators.fitted(
            model, task, self, self.loss_for(task)
        )
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return trees, the prediction before the first of them, and scores."""
        return estimators.arrays_from(estimator)

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return predictions for binned rows."""
        return estimators.predicted(model, task, self.loss_for(task), block)


def types_of(
    estimator: str, losses: tuple[str, ...], links: tuple[str, ...]
) -> tuple[tuple[str, str, str], ...]:
    """Return what a fitted estimator's file holds: module, class, skops' loader."""
    room = "sklearn.ensemble._hist_gradient_boosting"
    return (
        (f"{room}.gradient_boosting", estimator, "ObjectNode"),
        (f"{room}.predictor", "TreePredictor", "ObjectNode"),
        (f"{room}.binning", "_BinMapper", "ObjectNode"),
        ("sklearn.preprocessing._label", "LabelEncoder", "ObjectNode"),
        *(("sklearn._loss.loss", loss, "ObjectNode") for loss in losses),
        *(("sklearn._loss._loss", f"Cy{loss}", "LossNode") for loss in losses),
        *(("sklearn._loss.link", link, "ObjectNode") for link in links),
        ("sklearn._loss.link", "Interval", "ObjectNode"),
    )
