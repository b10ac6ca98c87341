"""Imputation by the mean and standardisation, from summed moments.

Two rounds: counts and sums give the means, then squared deviations from those means
give the variances. The second pass avoids the cancellation of sums of squares (Chan,
Golub & LeVeque 1983). A missing value is replaced by the mean, so it is 0 after
standardisation and adds nothing to the second sum: exactly scikit-learn's
`SimpleImputer(strategy="mean")` followed by `StandardScaler` on the pooled rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import TrainingError

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Blocks of this many rows stay in the processor's cache.
BLOCK = 16_384


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the first round tells about the training rows of all parties.

    Args:
        rows: How many there are.
        positives: How many have a true target.
        present: Per numeric feature, how many have a value.
        means: Per numeric feature, the mean of the values present.
    """

    rows: int
    positives: int
    present: Counts
    means: Floats


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Counts with the variances and scales of the imputed features."""

    counted: Counted
    variances: Floats
    scales: Floats


def count(
    numeric: Floats, target: Mask, chosen: Mask
) -> tuple[dict[str, Counts], dict[str, Floats]]:
    """A party's first part: integer counts, and sums of the values present.

    Args:
        numeric: (features, rows), NaN where a value is missing.
        target: (rows,).
        chosen: (rows,), the training rows.
    """
    present = np.zeros(len(numeric), dtype=np.int64)
    total = np.zeros(len(numeric))
    for values in blocks(numeric, chosen):
        sums = values.sum(axis=1)
        missing = np.isnan(sums).any()  # rare: only then look value by value
        present += (~np.isnan(values)).sum(axis=1) if missing else values.shape[1]
        total += np.nansum(values, axis=1) if missing else sums
    counts = {
        "rows": np.array([chosen.sum()], dtype=np.int64),
        "positives": np.array([(target & chosen).sum()], dtype=np.int64),
        "present": present,
    }
    return counts, {"sum": total}


def scatter(numeric: Floats, chosen: Mask, means: Floats) -> Floats:
    """A party's second part: summed squared deviations from the common means."""
    total = np.zeros(len(means))
    room = np.empty((len(means), BLOCK))
    for values in blocks(numeric, chosen):
        deviations = np.subtract(values, means[:, None], out=room[:, : values.shape[1]])
        squares = np.einsum("ij,ij->i", deviations, deviations)
        if np.isnan(squares).any():
            squares = np.nansum(np.square(deviations, out=deviations), axis=1)
        total += squares
    return total


def blocks(numeric: Floats, chosen: Mask) -> Iterator[Floats]:
    """Yield the chosen rows, some at a time: a copy of all would cost more."""
    everything = bool(chosen.all())
    for begin in range(0, len(chosen), BLOCK):
        values = numeric[:, begin : begin + BLOCK]
        yield values if everything else values[:, chosen[begin : begin + BLOCK]]


def counted(counts: Mapping[str, Counts], sums: Mapping[str, Floats]) -> Counted:
    """The coordinator's first part.

    Raises:
        TrainingError: There are no rows, only one class, or a feature has no value.
    """
    rows, positives = int(counts["rows"][0]), int(counts["positives"][0])
    if rows == 0 or positives in {0, rows}:
        raise TrainingError(
            "The training rows of all domains together hold only one class.",
            remedy="Check the target, the row filters and the share held out.",
        )
    present = counts["present"]
    if (present == 0).any():
        raise TrainingError(
            "A numeric feature has no value in any training row.",
            remedy="Leave it out of the study, or fill it at its source.",
        )
    return Counted(
        rows=rows, positives=positives, present=present, means=sums["sum"] / present
    )


def moments(first: Counted, squares: Floats) -> Moments:
    """The coordinator's second part: scikit-learn's variances and scales."""
    variances = squares / first.rows
    epsilon = float(np.finfo(np.float64).eps)
    # scikit-learn's rule for a constant feature: variance within rounding error.
    limit = first.rows * epsilon * variances + (first.rows * first.means * epsilon) ** 2
    scales = np.sqrt(variances)
    scales[(variances <= limit) | (scales == 0.0)] = 1.0
    return Moments(counted=first, variances=variances, scales=scales)
