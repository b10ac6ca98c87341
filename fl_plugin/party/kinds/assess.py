"""How good the common model is, judged where the labels are.

The label's own domain computes every figure from its rows; only figures leave, and of
tables only cells that rest on enough rows.
"""

from typing import Any, ClassVar

import numpy as np

from fl_plugin.errors import ContractError
from fl_plugin.evaluation.base import (
    Evaluation,
    EvaluationSpec,
    baseline_metrics,
    evaluation_for,
)
from fl_plugin.evaluation.paired import verdict
from fl_plugin.manifest.uses import EVALUATE
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, malformed, rounded
from fl_plugin.party.matched.alone import CLASSED, alone
from fl_plugin.party.matched.ranking import ranking
from fl_plugin.party.matched.state import Matched, matched_of
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.summand import Floats

REACH = 3.0  # standard deviations that a calibration table of numbers reaches


class Assess(Kind):
    """Compute the figures of the predictions that were just made."""

    name: ClassVar[str] = "assess"
    matched: ClassVar[bool] = True
    opened_by: ClassVar[frozenset[str]] = frozenset({EVALUATE})
    releases: ClassVar[str] = "figures of the model on the rows held out"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return figures: of the model, of the target alone, of own columns alone."""
        matched = matched_of(session)
        scorer = matched.scorer
        if scorer is None or scorer.predictions is None:
            raise out_of_order()
        # Of rows that this run has held out, and once: counts above two thresholds
        # that hardly differ would tell single labels.
        if matched.worker is None or matched.assessed:
            raise out_of_order()
        matched.assessed = True
        rows = matched.rows()
        y, trained = rows.target[matched.test], rows.target[~matched.test]
        evaluation = evaluation_for(_spec(session, ask, trained, len(y)))
        totals = evaluation.sums(scorer.predictions, y)
        found = evaluation.metrics(totals, min_cell=session.min_cohort)
        classes = len(session.wanted.predicts.classes)
        counts = [int((trained == i).sum()) for i in range(classes)]
        base = baseline_metrics(evaluation.spec, totals, counts)
        own = _own(session, matched)
        body: dict[str, Any] = {
            "holdout": found.to_json(),
            "baseline": base.to_json(),
            "domain": _compared(
                session, matched, evaluation, (scorer.predictions, own)
            ),
        }
        ranked = ranking(session, matched, scorer.predictions, own)
        if ranked is not None:
            body["ranking"] = ranked
        return Answer(body=body)


def _spec(session: Session, ask: Ask, trained: Floats, rows: int) -> EvaluationSpec:
    bins, threshold = ask.body.get("bins"), ask.body.get("threshold")
    if type(bins) is not int or type(threshold) is not float:
        raise malformed("evaluation")
    predicts = session.wanted.predicts
    low = high = None
    centre = 0.0
    if predicts.kind not in CLASSED:
        centre, spread = float(trained.mean()), float(trained.std())
        low, high = centre - REACH * spread, centre + REACH * spread
        if predicts.kind == "count":
            low = max(low, 0.0)
    try:
        return EvaluationSpec(
            bins=bins,
            threshold=threshold,
            kind=predicts.kind,
            classes=predicts.classes,
            low=low,
            high=high,
            rows=rows,
            centre=centre,
        )
    except ContractError:
        raise malformed("evaluation") from None


def _compared(
    session: Session,
    matched: Matched,
    evaluation: Evaluation,
    both: tuple[Floats, Floats | None],
) -> dict[str, Any]:
    """Return the model beside the best of this domain's own columns alone."""
    rows, (predictions, own) = matched.rows(), both
    y = rows.target[matched.test]
    judged = evaluation.metrics(
        evaluation.sums(predictions, y), min_cell=session.min_cohort
    )
    body: dict[str, Any] = {"federated": _figures(judged.values())}
    if own is None:
        return body
    alone = evaluation.metrics(evaluation.sums(own, y), min_cell=session.min_cohort)
    pair = evaluation.paired(predictions, own, y)
    body |= {"own": _figures(alone.values()), "verdict": verdict(pair)}
    if pair is not None:
        # Bins blur scores that lie close together; the pair is of the rows themselves.
        body["federated"][pair.measure] = rounded(pair.first)
        body["own"][pair.measure] = rounded(pair.second)
        ends = ("difference", "low", "high")
        value, low, high = (rounded(getattr(pair, end)) for end in ends)
        body["difference"] = {"value": value, "low": low, "high": high}
    return body


def _figures(values: dict[str, float | None]) -> dict[str, float | None]:
    return {name: rounded(value) for name, value in values.items()}


def _own(session: Session, matched: Matched) -> Floats | None:
    """Return predictions by own columns alone; None where there are none."""
    block = matched.designed().block(matched.rows())
    x, train = np.asarray(block.x, dtype=np.float64).T, ~matched.test
    return alone(x[train], block.y[train], x[~train], session.wanted.predicts)
