"""A made mesh that every installed algorithm can learn from, and a study of each."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fl_plugin.algorithms.installed import algorithms
from fl_plugin.algorithms.private.releases import PrivateAlgorithm
from tests.made_mesh import Made, make_mesh

TARGETS = {
    "binary": "bad",
    "multiclass": "species",
    "regression": "amount",
    "count": "visits",
    "none": None,
}
NUMBERS = ("regression", "count")
FEATURES = ["a", "b", "c", "age", "color"]
LABELS = ("bad", "species", "amount", "visits")
# Small, so that a test of all of them ends soon; a family's own tests are elsewhere.
FEW = {
    "max_iter": 5,
    "n_estimators": 3,
    "rounds": 3,
    "max_leaf_nodes": 7,
}


def some_rows(rows: int, place: int) -> pa.Table:
    random = np.random.default_rng(place)
    a, b, c = random.normal(size=(3, rows))
    age = random.integers(18, 80, rows).astype(float)
    age[random.random(rows) < 0.05] = np.nan
    z = a - b + 0.5 * c
    noisy = z + random.normal(size=rows)
    return pa.table(
        {
            "row_id": np.arange(rows) + 10_000 * place,
            "a": a,
            "b": b,
            "c": c,
            "age": age,
            "color": np.array(["blue", "green", "red"])[random.integers(0, 3, rows)],
            "sex": np.array(["f", "m"])[random.integers(0, 2, rows)],
            "house": random.integers(0, 40, rows) + 100 * place,
            "day": np.datetime64("2026-01-01") + random.integers(0, 300, rows),
            "bad": z + random.logistic(size=rows) > 0,
            "amount": np.exp(0.3 * z) + 0.1 * random.random(rows),
            "visits": random.poisson(np.exp(0.3 * z)),
            "species": np.array(["x", "y", "z"])[
                np.clip((noisy + 1.5) // 1, 0, 2).astype(int)
            ],
        }
    )


TABLES = {f"d{i}": some_rows(rows, i) for i, rows in enumerate((300, 240, 200))}


def made(study: dict[str, Any], **words: Any) -> Made:
    features = {"features": FEATURES, "evaluation": {"folds": 0}}
    return Made(
        tables=TABLES,
        study={**features, **study},
        roles={
            **{name: ["label"] for name in LABELS},
            "row_id": ["join_key"],
            "house": ["join_key"],
            "day": [],
            "sex": ["protected"],
        },
        accepted={
            "color": ["blue", "green", "red"],
            "species": ["x", "y", "z"],
            "sex": ["f", "m"],
        },
        **words,
    )


def few(name: str) -> dict[str, Any]:
    defaults = algorithms()[name]().parameters()
    return {word: value for word, value in FEW.items() if word in defaults}


def study_of(name: str, kind: str, **words: Any) -> dict[str, Any]:
    algorithm: dict[str, Any] = {"name": name, **few(name)}
    if kind == "count" and "loss" in algorithms()[name]().parameters():
        algorithm["loss"] = "poisson"
    study: dict[str, Any] = {"algorithm": algorithm, **words}
    if TARGETS[kind] is not None:
        study["target"] = TARGETS[kind]
    return study


EXACT = [
    (name, kind)
    for name, algorithm in sorted(algorithms().items())
    if not issubclass(algorithm, PrivateAlgorithm)
    for kind in algorithm.targets
]
PRIVATE = [
    (name, algorithm.targets[0])
    for name, algorithm in sorted(algorithms().items())
    if issubclass(algorithm, PrivateAlgorithm)
]

# Many enough that noise does not drown their figures.
HALF = {"folds": 0, "holdout": 0.5}
BOUNDED = {"amount": [0.0, 4.0], "visits": [0.0, 12.0]}


def private_mesh(
    root: Path, name: str, kind: str, *, epsilon: float = 1.0, **words: Any
) -> Path:
    study = study_of(name, kind, privacy={"epsilon": epsilon}) | words
    return make_mesh(
        root,
        replace(
            made(study),
            product={
                "dp": {"epsilon": 2.0 * epsilon, "delta": 1e-6, "period_days": 90}
            },
            columns={
                **{c: {"bounds": [-4.0, 4.0]} for c in "abc"},
                "age": {"bounds": [18.0, 100.0]},
                **{c: {"bounds": b} for c, b in BOUNDED.items() if c == TARGETS[kind]},
            },
            epsilon=epsilon,
        ),
    )
