"""A small vertical mesh: three domains with other columns of the same customers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.made_mesh import Made, make_mesh

USES = ("train_vertical", "evaluate", "predict", "match_by_hash", "release_bins")
BANK, SHOP, TELCO = "bank", "shop", "telco"
ROWS = 600


@dataclass(frozen=True)
class VerticalMesh:
    """A mesh, and what a test may know of it.

    Args:
        root: Its folder.
        tables: Each domain's rows.
        shared: Keys that all domains have.
    """

    root: Path
    tables: Mapping[str, pa.Table]
    shared: frozenset[str] = field(default_factory=frozenset)


def vertical_mesh(
    root: Path,
    *,
    algorithm: Mapping[str, Any],
    sharing: str = "protected",
    seed: int = 0,
    target: str = "binary",
    **words: Any,
) -> VerticalMesh:
    """Write a mesh whose study is vertical.

    Args:
        root: A folder that does not exist yet.
        algorithm: Of the study.
        sharing: What the label's contract says.
        seed: Of rows and columns.
        target: "binary", "regression" or "count".
        words: Further fields of `Made`, or `study` words beside the usual ones.
    """
    random = np.random.default_rng(seed)
    keys = [f"K{random.bytes(9).hex()}" for _ in range(ROWS)]
    x = random.normal(size=(ROWS, 4))
    kind = random.choice(["gold", "plain", "none"], ROWS)
    z = x @ np.array([1.0, -1.0, 0.8, 0.7]) + (kind == "gold")
    y = _target(target, z, random)

    def table(chosen: np.ndarray, **columns: np.ndarray) -> pa.Table:
        places = random.permutation(chosen)
        arrays = {name: pa.array(values[places]) for name, values in columns.items()}
        return pa.table({"row_id": [keys[i] for i in places], **arrays})

    ends = {BANK: (0, 560), SHOP: (30, ROWS), TELCO: (10, 580)}
    chosen = {domain: np.arange(*pair) for domain, pair in ends.items()}
    tables = {
        BANK: table(chosen[BANK], income=x[:, 0], is_bad=y),
        SHOP: table(chosen[SHOP], basket=x[:, 1], kind=kind),
        TELCO: table(chosen[TELCO], calls=x[:, 2], minutes=x[:, 3]),
    }
    study = {
        "mode": "vertical",
        "algorithm": dict(algorithm),
        "target": "is_bad",
        "features": ["income", "basket", "kind", "calls", "minutes"],
        "match": {"key": "row_id"},
        **words.pop("study", {}),
    }
    made = Made(
        tables=tables,
        study=study,
        roles={"row_id": ["join_key"], "is_bad": ["label"]},
        columns={"is_bad": {"label_sharing": sharing}},
        uses=words.pop("uses", USES),
        **words,
    )
    shared = frozenset(keys[30:560])
    return VerticalMesh(make_mesh(root, made), tables, shared)


def _target(kind: str, z: np.ndarray, random: np.random.Generator) -> np.ndarray:
    if kind == "binary":
        return np.asarray(random.random(len(z)) < 1 / (1 + np.exp(-z)))
    if kind == "count":
        return random.poisson(np.exp(0.3 * z)).astype(np.int64)
    return z + 0.3 * random.normal(size=len(z))
