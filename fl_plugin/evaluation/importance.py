"""How much a model needs a feature: what it loses where the feature is permuted.

Breiman (2001), "Random forests", section 10; of any model Fisher, Rudin & Dominici
(2019), "All models are wrong, but many are useful".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.evaluation.base import Evaluation, broken
from fl_plugin.evaluation.metrics import Metrics


@dataclass(frozen=True, kw_only=True)
class Importance:
    """One feature's importance.

    Args:
        feature: Which.
        mean: How much worse the main figure is, over the repeats; below 0 where it
            happened to be better.
        spread: Standard deviation over the repeats; None of one.
    """

    feature: str
    mean: float
    spread: float | None


def importance(
    evaluation: Evaluation, feature: str, found: Metrics, permuted: Sequence[Metrics]
) -> Importance | None:
    """Return a feature's importance; None where the main figure is undefined.

    Args:
        evaluation: How the model is judged.
        feature: Whose values were permuted.
        found: On the rows as they are.
        permuted: On the same rows, repeat by repeat.

    Raises:
        MessageError: They are not about the same rows.
    """
    if any(metrics.rows != found.rows for metrics in permuted):
        raise broken("rows", "another number where a feature is permuted")
    whole = found.value(evaluation.main)
    values = [metrics.value(evaluation.main) for metrics in permuted]
    known = [value for value in values if value is not None]
    if whole is None or not known or len(known) < len(values):
        return None
    sign = 1.0 if evaluation.better == "higher" else -1.0
    drops = sign * (whole - np.array(known))
    spread = float(drops.std(ddof=1)) if len(known) > 1 else None
    return Importance(feature=feature, mean=float(drops.mean()), spread=spread)
