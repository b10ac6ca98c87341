"""A run under differential privacy: one fit, from public facts and noisy sums.

Nothing is fitted on rows but the model itself: columns are prepared from the contracts'
bounds and accepted values, the number of rows is a public bound. A share of the budget
goes to the figures of the rows held out (`noised_judging`); without one they are exact
sums, which epsilon does not cover and which each domain's policy has to allow.
"""

import math

import numpy as np

from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.algorithms.private.releases import MOST_ROWS, PrivateAlgorithm
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import Candidate, Fit, Fitting
from fl_plugin.coordinator.splitting import holdout_of
from fl_plugin.errors import ContractError, UsageError
from fl_plugin.plan.types import Plan
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.recipe import Recipe
from fl_plugin.privacy.dp.accountant import mu_for


def mu_of(plan: Plan) -> float:
    """Return how private the run is; infinite without a privacy budget.

    Raises:
        ContractError: No delta is set, in the study or in a contract.
    """
    asked = plan.parties[0].request
    if asked.epsilon is None:
        return math.inf
    if asked.delta is None:
        raise ContractError(
            f"The study {plan.study} has an epsilon, and no delta is set anywhere.",
            remedy="Set `privacy: {delta: ...}` in the study, far below one over the "
            "number of rows.",
        )
    return mu_for(asked.epsilon, asked.delta)


def mu_of_fit(plan: Plan) -> float:
    """Return how private the run's fit is: what its figures leave of the budget."""
    share = plan.parties[0].request.evaluation or 0.0
    return mu_of(plan) * math.sqrt(1.0 - share) if share < 1.0 else 0.0


def mu_of_figures(plan: Plan) -> float:
    """Return how private the run's figures are; infinite where they are exact."""
    share = plan.parties[0].request.evaluation
    return mu_of(plan) * math.sqrt(share) if share else math.inf


def check_privacy(plan: Plan) -> None:
    """Refuse a study whose privacy words do not go together.

    Raises:
        UsageError: They do not.
    """
    private = issubclass(find_algorithm(plan.algorithm), PrivateAlgorithm)
    if private and plan.privacy.epsilon is None:
        raise UsageError(
            f"{plan.algorithm} adds noise for a privacy budget, and {plan.study} has "
            "none.",
            remedy="Set `privacy: {epsilon: ...}` in the study.",
        )
    if plan.privacy.epsilon is None:
        return
    if not private:
        raise UsageError(
            f"{plan.study} has a privacy budget, and {plan.algorithm} adds no noise.",
            remedy="Use one of the private_ algorithms: fl algorithms",
        )
    if plan.sampling is not None:
        raise UsageError(
            "Under differential privacy classes are not undersampled: how many rows "
            "they have is not known.",
            remedy="Leave `sampling` out of the study.",
        )
    if plan.search is not None or plan.evaluation.folds:
        raise UsageError(
            "Under differential privacy a study has no folds and no search: each of "
            "them would release exact sums of rows that are trained on.",
            remedy="Set `evaluation: {folds: 0}`, and leave the search out.",
        )
    if plan.evaluation.fairness and plan.privacy.evaluation > 0:
        raise UsageError(
            "Under differential privacy figures are not told apart by group: each "
            "group's would need a share of the budget of its own.",
            remedy="Leave evaluation.fairness out of the study, or set `privacy: "
            "{evaluation: 0}` where every domain allows exact figures.",
        )
    if plan.evaluation.holdout_by == "time":
        raise UsageError(
            "Under differential privacy no rows are held out by time: the cut would be "
            "searched for among rows that are trained on.",
            remedy="Set `evaluation: {holdout_by: hash}`.",
        )


def fit_private(plan: Plan, schema: Schema, federation: Federation) -> Fit:
    """Return the one fit of a private run."""
    split = holdout_of(plan, schema.min_cohort, federation)
    prepared = public_preparation(plan, schema)
    fitting = Fitting(
        find_algorithm(plan.algorithm),
        {split: prepared},
        plan.seed,
        federation,
        mu=mu_of_fit(plan),
    )
    (fit,) = fitting.fit([Candidate(split=split, parameters=plan.parameters)])
    return fit


def public_preparation(plan: Plan, schema: Schema) -> Prepared:
    """Return the preparation that the contracts' words come to; no row is looked at."""
    columns = {column.column: column for column in plan.public}
    numbers = [columns[feature.name] for feature in schema.numbers]
    scales = np.array([c.scale for c in numbers], dtype=np.float64)
    centers = np.array([c.center for c in numbers], dtype=np.float64)
    return Prepared(
        schema=schema,
        recipe=Recipe.of(plan.preparation, schema),
        rows=MOST_ROWS,
        class_counts=(0,) * len(schema.target.classes),
        target_mean=0.0,
        target_mean_square=1.0,
        present=np.full(len(numbers), MOST_ROWS, dtype=np.int64),
        fills=np.array([c.fill for c in numbers], dtype=np.float64),
        means=centers,
        variances=scales**2,
        centers=centers.copy(),
        scales=scales,
        edges=tuple(np.zeros(0) for _ in numbers),
        category_counts=(),
    )
