"""NVFLARE's simulator with its own recipes: FedAvg, and Newton-Raphson for `exact`.

Its Newton adds 1 to the Hessian's diagonal in each step and keeps float32 or float64 as
its persistor does; where that changes the digits, the digest says so. A round ends
when the last site has trained; the first begins when the first site is asked.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
from nvflare.app_common.np.recipes.fedavg import NumpyFedAvgRecipe  # type: ignore[import-not-found,unused-ignore]
from nvflare.app_common.np.recipes.lr.fedavg import FedAvgLrRecipe  # type: ignore[import-not-found,unused-ignore]
from nvflare.recipe import SimEnv  # type: ignore[import-not-found,unused-ignore]

from bench.peers import job
from bench.peers.timed import Timed, begun


def run(folder: Path, which: str, _: str) -> Timed:
    """Do the job."""
    parties = len(job.DOMAINS)
    script = {
        "train_script": str(Path(__file__).with_name("nvflare_site.py")),
        "train_args": f"--folder {folder} --job {which}",
    }
    recipe: Any
    if which == "fedavg":
        recipe = NumpyFedAvgRecipe(
            name=which,
            model=[0.0] * (job.COLUMNS + 1),
            min_clients=parties,
            num_rounds=job.ROUNDS,
            **script,
        )
    else:
        recipe = FedAvgLrRecipe(
            name=which,
            min_clients=parties,
            num_rounds=job.NEWTON_ROUNDS,
            damping_factor=1.0,
            num_features=job.COLUMNS,
            **script,
        )
    workspace = folder / f"nvflare-{which}"
    environment = SimEnv(num_clients=parties, workspace_root=str(workspace))
    recipe.execute(environment)
    ended = time.time()
    asked, trained = _times(folder, which, "asked"), _times(folder, which, "trained")
    (model,) = sorted(workspace.rglob("*.npy"))[:1]
    ends = trained.max(axis=0)
    started = float(asked.min())
    rounds = np.diff(np.concatenate([[started], ends]))
    return Timed(
        begun=begun(),
        started=started,
        ended=ended,
        rounds=[float(s) for s in rounds],
        weights=np.load(model),
    )


def _times(folder: Path, which: str, what: str) -> Any:
    """Return what every site noted: (sites, rounds), seconds since 1970."""
    files = sorted(folder.glob(f"{which}-{what}-*.txt"))
    return np.array([np.loadtxt(file, ndmin=1) for file in files])
