"""One measurement in a process: `python -m bench.measure FOLDER FAMILY SIDE`.

SIDE is `together` (the parties take turns), `apart` (each in a process of its own),
`bins` (only finds the bin edges for the two others), or the name of a pooled rival.
Prints one JSON object; the values on which models are compared go to a file in FOLDER.
The clock starts when the rows are in memory, and stops when the model is there.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble._hist_gradient_boosting._binning import _map_to_bins
from threadpoolctl import threadpool_limits

from bench import cases, federated, usage
from bench.families import BINS, BY_NAME, SEED, Family
from bench.synthetic import CLASSES, FEATURES
from fl_plugin.algorithms.base import Algorithm, Block, DesignColumn, Target, Task
from fl_plugin.summand import Arrays, Floats

MISSING = 255
MODEL = "model.npz"
SIDES = ("together", "apart", "bins")


@dataclass(frozen=True)
class Loading:
    """How a party comes by its rows: plain enough to be sent to a new process.

    Args:
        folder: Of the case.
        family: The algorithm's name.
        task: The public facts.
    """

    folder: Path
    family: str
    task: Task

    def __call__(self, place: int) -> Callable[[], federated.Party]:
        """Load one domain's rows; return what makes a party of them."""
        threadpool_limits(1)
        algorithm = BY_NAME[self.family].made()
        x, y = cases.domain(self.folder, place)
        return partial(
            _party, federated.names_of(self.task)[place], algorithm, self.task, (x, y)
        )


def _party(
    name: str, algorithm: Algorithm, task: Task, rows: tuple[Floats, Floats]
) -> federated.Party:
    x, y = rows
    if algorithm.prepares == "bins":
        x = binned(x, task)
    hashes = np.random.default_rng(list(name.encode())).integers(
        np.iinfo(np.uint64).max, size=len(y), dtype=np.uint64
    )
    return federated.Party(name, algorithm, task, Block(x=x, y=y, hashes=hashes))


def binned(x: Floats, task: Task) -> Any:
    """Return the bins of these rows, (columns, rows) uint8, by the task's edges."""
    bins = np.empty(x.shape, dtype=np.uint8)
    thresholds = [column.edges for column in task.columns]
    numeric = np.zeros(len(x), dtype=np.uint8)
    # scikit-learn's own loop: (rows, columns) in Fortran order, so a transposed view.
    _map_to_bins(x.T, thresholds, numeric, MISSING, 1, bins.T)
    return bins


def task_of(folder: Path, *, binned: bool) -> Task:
    """Return the public facts, which a run would have from its preparation."""
    case = cases.Case.read(folder)
    y = np.concatenate([np.load(f) for f in sorted(folder.glob("*.y.npy"))])
    kinds = {
        "binary": Target(kind="binary", classes=(0, 1)),
        "multiclass": Target(kind="multiclass", classes=tuple(range(CLASSES))),
        "positive": Target(kind="regression", classes=()),
    }
    target = kinds.get(case.target, Target(kind=case.target, classes=()))
    return Task(
        target=target,
        columns=_columns(cases.edges(folder)[0] if binned else None),
        rows=len(y),
        parties=case.domains,
        seed=SEED,
        mean_square=1.0 + 1e-9,
        target_mean=float(y.mean()),
        target_mean_square=float((y**2).mean()),
        class_counts=tuple(int((y == i).sum()) for i in range(len(target.classes))),
    )


def _columns(edges: list[Floats] | None) -> tuple[DesignColumn, ...]:
    names = [f"f{j:02d}" for j in range(FEATURES)]
    if edges is None:
        return tuple(DesignColumn(name=n, feature=n) for n in names)
    return tuple(
        DesignColumn(name=n, feature=n, edges=e, bins=len(e) + 1)
        for n, e in zip(names, edges, strict=True)
    )


def fit_pooled(folder: Path, family: Family, rival: str) -> dict[str, Any]:
    """Fit scikit-learn on all rows in one place."""
    x, y = cases.pooled(folder)
    labels = y.astype(int) if family.target in {"binary", "multiclass"} else y
    make = family.rivals[rival]
    estimator = make() if make else _again(folder, family)
    begun = usage.Moment.now()
    with warnings.catch_warnings():
        # Solved to rounding error, a solver may say that it cannot go further.
        warnings.simplefilter("ignore")
        estimator.fit(x, labels)
    spent = begun.until_now()
    _write_outcome(folder, family, rival, estimator)
    return spent.json()


def _again(folder: Path, family: Family) -> Any:
    """Return a clone of what the federation found, as it was before it was fitted."""
    algorithm = family.made()
    with np.load(folder / MODEL) as model:
        task = task_of(folder, binned=algorithm.prepares == "bins")
        return clone(algorithm.estimator(dict(model), task))


def fit_federated(folder: Path, family: Family, *, apart: bool) -> dict[str, Any]:
    """Fit over the domains."""
    algorithm = family.made()
    binned = algorithm.prepares == "bins"
    task = task_of(folder, binned=binned)
    loading = Loading(folder, family.algorithm, task)
    names = federated.names_of(task)
    team: federated.Team
    if apart:
        team = federated.Apart(names, loading)
        begun = usage.Moment.now()
    else:
        made = [loading(place) for place in range(task.parties)]
        begun = usage.Moment.now()
        parties = [make() for make in made]
        del made
        team = federated.Together(dict(zip(names, parties, strict=True)))
    run = federated.fit(algorithm, task, team)
    estimator = algorithm.estimator(run.fitted.model, task)
    spent = begun.until_now()
    if isinstance(team, federated.Apart):
        team.close()
    side = "apart" if apart else "together"
    _write_outcome(folder, family, side, estimator)
    _write_model(folder, run.fitted.model)
    # What finding the edges takes pooled is on the pooled side's clock: here too.
    extra = cases.edges(folder)[1] if binned else 0.0
    return spent.json() | {
        "cpu": spent.cpu + extra,
        "wall": spent.wall + extra,
        "rounds": run.asked,
        "bytes_up": run.bytes_up,
        "bytes_down": run.bytes_down,
        "masked": run.masked,
    }


def _write_model(folder: Path, model: Arrays) -> None:
    arrays: dict[str, Any] = dict(model)
    np.savez(folder / MODEL, **arrays)


def outcome(folder: Path, family: str, side: str) -> Path:
    """Return the file that holds what a side's model says about the probe rows."""
    plain = "".join(c if c.isalnum() else "-" for c in side)
    return folder / f"outcome.{family}.{plain}.npy"


def _write_outcome(folder: Path, family: Family, side: str, estimator: Any) -> None:
    values = getattr(estimator, family.reads)(cases.probe(folder))
    np.save(outcome(folder, family.algorithm, side), values)


def measure(folder: Path, family: Family, side: str) -> Mapping[str, Any]:
    """Return what one side of one family spends on one case."""
    if side == "bins":
        cases.write_edges(folder, BINS, SEED)
        return {}
    with threadpool_limits(1):
        if side in SIDES:
            return fit_federated(folder, family, apart=side == "apart")
        return fit_pooled(folder, family, side)


def main() -> int:
    """Print one measurement."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("family", choices=sorted(BY_NAME))
    arguments.add_argument("side")
    chosen = arguments.parse_args()
    found = measure(chosen.folder, BY_NAME[chosen.family], chosen.side)
    print(json.dumps(dict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
