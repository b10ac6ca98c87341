"""A package of its own adds an algorithm: installed, found, fitted, equal to pooled."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.base import clone

from fl_plugin.algorithms.base import Algorithm, Target
from fl_plugin.algorithms.installed import GROUP
from fl_plugin.discovery import discover
from fl_plugin.errors import MessageError, TrainingError
from tests.federated import fit_over, task_over
from tests.unlike import pooled, unlike

PACKAGE = Path(__file__).parents[2] / "examples" / "third_party_algorithm"
NAME = "linear_discriminant"
TARGETS = {2: Target(), 3: Target(kind="multiclass", classes=("a", "b", "c"))}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the package beside the environment, not into it."""
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    if importlib.util.find_spec("pip") is None:
        command = ["uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
        command += ["--python", sys.executable]
    command += ["--no-build-isolation", "--target", str(place), str(PACKAGE)]
    subprocess.run(command, check=True, timeout=300)
    return place


@pytest.fixture
def algorithm(installed, monkeypatch):
    monkeypatch.syspath_prepend(str(installed))
    yield discover(GROUP, Algorithm, GROUP)[NAME]
    for module in [m for m in sys.modules if m.split(".")[0] == NAME]:
        del sys.modules[module]


def test_it_is_not_there_before_it_is_installed():
    assert NAME not in discover(GROUP, Algorithm, GROUP)


def test_it_is_found_once_it_is_installed(algorithm):
    assert algorithm.name == NAME
    assert algorithm.__module__ == f"{NAME}.algorithm"


def test_the_command_line_knows_it(installed):
    program = "from fl_plugin.algorithms.installed import find_algorithm as find;"
    program += f"print(find({NAME!r}).title)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parents[1],
    )
    assert done.stdout.strip() == "Linear discriminant analysis, exact"


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("shrinkage", [0.0, 0.3])
def test_it_equals_scikit_learn_on_the_pooled_rows(algorithm, classes, shrinkage):
    blocks = unlike(classes=classes)
    task = task_over(blocks, TARGETS[classes])
    chosen = algorithm.of({"shrinkage": shrinkage})
    model = fit_over(chosen, task, blocks).model
    ours = chosen.estimator(model, task)
    x, y = pooled(blocks)
    theirs = clone(ours).fit(x, np.array(task.target.classes)[y.astype(int)])
    for name in ("coef_", "intercept_", "covariance_", "means_", "priors_"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), atol=1e-9
        )
    np.testing.assert_allclose(
        ours.predict_proba(x), theirs.predict_proba(x), atol=1e-9
    )
    for name, array in chosen.model_of(ours).items():
        np.testing.assert_array_equal(array, model[name])


def test_its_estimator_goes_through_a_file(algorithm):
    blocks = unlike()
    task = task_over(blocks)
    chosen = algorithm()
    estimator = chosen.estimator(fit_over(chosen, task, blocks).model, task)
    back = skops.io.loads(skops.io.dumps(estimator), trusted=["numpy.dtype"])
    x, _ = pooled(blocks)
    np.testing.assert_array_equal(back.predict(x), estimator.predict(x))


def test_what_it_did_not_ask_for_is_refused(algorithm):
    task = task_over(unlike())
    with pytest.raises(MessageError, match="means"):
        algorithm().answers({"means": np.full((2, 5), np.nan)}, task)
    with pytest.raises(TrainingError, match="class c"):
        fit_over(algorithm(), task_over(unlike(), TARGETS[3]), unlike())
