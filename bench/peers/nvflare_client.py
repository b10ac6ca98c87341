"""One site of NVFLARE's FedAvg over a linear model: its scikit-learn example's client.

Run by NVFLARE as a script: `--folder FOLDER`.
"""

import argparse
from pathlib import Path

import numpy as np
import nvflare.client as flare  # type: ignore[import-not-found]
from nvflare.app_common.abstract.fl_model import FLModel, ParamsType  # type: ignore[import-not-found]
from sklearn.linear_model import SGDClassifier

from bench import cases
from bench.peers.crew import SEED


def main() -> None:
    """Train one epoch a round from the shared coefficients."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--folder", type=Path)
    folder = arguments.parse_args().folder
    flare.init()
    place = int(flare.get_site_name().removeprefix("site-")) - 1
    x, y = cases.domain(folder, place)
    x = np.ascontiguousarray(x.T)
    model = SGDClassifier(loss="log_loss", random_state=SEED)
    while flare.is_running():
        received = flare.receive()
        if received is None:
            break
        # The first site to be asked starts the clock.
        (folder / "begun").touch()
        if "coef" in received.params:
            model.coef_ = np.array(received.params["coef"])
            model.intercept_ = np.array(received.params["intercept"])
        model.partial_fit(x, y, classes=np.array([0.0, 1.0]))
        params = {"coef": model.coef_, "intercept": model.intercept_}
        meta = {"NUM_STEPS_CURRENT_ROUND": len(y)}
        flare.send(FLModel(params_type=ParamsType.FULL, params=params, meta=meta))
    (folder / "done").touch()


if __name__ == "__main__":
    main()
