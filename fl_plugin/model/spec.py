"""What a federated training hands over: the numbers of a model, and no row.

A `ModelSpec` is everything that `build_pipeline` and the digest need. It refuses
numbers that cannot be a model, so that nothing later has to look again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fl_plugin.errors import TrainingError

Category = str | bool | int


@dataclass(frozen=True, kw_only=True)
class NumericColumn:
    """A column that is imputed with `mean`, then standardised.

    Args:
        mean: Of the values that are present, over the training rows of all domains.
        scale: Standard deviation after imputation (divisor n); 1 for a constant.
        n_seen: Training rows in which the column is present, over all domains.
        variance: After imputation; None means `scale` squared (not so for a constant).
    """

    name: str
    mean: float
    scale: float
    n_seen: int
    variance: float | None = None

    @property
    def spread(self) -> float:
        """The variance after imputation, also where only the scale was given."""
        return self.scale**2 if self.variance is None else self.variance


@dataclass(frozen=True, kw_only=True)
class CategoricalColumn:
    """A one-hot encoded column; a value outside `categories` becomes all zeros."""

    name: str
    categories: tuple[Category, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelSpec:
    """A fitted binary logistic regression with its preparation.

    Two specs are the same model when their digests are (`model_digest`).

    Args:
        coef: Shape (p,), float64; numeric columns in order, then one-hot columns.
        l2: Strength of the penalty l2/2 * |coef|^2 on the summed loss; 0 for none.
        n_rounds: Newton rounds that were taken.
        rows: Training rows over all domains.

    Raises:
        TrainingError: The shapes disagree, or a number is not finite.
    """

    numeric: tuple[NumericColumn, ...]
    categorical: tuple[CategoricalColumn, ...]
    coef: NDArray[np.float64]
    intercept: float
    l2: float
    n_rounds: int
    rows: int
    classes: tuple[Category, Category] = (False, True)

    def __post_init__(self) -> None:
        coef = np.array(self.coef, dtype=np.float64)
        coef.setflags(write=False)
        object.__setattr__(self, "coef", coef)
        problem = next(_problems(self), None)
        if problem is not None:
            raise TrainingError(
                f"The trained numbers do not make a model: {problem}.",
                remedy="Train again; if it stays, report it with the study's name.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The input columns, numeric first."""
        numeric = (column.name for column in self.numeric)
        return (*numeric, *(column.name for column in self.categorical))

    @property
    def width(self) -> int:
        """Columns of the design matrix."""
        return len(self.numeric) + sum(len(c.categories) for c in self.categorical)


def _problems(spec: ModelSpec) -> Iterator[str]:
    """Name, one by one, what keeps the numbers from being a model."""
    if not spec.names or len(set(spec.names)) != len(spec.names):
        yield "it has no input column, or one twice"
    if spec.coef.shape != (spec.width,):
        yield f"{spec.coef.size} coefficients for {spec.width} design columns"
    if not _finite(*spec.coef, spec.intercept, spec.l2) or spec.l2 < 0:
        yield "a coefficient or the penalty is not finite"
    if spec.classes[0] == spec.classes[1]:
        yield "it has one class only"
    for numeric in spec.numeric:
        yield from _numeric_problems(numeric)
    for categorical in spec.categorical:
        yield from _categorical_problems(categorical)


def _numeric_problems(column: NumericColumn) -> Iterator[str]:
    if not _finite(column.mean, column.scale, column.spread) or column.scale <= 0:
        yield f"column {column.name} has no finite mean and positive scale"


def _categorical_problems(column: CategoricalColumn) -> Iterator[str]:
    # False equals 0 in Python; a vocabulary may not hold both.
    if not column.categories or len(set(column.categories)) != len(column.categories):
        yield f"column {column.name} has no distinct categories"


def _finite(*values: float) -> bool:
    return bool(np.isfinite(values).all())
