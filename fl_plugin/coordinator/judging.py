"""How good the models are: metrics of the federation, and of each domain by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import Fit, models_of
from fl_plugin.evaluation.metrics import Metrics, metrics_of
from fl_plugin.evaluation.sums import EvaluationSpec, sum_bounds
from fl_plugin.preparation.splits import Split
from fl_plugin.privacy.fixed_point import Grid


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the evaluation found.

    Args:
        holdout: Of the model, over the rows of all domains it was not trained on.
        folds: Of each fold's model on its fold, in the order of the splits.
        domains: Each domain's own comparison, as its `compare` answered.
    """

    holdout: Metrics
    folds: tuple[Metrics, ...]
    domains: Mapping[str, Mapping[str, Any]]


def judge(
    fits: Sequence[Fit], rows: int, spec: EvaluationSpec, federation: Federation
) -> Judgement:
    """Evaluate every model on the rows it was not trained on.

    Args:
        fits: The hold-out's model, then those of the folds (there may be none).
        rows: Rows of all domains together; the public bound of every sum.
        spec: How scores are summarised.
        federation: The run.
    """
    body = {
        "splits": [asdict(f.split.other()) for f in fits],
        "bins": spec.bins,
        "threshold": spec.threshold,
    }
    answers = federation.ask("evaluate", {**body, "rows": rows}, models_of(fits))
    bounds = sum_bounds(rows, spec)
    found = []
    for i in range(len(fits)):
        totals: dict[str, Any] = {}
        for name, words in answers.words.items():
            if name in bounds:
                totals[name] = Grid.for_bound(bounds[name]).decode(words[i])
            else:
                totals[name] = words[i].view(np.int64)
        found.append(metrics_of(totals, spec))
    holdout, *folds = found
    return Judgement(
        holdout=holdout,
        folds=tuple(folds),
        domains=_compare(fits[1:], body, federation) if folds else {},
    )


def cross_validation(folds: int, repeats: int) -> tuple[Split, ...]:
    """Return the training part of every fold of every repeat."""
    return tuple(
        Split(name="cv", part="train", folds=folds, repeat=repeat, fold=fold)
        for repeat in range(repeats)
        for fold in range(folds)
    )


def _compare(
    fits: Sequence[Fit], body: Mapping[str, Any], federation: Federation
) -> Mapping[str, Mapping[str, Any]]:
    splits = [asdict(f.split.other()) for f in fits]
    answers = federation.ask("compare", {**body, "splits": splits}, models_of(fits))
    return answers.bodies
