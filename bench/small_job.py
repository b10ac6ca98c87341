"""The small job (`bench.peers.job`) as a mesh: three domains' tables, its study."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.peers import job
from fl_plugin import Mesh
from fl_plugin.mesh.run import Run
from fl_plugin.preparation.splits import Split, row_hashes
from tests.made_mesh import STUDY, Made, make_mesh

HELD_OUT = 0.2
NAMES = tuple(f"x{k}" for k in range(job.COLUMNS))
ALGORITHMS: Mapping[str, Mapping[str, Any]] = {
    "fedavg": {
        "name": "mlp_fedavg",
        "hidden_layers": 0,
        "alpha": 0.0,
        "learning_rate": job.RATE,
        "decay": False,
        "batch_size": 1_000_000,  # all rows of a domain in one step
        "local_epochs": job.STEPS,
        "max_rounds": job.ROUNDS,
        "personal_epochs": 0,
    },
    "exact": {"name": "logistic_regression", "l2": job.L2, "tolerance": 1e-10},
}


def make(
    root: Path,
    algorithm: Mapping[str, Any],
    domains: Sequence[str] = job.DOMAINS,
    rows: int = job.ROWS,
) -> Path:
    """Write the mesh into a folder and return it.

    Args:
        root: The folder.
        algorithm: The study's.
        domains: Their names.
        rows: Of all together.
    """
    tables = {}
    made = job.made(rows, len(domains))
    for place, (domain, (x, y)) in enumerate(zip(domains, made, strict=True)):
        columns: dict[str, Any] = {"row_id": _keys(place, len(y)), "good": y > 0}
        columns |= {name: x[:, k] for k, name in enumerate(NAMES)}
        tables[domain] = pa.table(columns)
    study = {
        "algorithm": dict(algorithm),
        "target": "good",
        "features": list(NAMES),
        "evaluation": {"folds": 0, "holdout": HELD_OUT},
        "preparation": {"numeric": "none"},
        "seed": job.SEED,
    }
    roles = {"good": ["label"]}
    return make_mesh(root, Made(tables=tables, study=study, roles=roles))


def write_for_peers(folder: Path) -> None:
    """Write the same rows, split as the study splits them."""
    split = Split(name="holdout", part="test", share=HELD_OUT)
    for place, rows in enumerate(job.made()):
        keys = [b"\x01" + str(k).encode() for k in _keys(place, len(rows[1]))]
        held_out = split.select(row_hashes(keys), job.SEED)
        job.write(folder, place, rows, held_out)


def train(root: Path, engine: str = "embedded") -> Run:
    """Open the mesh and train its study."""
    return Mesh.open(root).train(STUDY, engine=engine)


def weights_of(run: Run) -> npt.NDArray[np.float64]:
    """Return the registered model's weights, the intercept last."""
    found: Any = run.model[-1]
    if hasattr(found, "coefs_"):
        return np.append(found.coefs_[0].ravel(), found.intercepts_[0])
    return np.append(found.coef_.ravel(), found.intercept_)


def _keys(place: int, rows: int) -> npt.NDArray[np.int64]:
    return np.arange(rows, dtype=np.int64) + 1_000_000 * place
