"""A model so small that a test of files can write it in no time."""

import numpy as np

from fl_plugin.algorithms.base import solve_alone
from fl_plugin.algorithms.logistic_regression import LogisticRegression
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.model.fitted import FittedModel
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.fit import prepare_alone
from fl_plugin.preparation.raw import RawBlock, RawMemory


def small_model() -> FittedModel:
    """Return a logistic regression of two columns, fitted on a hundred made-up rows."""
    random = np.random.default_rng(7)
    amount, phone = random.normal(2.5, 0.5, 100), random.integers(0, 2, 100)
    y = (amount + phone + random.normal(size=100) > 3.0).astype(np.float64)
    features = (
        Feature(name="amount", kind="numeric"),
        Feature(name="phone", kind="categorical", categories=(False, True)),
    )
    rows = RawBlock(amount[None], (phone,), y)
    everything = np.ones(100, dtype=np.bool_)
    schema = Schema(features)
    prepared = prepare_alone(schema, PreparationPlan(), RawMemory(rows), everything)
    algorithm = LogisticRegression()
    task = prepared.task(parties=1, seed=0)
    found = solve_alone(algorithm, task, prepared.design_block(rows))
    return FittedModel(
        prepared=prepared,
        algorithm=algorithm.name,
        parameters=algorithm.parameters(),
        arrays=found.model,
    )
