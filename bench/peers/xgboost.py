"""XGBoost's own distributed training: rows stay, histograms are summed.

Job `rabit`: its collective over sockets. Job `federated`: its plug-in, in which workers
send histograms to a server over gRPC, in the clear. Both merge the parties' quantile
sketches first, so their bins, hence their trees, are not those of the pooled rows.
"""

import multiprocessing
import time
from collections.abc import Mapping
from typing import Any

import xgboost  # type: ignore[import-not-found]
from xgboost import collective, federated, tracker

from bench import cases
from bench.peers.crew import (
    BINS,
    LEAVES,
    RATE,
    SEED,
    TREES,
    Order,
    alone,
    free_ports,
    together,
)

JOBS = ("rabit", "federated")
PARAMETERS: Mapping[str, Any] = {
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


def train(facts: Mapping[str, Any]) -> bytes:
    """Fit on these rows, with whoever else is in the collective."""
    rows = xgboost.QuantileDMatrix(facts["x"], facts["y"], max_bin=BINS, nthread=1)
    return bytes(xgboost.train(dict(PARAMETERS), rows, TREES).save_raw())


def work(place: int, facts: Mapping[str, Any]) -> bytes:
    """Fit as one party."""
    settings = dict(facts["settings"])
    if "federated_world_size" in settings:
        settings["federated_rank"] = place
    with collective.CommunicatorContext(**settings):
        return train(facts)


def _serve_federated(parties: int, port: int) -> None:
    federated.run_federated_server(n_workers=parties, port=port)


def run(order: Order) -> None:
    """Fit as ordered."""
    if order.side == "pooled":
        model, spent = alone(train, order.folder)
    elif order.job == "rabit":
        parties = order.case.domains
        held = tracker.RabitTracker(n_workers=parties, host_ip="127.0.0.1")
        held.start()
        facts = {"folder": str(order.folder), "settings": held.worker_args()}
        (model, *_), spent = together(work, parties, facts)
    else:
        model, spent = _over_grpc(order)
    booster = xgboost.Booster(model_file=bytearray(model))
    values = booster.predict(xgboost.DMatrix(cases.probe(order.folder)))
    order.finish(spent, values, rounds=TREES)


def _over_grpc(order: Order) -> tuple[bytes, Any]:
    parties = order.case.domains
    (port,) = free_ports(1)
    server = multiprocessing.get_context("spawn").Process(
        target=_serve_federated, args=(parties, port), daemon=True
    )
    server.start()
    time.sleep(3.0)  # it does not say when it listens
    settings = {
        "dmlc_communicator": "federated",
        "federated_server_address": f"127.0.0.1:{port}",
        "federated_world_size": parties,
    }
    facts = {"folder": str(order.folder), "settings": settings}
    (model, *_), spent = together(work, parties, facts)
    server.terminate()
    server.join()
    return model, spent
