"""Fitted models over some rows, for every kind of target and design."""

import pytest

from fl_plugin.algorithms.base import Target, solve_alone
from fl_plugin.algorithms.installed import algorithms
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.model.fitted import FittedModel
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.raw import RawBlock
from tests.preparing import FEATURES, parts_of, prepare_over, some_rows

CLASSES = {"binary": (False, True), "multiclass": ("high", "low", "middle")}


def rows_for(kind: str) -> RawBlock:
    """Return rows with a target of this kind that the features tell about."""
    rows = some_rows()
    age = rows.numeric[1]
    y = {
        "binary": (age > 50) ^ (rows.target > 0),
        "multiclass": (age > 40) * 1 + (age > 60),
        "regression": age / 10 + rows.target + 0.1,
        "count": (age // 10),
        "none": age * 0,
    }[kind] * 1.0
    return RawBlock(rows.numeric, rows.codes, y, rows.hashes)


@pytest.fixture(scope="session")
def fit():
    """Return `fit(name, **words)`: the rows and the model of an algorithm on them."""

    def fitted(name, parameters=None, **words):
        algorithm = algorithms()[name].of(parameters or {})
        kind = algorithm.targets[0]
        rows = rows_for(kind)
        schema = Schema(
            FEATURES,
            target=Target(kind=kind, classes=CLASSES.get(kind, ())),
            prepares=algorithm.prepares,
            min_cohort=20,
            edges=words.get("edges", "k_anonymous"),
        )
        prepared = prepare_over(schema, PreparationPlan(**words), parts_of(rows))
        task = prepared.task(parties=3, seed=5)
        found = solve_alone(algorithm, task, prepared.design_block(rows))
        model = FittedModel(
            prepared=prepared,
            algorithm=name,
            parameters=algorithm.parameters(),
            arrays=found.model,
            parties=3,
            seed=5,
        )
        return rows, model

    return fitted
