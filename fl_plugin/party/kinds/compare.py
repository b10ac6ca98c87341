"""Is the federation's model better here than the one this domain could fit alone?

Both models score the same rows out of fold; the comparison is made inside the domain
and only its rounded figures leave, and only where both classes are large enough.
"""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import Algorithm, solve
from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.metrics import Metrics, majority_metrics, metrics_of
from fl_plugin.evaluation.paired import paired_auc, verdict
from fl_plugin.evaluation.sums import EvaluationSpec, evaluation_sums
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, matrix, rounded
from fl_plugin.party.kinds.evaluate import read_spec
from fl_plugin.party.session import Session, read_splits
from fl_plugin.preparation.features import RawColumns, design
from fl_plugin.preparation.moments import count, counted, moments, scatter
from fl_plugin.preparation.splits import Mask

Floats = npt.NDArray[np.float64]

RANKED = ("roc_auc", "pr_auc", "ks")
PLAIN = (
    "log_loss",
    "brier",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
)


class Compare(Kind):
    """Compare out-of-fold scores of the federation's models and of the domain's own."""

    name: ClassVar[str] = "compare"
    releases: ClassVar[str] = "rounded quality figures of two models on own rows"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return figures of both models; `suppressed` where they would tell too much.

        Each split's test part is scored by the federation's model of that split
        (arrays `means`, `scales`, `points`) and by one fitted on the split's training
        part of this domain alone; a row's scores are averaged over the repeats.
        """
        raw = session.columns()
        positives = int(raw.target.sum())
        smaller = min(positives, len(raw.target) - positives)
        if smaller < session.min_cohort:
            return Answer(body={"suppressed": "too few rows of one class"})
        try:
            theirs, own = self._scores(session, ask)
        except TrainingError:
            return Answer(body={"suppressed": "one class is missing in a fold"})
        spec = read_spec(ask)
        pair = paired_auc(theirs, own, raw.target)
        found = _judged(theirs, raw.target, spec, session)
        return Answer(
            body={
                "federated": _figures(found),
                "own": _figures(_judged(own, raw.target, spec, session)),
                "majority": _figures(_majority(raw.target)),
                "calibration": [
                    {
                        "mean_score": rounded(cell.mean_score),
                        "rate": rounded(cell.rate),
                        "share": rounded(cell.share),
                    }
                    for cell in found.calibration
                ],
                "difference": None
                if pair is None
                else {
                    "value": rounded(pair.difference),
                    "low": rounded(pair.low),
                    "high": rounded(pair.high),
                },
                "verdict": verdict(pair),
            }
        )

    def _scores(self, session: Session, ask: Ask) -> tuple[Floats, Floats]:
        raw = session.columns()
        splits = read_splits(ask.body)
        width = len(raw.numeric) + sum(raw.sizes)
        means = matrix(ask, "means", len(splits), len(raw.numeric))
        scales = matrix(ask, "scales", len(splits), len(raw.numeric))
        points = matrix(ask, "points", len(splits), width + 1)
        total = np.zeros((2, len(raw.target)))
        times = np.zeros(len(raw.target))
        for i, split in enumerate(splits):
            test = session.chosen(split)
            model = session.algorithm
            theirs = session.design(split, means[i], scales[i])
            total[0, test] += model.scores(points[i], theirs)
            mean, scale, point = fit_alone(model, raw, ~test)
            total[1, test] += model.scores(point, design(raw, test, mean, scale))
            times[test] += 1
        if (times == 0).any():
            raise TrainingError("A row is in no fold.", remedy="Use complete folds.")
        scores = total / times
        return scores[0], scores[1]


def fit_alone(
    algorithm: Algorithm, raw: RawColumns, chosen: Mask
) -> tuple[Floats, Floats, Floats]:
    """Fit the same algorithm on some of a domain's own rows.

    Returns:
        Means, scales and the point (coefficients, then the intercept).

    Raises:
        TrainingError: The rows hold only one class, or the fit does not converge.
    """
    counts, sums = count(raw.numeric, raw.target, chosen)
    first = counted(counts, sums)
    fitted = moments(first, scatter(raw.numeric, chosen, first.means))
    prepared = design(raw, chosen, first.means, fitted.scales)
    found = solve(
        algorithm, len(prepared.x), lambda point: algorithm.step(point, prepared)
    )
    point = np.append(found.coefficients, found.intercept)
    return first.means, fitted.scales, point


def _judged(
    scores: Floats, labels: Mask, spec: EvaluationSpec, session: Session
) -> Metrics:
    sums = evaluation_sums(scores, labels, spec)
    return metrics_of(sums, spec, min_cell=session.min_cohort)


def _majority(labels: Mask) -> Metrics:
    """Return the metrics of knowing only this domain's own rate."""
    positives, rows = int(labels.sum()), len(labels)
    return majority_metrics(positives, rows, positives, rows)


def _figures(found: Metrics) -> dict[str, float | None]:
    brackets = {name: getattr(found, name) for name in RANKED}
    figures = {n: rounded(b.value if b else None) for n, b in brackets.items()}
    return figures | {name: rounded(getattr(found, name)) for name in PLAIN}
