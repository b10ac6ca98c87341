"""NVFLARE's job simulator with its own recipes.

Job `sgd`: FedAvg over a linear model, one epoch of SGD a round. Job `xgboost`:
horizontal XGBoost over its relay of XGBoost's federated plug-in; every site scores its
rows after every tree, as the recipe does. The clock runs from the first question to the
last answer; the simulator's start (about 10 s) is left out.
"""

import contextlib
import io
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import xgboost  # type: ignore[import-not-found]
from nvflare.app_opt.sklearn.recipes.fedavg import SklearnFedAvgRecipe  # type: ignore[import-not-found]
from nvflare.app_opt.xgboost.data_loader import XGBDataLoader  # type: ignore[import-not-found]
from nvflare.app_opt.xgboost.recipes import XGBHorizontalRecipe  # type: ignore[import-not-found]
from nvflare.recipe import SimEnv, set_per_site_config  # type: ignore[import-not-found]
from sklearn.linear_model import SGDClassifier

from bench import cases, usage
from bench.peers.crew import BINS, LEAVES, RATE, SEED, TREES, Order, alone

JOBS = ("sgd", "xgboost")
ROUNDS = 20
BOOSTED: Mapping[str, Any] = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "tree_method": "hist",
    "grow_policy": "lossguide",
    "max_depth": 0,
    "max_leaves": LEAVES,
    "max_bin": BINS,
    "eta": RATE,
    "nthread": 1,
    "seed": SEED,
}


class FolderLoader(XGBDataLoader):  # type: ignore[misc]  # NVFLARE ships no types
    """Loads a site's rows.

    Args:
        folder: Of the case.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def initialize(self, client_id: str, rank: int, *rest: Any, **more: Any) -> None:
        """Read the rows, before the clock runs."""
        super().initialize(client_id, rank, *rest, **more)
        place = int(client_id.removeprefix("site-")) - 1
        self._rows = cases.domain(Path(self.folder), place)

    def load_data(self) -> tuple[Any, Any]:
        """Return training rows and a few to score."""
        Path(self.folder, "begun").touch()
        x, y = self._rows
        x = np.ascontiguousarray(x.T)
        few = slice(0, 100)
        return (
            xgboost.DMatrix(x, y, nthread=1),
            xgboost.DMatrix(x[few], y[few], nthread=1),
        )


class _Watch(threading.Thread):
    """Reads the clocks when the sites say that they have begun and when they are done.

    Args:
        begun: File that exists from the first question on.
        done: Says whether the last answer is there.
    """

    def __init__(self, begun: Path, done: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self._begun, self._done = begun, done
        self.spent: usage.Spent | None = None

    def run(self) -> None:
        """Wait for both."""
        while not self._begun.exists():
            time.sleep(0.02)
        start = usage.Moment.now()
        while not self._done():
            time.sleep(0.02)
        self.spent = start.until_now()


def simulate(recipe: Any, order: Order, done: Callable[[], bool]) -> usage.Spent:
    """Run the job; return what it spent between the first and the last message."""
    for name in ("begun", "done"):
        (order.folder / name).unlink(missing_ok=True)
    watch = _Watch(order.folder / "begun", done)
    watch.start()
    sites = [f"site-{place + 1}" for place in range(order.case.domains)]
    environment = SimEnv(clients=sites, workspace_root=str(workspace(order)))
    with contextlib.redirect_stdout(io.StringIO()):
        recipe.execute(environment)
    watch.join(timeout=10.0)
    if watch.spent is None:
        raise TimeoutError
    return watch.spent


def workspace(order: Order) -> Path:
    """Return the simulator's folder."""
    return order.folder / f"nvflare.{order.job}"


def run_sgd(order: Order) -> tuple[Any, usage.Spent]:
    """Return probabilities on the probe rows after FedAvg, and what it spent."""
    recipe = SklearnFedAvgRecipe(
        name="sgd",
        min_clients=order.case.domains,
        num_rounds=ROUNDS,
        model_params={"loss": "log_loss"},
        train_script=str(Path(__file__).with_name("nvflare_client.py")),
        train_args=f"--folder {order.folder}",
    )
    spent = simulate(recipe, order, (order.folder / "done").exists)
    (file,) = workspace(order).rglob("model_param.joblib")
    held = joblib.load(file)
    weights = held.get("weights", held)
    odds = cases.probe(order.folder) @ weights["coef"][0] + weights["intercept"][0]
    return 1.0 / (1.0 + np.exp(-odds)), spent


def run_xgboost(order: Order) -> tuple[Any, usage.Spent]:
    """Return probabilities on the probe rows after boosting, and what it spent."""
    parties = order.case.domains
    recipe = XGBHorizontalRecipe(
        name="boosting",
        min_clients=parties,
        num_rounds=TREES,
        early_stopping_rounds=TREES,
        xgb_params=dict(BOOSTED),
    )
    loaders = {
        f"site-{place + 1}": {"data_loader": FolderLoader(str(order.folder))}
        for place in range(parties)
    }
    set_per_site_config(recipe, loaders)

    def models() -> list[Path]:
        return list(workspace(order).rglob("model.json"))

    spent = simulate(recipe, order, lambda: len(models()) == parties)
    booster = xgboost.Booster(model_file=models()[0])
    return booster.predict(xgboost.DMatrix(cases.probe(order.folder))), spent


def pooled(facts: Mapping[str, Any], job: str) -> Any:
    """Fit the same model on the pooled rows."""
    x, y = facts["x"], facts["y"]
    if job == "xgboost":
        return xgboost.train(dict(BOOSTED), xgboost.DMatrix(x, y, nthread=1), TREES)
    model = SGDClassifier(loss="log_loss", random_state=SEED)
    for _ in range(ROUNDS):
        model.partial_fit(x, y, classes=np.array([0.0, 1.0]))
    return model


def run(order: Order) -> None:
    """Fit as ordered."""
    if order.side == "federated":
        values, spent = (run_sgd if order.job == "sgd" else run_xgboost)(order)
        rounds = ROUNDS if order.job == "sgd" else TREES
        order.finish(spent, values, rounds=rounds)
        return
    model, spent = alone(lambda facts: pooled(facts, order.job), order.folder)
    x = cases.probe(order.folder)
    boosted = order.job == "xgboost"
    values = (
        model.predict(xgboost.DMatrix(x)) if boosted else model.predict_proba(x)[:, 1]
    )
    order.finish(spent, values)
