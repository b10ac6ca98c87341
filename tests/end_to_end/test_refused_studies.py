"""Studies that cannot run: told by what is wrong with them, before a model is kept."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from fl_plugin import Mesh
from fl_plugin.errors import ContractError, MeshError, TrainingError, UsageError
from tests.made_mesh import make_mesh
from tests.small_mesh import small

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
WORDS = (
    ({"algorithm": {"name": "ridge"}}, ContractError, "has a binary target"),
    ({"algorithm": {"name": "logistc_regression"}}, UsageError, "There is no"),
    (
        {"features": ["a"], "evaluation": {"folds": 0, "fairness": ["b"]}},
        ContractError,
        "figures apart by b, which is a number",
    ),
    (
        {"evaluation": {"folds": 0, "holdout": 0.001}},
        TrainingError,
        "Fewer than 10 rows are held out",
    ),
)


def refused(root, made):
    """Return the error; nothing was kept."""
    with pytest.raises(MeshError) as caught:
        Mesh.open(make_mesh(root, made)).train("made")
    assert not list((root / "registry").rglob("*.skops"))
    return caught.value


@pytest.mark.parametrize(("words", "kind", "told"), WORDS)
def test_it_is_told_what_is_wrong(tmp_path, words, kind, told):
    found = refused(tmp_path, small(DOMAINS, study=words))
    assert isinstance(found, kind)
    assert told in found.problem
    assert found.remedy


def test_a_misspelt_algorithm_is_told_the_right_one(tmp_path):
    words = {"algorithm": {"name": "logistc_regression"}}
    found = refused(tmp_path, small(DOMAINS, study=words))
    assert found.remedy.startswith("Did you mean logistic_regression?")


def test_rows_of_one_key_cannot_be_held_out(tmp_path):
    """The same hash for all: every row would train, and no row judge."""
    made = small(DOMAINS)
    alike = pa.array(np.full(160, 7))
    tables = {d: t.set_column(0, "row_id", alike) for d, t in made.tables.items()}
    found = refused(tmp_path, replace(made, tables=tables))
    assert "held out" in found.problem or "no training rows" in found.problem
    assert "key" in found.remedy or "held out" in found.remedy


def test_an_epsilon_without_noise_is_not_taken_for_missing_bounds(tmp_path):
    """The contracts have no bounds, but with them nothing would be won."""
    made = small(DOMAINS, study={"privacy": {"epsilon": 1.0}})
    budget = {"dp": {"epsilon": 2.0, "delta": 1e-6, "period_days": 90}}
    found = refused(tmp_path, replace(made, product=budget, epsilon=1.0))
    assert isinstance(found, UsageError)
    assert "logistic_regression adds no noise" in found.problem
