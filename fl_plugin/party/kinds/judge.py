"""How well a model predicts this domain's test rows, as few sums with noise."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.private.releases import MOST_ROWS
from fl_plugin.evaluation.base import EvaluationSpec
from fl_plugin.evaluation.private.base import private_evaluation_for
from fl_plugin.manifest.uses import EVALUATE
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, listed, malformed, numbered, prefixed
from fl_plugin.party.designing import test_design
from fl_plugin.party.kinds.evaluate import BLOCK, read_spec
from fl_plugin.party.private import judging_guard
from fl_plugin.party.session import Session


class Judge(Kind):
    """Judge a private run's model by the rows it did not learn from, with noise."""

    name: ClassVar[str] = "judge"
    opened_by: ClassVar[frozenset[str]] = frozenset({EVALUATE})
    releases: ClassVar[str] = (
        "numbers of rows by prediction and outcome, and sums of clipped losses, with "
        "noise"
    )

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the evaluation's arrays, once.

        Raises:
            PolicyError: The run has not paid for them, or had them already.
            MessageError: The message is malformed.
        """
        if listed(ask, "jobs", int) != [0]:
            raise malformed("jobs")
        (model,) = numbered(ask, 1)
        job = session.job(0)
        guard = judging_guard(session, job)
        evaluation = private_evaluation_for(_spec(session, ask))
        told = evaluation.releases()
        budget = replace(job.task, mu=guard.noise.mu)
        looks = {name: release.summand(budget) for name, release in told.items()}
        parts = {name: np.zeros(release.shape) for name, release in told.items()}
        design, _ = test_design(session, job)
        for block in design.blocks(BLOCK):
            found = job.algorithm.predict(model, job.task, block)
            for name, sums in evaluation.sums(found, block.y).items():
                parts[name] += sums
        noised = guard.words(looks, parts, told)
        return Answer(expected=prefixed(0, looks), noised=prefixed(0, noised))


def _spec(session: Session, ask: Ask) -> EvaluationSpec:
    spec = read_spec(session, ask)
    if spec.rows != MOST_ROWS:  # the public bound, never a count
        raise malformed("evaluation")
    return spec
