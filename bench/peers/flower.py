"""Flower's simulation (Ray) with its own strategies.

Job `logistic`: FedAvg over scikit-learn's logistic regression, as in Flower's own
scikit-learn quickstart. Job `mlp`: FedAvg over a small network. Job `bagging`: its
FedXgbBagging, every party's trees side by side, with as many trees in all as pooled.
Rows and imports are loaded by a message that is not on the clock.
"""

import os
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xgboost  # type: ignore[import-not-found]
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord
from flwr.app import RecordDict as Records
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg, FedXgbBagging
from flwr.simulation import run_simulation
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from bench import cases, usage
from bench.peers.crew import BINS, LEAVES, RATE, SEED, TREES, Order, alone

JOBS = ("logistic", "mlp", "bagging")
ROUNDS, LOCAL_STEPS = 20, 5
EPOCHS = 20
BOOSTED: Mapping[str, Any] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "grow_policy": "lossguide",
    "max_depth": 0,
    "max_leaves": LEAVES,
    "max_bin": BINS,
    "eta": RATE,
    "nthread": 1,
    "seed": SEED,
}
Arrays = list[Any]


@cache
def rows_of(folder: str, place: int) -> tuple[Any, Any]:
    """Return a domain's rows, once per process: x (rows, columns) and y."""
    x, y = cases.domain(Path(folder), place)
    return np.ascontiguousarray(x.T), y


@cache
def boosting_rows(folder: str, place: int) -> xgboost.DMatrix:
    """Return a domain's rows as XGBoost holds them."""
    return xgboost.DMatrix(*rows_of(folder, place), nthread=1)


def network(x: Any, y: Any) -> MLPClassifier:
    """Return a network that knows its shape: it has seen a row of each class."""
    model = MLPClassifier(hidden_layer_sizes=(32,), random_state=SEED)
    seen = [int(np.argmax(y == 0)), int(np.argmax(y == 1))]
    return model.partial_fit(x[seen], y[seen], classes=[0, 1])


def logistic_step(arrays: Arrays, x: Any, y: Any) -> Arrays:
    """Some iterations of L-BFGS from the shared coefficients."""
    model = LogisticRegression(max_iter=LOCAL_STEPS, warm_start=True)
    model.classes_ = np.array([0.0, 1.0])
    model.coef_, model.intercept_ = arrays[0].copy(), arrays[1].copy()
    model.fit(x, y)
    return [model.coef_, model.intercept_]


def network_step(arrays: Arrays, x: Any, y: Any) -> Arrays:
    """One epoch of Adam from the shared weights."""
    model = network(x, y)
    depth = len(arrays) // 2
    model.coefs_ = [a.copy() for a in arrays[:depth]]
    model.intercepts_ = [a.copy() for a in arrays[depth:]]
    # `partial_fit` moves the arrays that its optimiser holds, so it must forget them.
    del model._optimizer  # noqa: SLF001
    model.partial_fit(x, y)
    return [*model.coefs_, *model.intercepts_]


def bagging_step(arrays: Arrays, folder: str, place: int) -> Arrays:
    """One more tree on top of the shared ones."""
    rows = boosting_rows(folder, place)
    shared = arrays[0].tobytes()
    if not shared:
        tree = xgboost.train(dict(BOOSTED), rows, 1)
    else:
        booster = xgboost.Booster(dict(BOOSTED), model_file=bytearray(shared))
        booster.update(rows, booster.num_boosted_rounds())
        last = booster.num_boosted_rounds()
        tree = booster[last - 1 : last]
    return [np.frombuffer(bytes(tree.save_raw("json")), dtype=np.uint8)]


client = ClientApp()


@client.query()
def warm_up(message: Message, _context: Context) -> Message:
    """Load every domain's rows: any worker may be asked for any of them."""
    config: Any = message.content["config"]
    folder = str(config["folder"])
    for place in range(int(config["domains"])):
        rows_of(folder, place)
    return Message(Records({}), reply_to=message)


@client.train()
def train(message: Message, context: Context) -> Message:
    """Return what a party makes of the shared arrays."""
    config: Any = message.content["config"]
    shared: Any = message.content["arrays"]
    place = int(str(context.node_config["partition-id"]))
    folder, job = str(config["folder"]), str(config["job"])
    arrays = shared.to_numpy_ndarrays()
    x, y = rows_of(folder, place)
    if job == "bagging":
        new = bagging_step(arrays, folder, place)
    else:
        new = (logistic_step if job == "logistic" else network_step)(arrays, x, y)
    told = MetricRecord({"num-examples": len(y)})
    return Message(
        Records({"arrays": ArrayRecord(new), "metrics": told}), reply_to=message
    )


def start(order: Order) -> tuple[Arrays, int]:
    """Return the first arrays, and how many rounds follow."""
    if order.job == "bagging":
        return [np.zeros(0, dtype=np.uint8)], TREES // order.case.domains
    if order.job == "logistic":
        columns = len(np.load(order.folder / "probe.npy", mmap_mode="r"))
        return [np.zeros((1, columns)), np.zeros(1)], ROUNDS
    model = network(*rows_of(str(order.folder), 0))
    return [*model.coefs_, *model.intercepts_], EPOCHS


def serve(order: Order, grid: Grid) -> None:
    """Run the strategy; write what came out."""
    first, rounds = start(order)
    every: dict[str, Any] = {
        "min_train_nodes": order.case.domains,
        "fraction_evaluate": 0.0,
    }
    every["min_available_nodes"] = order.case.domains
    strategy = (FedXgbBagging if order.job == "bagging" else FedAvg)(**every)
    facts: dict[str, Any] = {"folder": str(order.folder), "job": order.job}
    _load(grid, {**facts, "domains": order.case.domains})
    begun = usage.Moment.now()
    result = strategy.start(
        grid=grid,
        initial_arrays=ArrayRecord(first),
        num_rounds=rounds,
        train_config=ConfigRecord(facts),
    )
    spent = begun.until_now()
    arrays = result.arrays.to_numpy_ndarrays()
    order.finish(spent, values(order, arrays), rounds=rounds)


def _load(grid: Grid, facts: Mapping[str, Any]) -> None:
    """Let every worker load rows, twice as often as there are parties."""
    content = Records({"config": ConfigRecord(dict(facts))})
    while len(nodes := list(grid.get_node_ids())) < int(facts["domains"]):
        time.sleep(0.1)
    asked: Iterable[Message] = [
        Message(content, dst_node_id=node, message_type="query") for node in nodes * 2
    ]
    list(grid.send_and_receive(asked))


def values(order: Order, arrays: Arrays) -> Any:
    """Return probabilities on the probe rows."""
    x = cases.probe(order.folder)
    if order.job == "bagging":
        booster = xgboost.Booster(model_file=bytearray(arrays[0].tobytes()))
        return booster.predict(xgboost.DMatrix(x))
    if order.job == "logistic":
        return 1.0 / (1.0 + np.exp(-(x @ arrays[0][0] + arrays[1][0])))
    model = network(*rows_of(str(order.folder), 0))
    depth = len(arrays) // 2
    model.coefs_, model.intercepts_ = arrays[:depth], arrays[depth:]
    return model.predict_proba(x)[:, 1]


def pooled(facts: Mapping[str, Any], job: str) -> Any:
    """Fit the same model on the pooled rows."""
    x, y = facts["x"], facts["y"]
    if job == "bagging":
        return xgboost.train(dict(BOOSTED), xgboost.DMatrix(x, y, nthread=1), TREES)
    if job == "logistic":
        return LogisticRegression().fit(x, y)
    model = network(x, y)
    for _ in range(EPOCHS):
        model.partial_fit(x, y)
    return model


def run(order: Order) -> None:
    """Fit as ordered."""
    if order.side == "pooled":
        model, spent = alone(lambda facts: pooled(facts, order.job), order.folder)
        x = cases.probe(order.folder)
        boosted = order.job == "bagging"
        told = (
            model.predict(xgboost.DMatrix(x))
            if boosted
            else model.predict_proba(x)[:, 1]
        )
        order.finish(spent, told)
        return
    server = ServerApp()

    @server.main()
    def main(grid: Grid, _context: Context) -> None:
        serve(order, grid)

    workers = min(order.case.domains, os.cpu_count() or 1)
    run_simulation(
        server,
        client,
        num_supernodes=order.case.domains,
        backend_config={
            "client_resources": {"num_cpus": 1},
            "init_args": {"num_cpus": workers, "include_dashboard": False},
        },
    )
