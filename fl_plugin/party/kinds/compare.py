"""Is the federation's model better here than the one this domain could fit alone?

Both models predict the same rows out of fold; the comparison is made inside the domain
and only its rounded figures leave, and only where every class is large enough.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fl_plugin.algorithms.base import Block, Design, solve_alone
from fl_plugin.errors import MeshError, TrainingError
from fl_plugin.evaluation.base import Evaluation, evaluation_for, without_groups
from fl_plugin.evaluation.metrics import Metrics
from fl_plugin.evaluation.paired import verdict
from fl_plugin.manifest.uses import EVALUATE
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, listed, numbered, rounded
from fl_plugin.party.designing import test_design, training_design
from fl_plugin.party.designs import Streamed
from fl_plugin.party.job import Job
from fl_plugin.party.kinds.evaluate import BLOCK, read_spec
from fl_plugin.party.session import Session
from fl_plugin.preparation.fit import prepare_alone
from fl_plugin.preparation.raw import Mask
from fl_plugin.summand import Arrays, Floats


class Compare(Kind):
    """Compare out-of-fold predictions of common models and of the domain's own."""

    name: ClassVar[str] = "compare"
    opened_by: ClassVar[frozenset[str]] = frozenset({EVALUATE})
    releases: ClassVar[str] = "rounded quality figures of models on own rows"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return figures of all models; `suppressed` where they would tell too much.

        Each fold's rows are predicted by the federation's model of that fold, by one
        fitted on the fold's training rows of this domain alone, and, where the
        algorithm can, by the federation's model fine-tuned on those; a row's
        predictions are averaged over the repeats.
        """
        suppressed = _suppressed(session)
        if suppressed:
            return Answer(body={"suppressed": suppressed})
        places = listed(ask, "jobs", int)
        models = numbered(ask, len(places))
        evaluation = without_groups(evaluation_for(read_spec(session, ask)))
        found = _Predicted(evaluation, len(session.rows))
        try:
            for place, model in zip(places, models, strict=True):
                _predict(session, session.job(place), model, found)
            return Answer(body=found.compared(session))
        except TrainingError:
            return Answer(body={"suppressed": "a fold is too small to learn from"})


@dataclass
class _Predicted:
    """Out-of-fold predictions by who made them, added up over the repeats."""

    evaluation: Evaluation
    rows: int

    def __post_init__(self) -> None:
        self._totals: dict[str, Floats] = {}
        self._times = np.zeros(self.rows)
        self._y = np.zeros(self.rows)

    def add(self, who: str, test: Mask, predictions: Floats) -> None:
        shape = (self.rows, *predictions.shape[1:])
        self._totals.setdefault(who, np.zeros(shape))[test] += predictions

    def tested(self, test: Mask, y: Floats) -> None:
        self._times[test] += 1
        self._y[test] = y

    def compared(self, session: Session) -> dict[str, Any]:
        """Return every figure, rounded."""
        if (self._times == 0).any():
            raise TrainingError("A row is in no fold.", remedy="Use complete folds.")
        means = {
            who: total / self._times.reshape((-1,) + (1,) * (total.ndim - 1))
            for who, total in self._totals.items()
        }
        theirs, own = means["federated"], means["own"]
        pair = self.evaluation.paired(theirs, own, self._y)
        judged = {who: self._judged(p, session) for who, p in means.items()}
        body: dict[str, Any] = {
            who: {n: rounded(v) for n, v in metrics.values().items()}
            for who, metrics in judged.items()
        }
        body["majority"] = self._majority(theirs, session)
        body["calibration"] = [
            {
                "mean_score": rounded(cell.mean_score),
                "rate": rounded(cell.rate),
                "share": rounded(cell.share),
            }
            for cell in judged["federated"].calibration
        ]
        body["difference"] = None
        if pair is not None:
            ends = ("difference", "low", "high")
            value, low, high = (rounded(getattr(pair, end)) for end in ends)
            body["difference"] = {"value": value, "low": low, "high": high}
        return {**body, "verdict": verdict(pair)}

    def _judged(self, predictions: Floats, session: Session) -> Metrics:
        totals = self.evaluation.sums(predictions, self._y)
        return self.evaluation.metrics(totals, min_cell=session.min_cohort)

    def _majority(self, predictions: Floats, session: Session) -> dict[str, Any]:
        totals = self.evaluation.sums(predictions, self._y)
        classes = len(session.wanted.predicts.classes)
        counts = [int((self._y == i).sum()) for i in range(classes)]
        values = self.evaluation.baseline(totals, counts).values()
        return {n: rounded(v) for n, v in values.items()}


def _suppressed(session: Session) -> str:
    y, least = session.rows.target, session.min_cohort
    if len(y) < least:
        return "too few rows"
    for i in range(len(session.wanted.predicts.classes)):
        if int((y == i).sum()) < least:
            return "too few rows of one class"
    return ""


def _predict(session: Session, job: Job, model: Arrays, found: _Predicted) -> None:
    algorithm = job.algorithm
    design, test = test_design(session, job)
    predictions = _over(design, lambda block: algorithm.predict(model, job.task, block))
    found.add("federated", test, predictions)
    outcomes = _over(design, lambda block: algorithm.outcome(model, job.task, block))
    found.tested(test, outcomes)
    personal = algorithm.personalise(model, job.task, training_design(session, job))
    if personal is not None:
        tuned = _over(
            design, lambda block: algorithm.predict(personal, job.task, block)
        )
        found.add("personal", test, tuned)
    found.add("own", test, _alone(session, job, test))


def _alone(session: Session, job: Job, test: Mask) -> Floats:
    """Return the predictions of the same algorithm, fitted on own rows only."""
    raw, train = session.coded(), ~test
    try:
        prepared = prepare_alone(session.schema, session.plan, raw, train)
        if job.task.target.kind == "none":
            # Losses are distances: comparable only where columns have one scale.
            prepared = replace(job.prepared, rows=prepared.rows)
        task = prepared.task(parties=1, seed=session.seed)
        fitted = solve_alone(job.algorithm, task, Streamed(raw, train, prepared))
    except MeshError:
        raise TrainingError(
            "A domain's own model cannot be fitted.", remedy="Use fewer folds."
        ) from None
    return _over(
        Streamed(raw, test, prepared),
        lambda block: job.algorithm.predict(fitted.model, task, block),
    )


def _over(design: Design, told: Callable[[Block], Floats]) -> Floats:
    found = [told(block) for block in design.blocks(BLOCK)]
    if not found:
        raise TrainingError("A fold is empty.", remedy="Use fewer folds.")
    return np.concatenate(found)
