"""The figures of an evaluation as people read them: names, meanings, order."""

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One figure.

    Args:
        name: As people write it.
        meaning: One sentence on how to read it.
        better: "higher", "lower", or "" where neither is.
        share: Whether it lies in [-1, 1] or close, so that three digits tell it.
    """

    name: str
    meaning: str
    better: str = "higher"
    share: bool = True


MEASURES = {
    "roc_auc": Measure("ROC-AUC", "Chance that a random case ranks above a non-case."),
    "pr_auc": Measure(
        "PR-AUC", "Precision averaged over recall; compare with the base rate."
    ),
    "ks": Measure("KS", "Greatest gap between the two score distributions."),
    "gini": Measure("Gini", "Twice the ROC-AUC less one; 0 is chance."),
    "ndcg": Measure("NDCG", "How near the top the cases stand; 1 is all on top."),
    "r2": Measure("R²", "Share of the target's variance that is predicted."),
    "d2": Measure("D²", "Share of the Poisson deviance that is predicted."),
    "explained_share": Measure(
        "Explained share", "Share of the columns' variance that the model describes."
    ),
    "explained_variance": Measure(
        "Explained variance", "As R², a constant error forgiven."
    ),
    "roc_auc_ovr": Measure(
        "ROC-AUC, one against the rest", "Mean over the classes of each one's ROC-AUC."
    ),
    "log_loss": Measure(
        "Log loss", "Lower is better; punishes confident mistakes.", "lower"
    ),
    "brier": Measure(
        "Brier score",
        "Mean squared error of the probability; lower is better.",
        "lower",
    ),
    "calibration_error": Measure(
        "Calibration error",
        "Mean distance between the predicted and the observed rate, by score bin.",
        "lower",
    ),
    "accuracy": Measure("Accuracy", "Share of right answers."),
    "balanced_accuracy": Measure(
        "Balanced accuracy", "Mean of all classes' hit rates."
    ),
    "precision": Measure("Precision", "Share of alarms that were right."),
    "recall": Measure("Recall", "Share of cases that were found."),
    "f1": Measure("F1", "Harmonic mean of precision and recall."),
    "precision_macro": Measure(
        "Precision, macro",
        "Share of the rows called a class that were of it, mean over the classes.",
    ),
    "recall_macro": Measure(
        "Recall, macro",
        "Share of a class's rows that were called it, mean over the classes.",
    ),
    "f1_macro": Measure(
        "F1, macro", "Harmonic mean of both for a class, mean over the classes."
    ),
    "precision_weighted": Measure(
        "Precision, weighted", "The mean weighs each class by its rows."
    ),
    "recall_weighted": Measure(
        "Recall, weighted", "Weighed by rows it is the accuracy."
    ),
    "f1_weighted": Measure("F1, weighted", "The mean weighs each class by its rows."),
    "poisson_deviance": Measure(
        "Poisson deviance", "Mean over the rows; lower is better.", "lower", share=False
    ),
    "mse": Measure("MSE", "Mean squared error; lower is better.", "lower", share=False),
    "rmse": Measure(
        "RMSE", "Root of the MSE, in the target's own unit.", "lower", share=False
    ),
    "mae": Measure(
        "MAE", "Mean absolute error, in the target's own unit.", "lower", share=False
    ),
    "bias": Measure("Bias", "Mean of prediction less target.", "", share=False),
    "observed_expected": Measure(
        "Observed / expected", "Above 1 the model expects too few.", "", share=False
    ),
    "mean_loss": Measure(
        "Mean loss",
        "Squared distance of a row from what the model makes of it, in prepared "
        "columns; lower is better.",
        "lower",
        share=False,
    ),
    "total_loss": Measure("Total loss", "Summed over the rows.", "lower", share=False),
}

# Where a figure means another thing, or can be told better, for one kind of target.
MEANINGS = {
    ("multiclass", "brier"): "Squared errors of the probabilities, summed over the "
    "classes; lower is better.",
    ("multiclass", "calibration_error"): "Mean distance between how sure the answer "
    "was and how often it was right.",
}

# By kind of target: the figure at the head, and the one beside it.
HEADLINES = {
    "binary": ("roc_auc", "brier"),
    "multiclass": ("accuracy", "log_loss"),
    "regression": ("r2", "rmse"),
    "count": ("d2", "poisson_deviance"),
    "none": ("explained_share", "mean_loss"),
}
# By kind of target: what a model should be better at than its baseline.
COMPARED = {
    "binary": ("accuracy", "brier"),
    "multiclass": ("accuracy", "log_loss"),
    "regression": ("mse", "mae"),
    "count": ("poisson_deviance", "mae"),
    "none": ("mean_loss",),
}


def headlines(target_kind: str, known: Set[str]) -> list[str]:
    """Return the two figures at the head: the usual ones as far as they are known."""
    usual = HEADLINES.get(target_kind, HEADLINES["binary"])
    found = [name for name in usual if name in known]
    rest = [n for n in order_of(known) if n not in found]
    return [*found, *rest, *(n for n in usual if n not in known)][:2]


def order_of(names: Set[str]) -> list[str]:
    """Return the names of figures, the well-known first."""
    known = [name for name in MEASURES if name in names]
    return known + sorted(names - set(MEASURES))
