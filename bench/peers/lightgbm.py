"""LightGBM's own distributed training: data-parallel over sockets.

Bins are found feature by feature, each on one party's rows alone, so that bins, hence
trees, are not those of the pooled rows.
"""

from collections.abc import Mapping
from typing import Any

import lightgbm  # type: ignore[import-not-found]
import numpy as np

from bench import cases
from bench.peers.crew import (
    BINS,
    LEAVES,
    RATE,
    SEED,
    SMALLEST_LEAF,
    TREES,
    Order,
    alone,
    free_ports,
    together,
)

JOBS = ("sockets",)
PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "num_leaves": LEAVES,
    "max_bin": BINS,
    "learning_rate": RATE,
    "min_data_in_leaf": SMALLEST_LEAF,
    "num_threads": 1,
    "seed": SEED,
    "verbosity": -1,
}


def train(facts: Mapping[str, Any]) -> str:
    """Fit on these rows, with whoever else is named in `network`."""
    settings = {**PARAMETERS, **facts.get("network", {})}
    rows = lightgbm.Dataset(facts["x"], facts["y"], params=settings)
    booster = lightgbm.train(settings, rows, TREES)
    return str(booster.model_to_string())


def work(place: int, facts: Mapping[str, Any]) -> str:
    """Fit as one party."""
    ports = facts["ports"]
    network = {
        "tree_learner": "data",
        "pre_partition": True,
        "num_machines": len(ports),
        "machines": ",".join(f"127.0.0.1:{port}" for port in ports),
        "local_listen_port": ports[place],
    }
    return train({**facts, "network": network})


def run(order: Order) -> None:
    """Fit as ordered."""
    if order.side == "pooled":
        model, spent = alone(train, order.folder)
    else:
        parties = order.case.domains
        facts = {"folder": str(order.folder), "ports": free_ports(parties)}
        (model, *_), spent = together(work, parties, facts)
    booster = lightgbm.Booster(model_str=model)
    values = np.asarray(booster.predict(cases.probe(order.folder)))
    order.finish(spent, values, rounds=TREES)
