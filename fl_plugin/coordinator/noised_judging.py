"""How good a private run's model is: figures of sums that hold noise."""

import math
from dataclasses import replace

from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import Fit
from fl_plugin.coordinator.judging import Judgement, spec_json
from fl_plugin.coordinator.private_run import mu_of_figures
from fl_plugin.evaluation.base import EvaluationSpec
from fl_plugin.evaluation.private.base import private_evaluation_for
from fl_plugin.plan.types import Plan


def is_noised(plan: Plan) -> bool:
    """Return whether the run's figures are paid for from its privacy budget."""
    return bool(plan.parties[0].request.evaluation)


def judge_noised(
    plan: Plan, fit: Fit, spec: EvaluationSpec, federation: Federation
) -> Judgement:
    """Judge the one model of a private run, once.

    No domain compares it with its own model, and no baseline is known: both would need
    further answers.
    """
    evaluation = private_evaluation_for(spec)
    budget = replace(fit.task, mu=mu_of_figures(plan))
    told = evaluation.releases()
    looks = {name: release.summand(budget) for name, release in told.items()}
    answers = federation.ask(
        "judge",
        {"jobs": [fit.place], "spec": spec_json(spec)},
        {f"0.{name}": array for name, array in fit.fitted.model.items()},
        expected={f"0.{name}": summand for name, summand in looks.items()},
    )
    spread = _spread(plan)
    found = evaluation.metrics(
        {name: answers.sums[f"0.{name}"] for name in looks},
        {name: spread * release.noise(budget) for name, release in told.items()},
    )
    return Judgement(holdout=found, folds=(), domains={}, baseline=None)


def _spread(plan: Plan) -> float:
    """Return all domains' noise over what one sum needs to be private (`dp.noise`).

    Masked, each of n adds enough for n - 1 to suffice; plain, each adds all of it.
    """
    parties = len(plan.parties)
    return math.sqrt(parties / (parties - 1) if plan.secure_aggregation else parties)
