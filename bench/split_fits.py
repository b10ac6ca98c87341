"""Fits of the split network over parties in memory, by the bytes that would cross."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from bench.split_default import LABEL, Floats, Parted
from fl_plugin.algorithms.described import Parameter
from fl_plugin.vertical.split_network import SplitNetwork
from tests.vertical import Fit, fit_over, score_over, sides

Options = Mapping[str, Parameter]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One fit, judged on unseen rows.

    Args:
        auc: Area under the ROC curve.
        precision: Average precision, the area under the PR curve.
        fit: The fit.
    """

    auc: float
    precision: float
    fit: Fit


def run(
    part: Parted, labels: str, seed: int, options: Options, *, keep: bool = False
) -> Outcome:
    """Fit over the parties, by bytes, and score the unseen rows.

    Args:
        part: Of the rows.
        labels: Shared or protected.
        seed: Of the study.
        options: Of the network.
        keep: Whether what went over the wire is kept: some hundred megabytes.
    """
    algorithm = SplitNetwork.of(options)
    task = part.task(labels, seed)
    fit = fit_over(algorithm, task, sides(part.train, part.columns))
    trained = len(fit.wire.sent)
    scores = score_over(algorithm, task, sides(part.test, part.columns), fit)
    del fit.wire.sent[trained if keep else 0 :]
    return judged(part, scores, fit)


def judged(part: Parted, scores: Floats, fit: Fit) -> Outcome:
    """Return an outcome."""
    return Outcome(
        auc=float(roc_auc_score(part.y_test, scores)),
        precision=float(average_precision_score(part.y_test, scores)),
        fit=fit,
    )


def joined(part: Parted) -> Parted:
    """Return the same rows with all columns at one party."""
    names = [party for party in part.columns if party != LABEL]
    columns = tuple(c for name in names for c in part.columns[name])
    both = [
        {
            LABEL: blocks[LABEL],
            "pool": replace(
                blocks[names[0]], x=np.concatenate([blocks[n].x for n in names])
            ),
        }
        for blocks in (part.train, part.test)
    ]
    return replace(
        part, train=both[0], test=both[1], columns={LABEL: (), "pool": columns}
    )
