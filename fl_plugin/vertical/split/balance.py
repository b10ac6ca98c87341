"""Class imbalance, handled by whoever holds the labels and by nobody else.

Undersampling gives the rows that it drops a weight of 0. The batches stay as they are,
so that no other party learns which rows were dropped: that alone would be their label.
"""

from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Target
from fl_plugin.summand import Floats


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What a row counts for.

    Args:
        class_weight: "balanced": every class counts as much as any other in all.
        undersample: Rows of the commoner class that are kept for each row of the
            rarer one; 0 for all. Of a binary target only.
    """

    class_weight: str = "none"
    undersample: float = 0.0

    @property
    def even(self) -> bool:
        """Whether all rows count the same."""
        return self.class_weight == "none" and not self.undersample

    def weights(self, y: Floats, target: Target, rng: np.random.Generator) -> Floats:
        """Return each row's weight, 1 in the mean."""
        weights = np.ones(len(y))
        if target.kind == "binary" and self.undersample:
            counts = np.bincount(y.astype(np.int64), minlength=2)
            common = np.flatnonzero(y == counts.argmax())
            most = round(self.undersample * int(counts.min()))
            weights[rng.permutation(common)[max(most, 1) :]] = 0.0
        if self.class_weight == "balanced":
            sums = np.bincount(y.astype(np.int64), weights)
            weights /= np.maximum(sums, 1.0)[y.astype(np.int64)]
        return np.asarray(weights * (len(y) / weights.sum()))
