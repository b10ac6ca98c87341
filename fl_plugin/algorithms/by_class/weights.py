"""Weights of rows by their class, so that rare classes count as much as common ones.

"balanced" weighs each row of class k by n / (K n_k), with n rows of K classes and n_k
of this one, as scikit-learn's `class_weight="balanced"` does (after King & Zeng 2001,
"Logistic Regression in Rare Events Data"): every class weighs n / K together, and all
rows n. The counts are over the training rows of all parties and public, so weighing
takes no round and lets nothing more out of a domain.
"""

import numpy as np

from fl_plugin.algorithms.base import Task
from fl_plugin.algorithms.checks.options import one_of
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Floats

NONE, BALANCED = "none", "balanced"


def require_class_weight(algorithm: str, word: str) -> None:
    """Check that a word says how classes are weighed.

    Raises:
        ContractError: It does not.
    """
    one_of(algorithm, "class_weight", word, (NONE, BALANCED))


def class_weights(word: str, task: Task) -> Floats:
    """Return what a row of each class counts, (classes,).

    Raises:
        TrainingError: Classes are to be balanced and one has no training row.
    """
    classes = len(task.target.classes)
    if word == NONE:
        return np.ones(classes)
    counts = np.array(task.class_counts, dtype=np.float64)
    if len(counts) != classes or not (counts > 0).all():
        raise TrainingError(
            "Classes cannot be balanced: one has no training row.",
            remedy="Name in the study's target only classes that occur, or set "
            "class_weight to none.",
        )
    return np.asarray(counts.sum() / (classes * counts))


def row_weights(word: str, y: Floats, task: Task) -> Floats | float:
    """Return what each row counts, (rows,); 1 where all count alike.

    Args:
        word: How classes are weighed.
        y: Index of each row's class, (rows,).
        task: Whose classes they are.

    Raises:
        TrainingError: As `class_weights`.
    """
    if word == NONE:
        return 1.0
    return np.asarray(class_weights(word, task)[y.astype(np.intp)])


def as_parameter(word: str) -> str | None:
    """Return the word as scikit-learn's estimators take it."""
    return None if word == NONE else word
