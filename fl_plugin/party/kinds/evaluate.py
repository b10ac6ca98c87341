"""How well models score this domain's test rows, as sums that add over domains."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import MessageError
from fl_plugin.evaluation.sums import EvaluationSpec, evaluation_sums, sum_bounds
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, matrix, whole
from fl_plugin.party.session import Session, read_splits


class Evaluate(Kind):
    """Score the rows of each split with the model that belongs to it."""

    name: ClassVar[str] = "evaluate"
    releases: ClassVar[str] = "histograms of scores by outcome, and sums of losses"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the evaluation's arrays, one of each per split."""
        splits = read_splits(ask.body)
        spec = read_spec(ask)
        rows = whole(ask, "rows")
        if rows < len(session.rows):
            raise MessageError(
                "A message says that all domains together have fewer rows than this "
                "one has.",
                remedy="Start the run again.",
            )
        raw = session.columns()
        width = len(raw.numeric) + sum(raw.sizes)
        means = matrix(ask, "means", len(splits), len(raw.numeric))
        scales = matrix(ask, "scales", len(splits), len(raw.numeric))
        points = matrix(ask, "points", len(splits), width + 1)
        parts: list[dict[str, npt.NDArray[Any]]] = []
        for i, split in enumerate(splits):
            design = session.design(split, means[i], scales[i])
            scores = session.algorithm.scores(points[i], design)
            parts.append(evaluation_sums(scores, design.y > 0, spec))
        bounds = sum_bounds(rows, spec)
        return Answer(
            counts={
                n: np.stack([p[n] for p in parts]) for n in parts[0] if n not in bounds
            },
            sums={n: [p[n] for p in parts] for n in bounds},
            bounds={n: [b] * len(parts) for n, b in bounds.items()},
        )


def read_spec(ask: Ask) -> EvaluationSpec:
    """Return the evaluation's settings in a message."""
    bins, threshold = ask.body.get("bins"), ask.body.get("threshold")
    if type(bins) is not int or not isinstance(threshold, float):
        raise MessageError(
            "A message's evaluation settings are malformed.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
    return EvaluationSpec(bins=bins, threshold=threshold)
