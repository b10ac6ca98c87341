"""Whatever a run computes, it goes on to the same bytes: every algorithm.

Each run is stopped twice, after an exchange that is kept or where it is heard and not
kept, and coordinator and parties forget all that they have in memory.
`test_crashes.py` kills a process at every moment of one algorithm.
"""

import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from fl_plugin import Mesh
from fl_plugin.algorithms.installed import algorithms
from fl_plugin.coordinator.journal import Journal
from tests.families import EXACT, PRIVATE, made, private_mesh, study_of
from tests.faults.crashing import fixed_secrets
from tests.faults.extent import extent_of
from tests.made_mesh import STUDY, make_mesh

pytestmark = pytest.mark.slow
SAMPLE = 6
LOGISTIC = ("logistic_regression", "binary")
FOLDS = {"folds": 2, "repeats": 1}
SEARCH = {"parameters": {"l2": [1.0, 1e6]}}
# What a study may have computed beside its model.
STUDIES: dict[str, dict[str, Any]] = {
    "folds and groups": {
        "evaluation": {**FOLDS, "stratified": True, "fairness": ["sex"]}
    },
    "latest rows held out": {
        "evaluation": {**FOLDS, "group": "house", "holdout_by": "time", "holdout": 0.25}
    },
    "a grid": {"evaluation": FOLDS, "search": {**SEARCH, "method": "grid"}},
    "halving": {"evaluation": FOLDS, "search": {**SEARCH, "method": "halving"}},
}
CASES = ["-".join(pair) for pair in (*EXACT, *PRIVATE)] + list(STUDIES)


def mesh_of(root: Path, case: str) -> Path:
    if case in STUDIES:
        study = study_of(*LOGISTIC, **STUDIES[case])
        return make_mesh(root, made(study, event_time="day"))
    name, kind = case.rsplit("-", 1)
    if (name, kind) in PRIVATE:
        return private_mesh(root, name, kind)
    return make_mesh(root, made(study_of(name, kind)))


@contextmanager
def stopped_at(places, dice):
    """Have a run end at these exchanges, each before or after it is kept."""
    left, keep, kept = list(places), Journal.keep, 0

    def stopping(self, *exchange):
        nonlocal kept
        kept += 1
        here = kept in left
        if here:
            left.remove(kept)
        if not here or dice.random() < 0.5:
            keep(self, *exchange)
        else:
            kept -= 1  # it is asked again
        if here:
            raise KeyboardInterrupt

    with patch.object(Journal, "keep", stopping):
        yield lambda: kept


def outcome(root):
    (entry,) = Mesh.open(root).models.entries
    metrics = {name: found.value for name, found in entry.run.metrics.items()}
    judged = entry.run.cross_validation
    return entry.run.model_digest, json.dumps(metrics, sort_keys=True), judged


def pytest_generate_tests(metafunc):
    """Try all of them where all is asked for."""
    if "case" in metafunc.fixturenames:
        extent = extent_of(metafunc.config)
        few = extent.dice("every algorithm").sample(CASES, SAMPLE)
        metafunc.parametrize("case", CASES if extent.whole else few)


def test_it_covers_every_algorithm():
    assert {case.rsplit("-", 1)[0] for case in CASES} >= set(algorithms())


def test_a_run_of_it_stopped_twice_gives_the_same_model(tmp_path, case, extent, figure):
    dice = extent.dice(case)
    with fixed_secrets():
        whole = mesh_of(tmp_path / "whole", case)
        with stopped_at([], dice) as exchanges:
            Mesh.open(whole).train(STUDY)
        places = dice.sample(range(1, exchanges() + 1), 2)
        root = mesh_of(tmp_path / "stopped", case)
        with stopped_at(places, dice):
            with pytest.raises(KeyboardInterrupt):
                Mesh.open(root).train(STUDY)
            with pytest.raises(KeyboardInterrupt):
                Mesh.open(root).resume(Mesh.open(root).runs[0].run)
            Mesh.open(root).resume(Mesh.open(root).runs[0].run)
    assert outcome(root) == outcome(whole)
    figure("runs of every algorithm, stopped twice, same bytes", 1)
