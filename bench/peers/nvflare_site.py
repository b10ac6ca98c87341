"""One site of NVFLARE's simulator, at the small job: `--folder FOLDER --job JOB`."""

import argparse
import time
from pathlib import Path

import numpy as np
import nvflare.client as flare  # type: ignore[import-not-found,unused-ignore]
from nvflare.app_common.abstract.fl_model import FLModel  # type: ignore[import-not-found,unused-ignore]

from bench.peers import job


def main() -> None:
    """Answer until the job is done."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--job")
    chosen = arguments.parse_args()
    flare.init()
    site = flare.get_site_name()  # site-1, site-2, ...
    rows = job.load(chosen.folder, int(site.removeprefix("site-")) - 1)

    def note(what: str) -> None:
        with (chosen.folder / f"{chosen.job}-{what}-{site}.txt").open("a") as file:
            file.write(f"{time.time():.6f}\n")

    while flare.is_running():
        received = flare.receive()
        if received is None:
            break
        note("asked")
        answer = _answer(chosen.job, received.params, rows)
        note("trained")
        flare.send(answer)


def _answer(which: str, params: dict[str, job.Floats], rows: job.Rows) -> FLModel:
    size = len(rows[1])
    if which == "fedavg":
        weights = job.steps(np.asarray(params["numpy_key"]), rows)
        return FLModel(
            params={"numpy_key": weights}, meta={"NUM_STEPS_CURRENT_ROUND": size}
        )
    (key,) = params
    shared = np.asarray(params[key], dtype=np.float64)
    gradient, hessian = job.derivatives(shared.ravel(), rows)
    # A site's share of the penalty; the recipe climbs the likelihood, and averages.
    penalty = job.penalty_of(len(gradient)) / len(job.DOMAINS)
    gradient = -(gradient + penalty * shared.ravel())
    params = {
        "gradient": gradient.reshape(shared.shape),
        "hessian": hessian + np.diag(penalty),
    }
    return FLModel(params=params, meta={"NUM_STEPS_CURRENT_ROUND": 1})


if __name__ == "__main__":
    main()
