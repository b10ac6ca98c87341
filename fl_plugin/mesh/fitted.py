"""From a run to the model that is kept, and from a kept model to a plan."""

from dataclasses import replace

from fl_plugin.coordinator.run import Trained
from fl_plugin.model.fitted import FittedModel
from fl_plugin.plan.types import Plan


def model_of_run(trained: Trained, plan: Plan) -> FittedModel:
    """Return the hold-out's model as numbers."""
    best = trained.fits[0]
    return FittedModel(
        prepared=best.prepared,
        algorithm=plan.algorithm,
        parameters=best.algorithm.parameters(),
        arrays=best.fitted.model,
        parties=best.task.parties,
        seed=plan.seed,
    )


def plan_of_model(plan: Plan, model: FittedModel) -> Plan:
    """Return a study's plan for judging a model as it was made."""
    schema = model.schema
    return replace(
        plan,
        features=schema.features,
        predicts=schema.target,
        prepares=schema.prepares,
        algorithm=model.algorithm,
        seed=model.seed,
    )
