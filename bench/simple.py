"""Naive Bayes, k-means, components and networks over three unlike domains.

`python -m bench.simple` prints, for every family that equals scikit-learn: CPU seconds
of the masked federated fit, its ratio to scikit-learn's on the pooled rows, the largest
difference of a fitted attribute, and rounds. Both sides get the same standardised rows
and are timed for fitting alone, in one process, one thread each, the best of several
repetitions in turn. K-means is compared from the start that the federation found, and
is charged for finding it. Networks, which equal nothing, are compared by the AUC on
rows that neither side saw, with scikit-learn as it comes and with its early stopping.
"""

import gc
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from bench import synthetic
from bench.federated import Party, Run, Together, fit, names_of
from bench.figures import Figure, finish, parser
from bench.glm import Rows, rows_of
from fl_plugin.algorithms.base import Block, Target
from fl_plugin.algorithms.described import Parameter
from fl_plugin.algorithms.installed import find_algorithm

RATIO_BAR = 1.5
DIFFERENCE_BAR = 1e-9
GAP_BAR = 0.005
TEST_EVERY = 4  # of a domain's rows, one in so many is kept for judging a network
NETWORKS = ("mlp_fedavg", "mlp_fedprox", "mlp_fedadam", "mlp_scaffold")


@dataclass(frozen=True, kw_only=True)
class Family:
    """What is fitted, beside which estimator, and what of the two must agree.

    Args:
        attributes: Fitted attributes that are compared, relative to their largest.
        rival: Makes the pooled estimator; None for a clone of the federated one.
        target: Of the rows.
        parameters: Of the algorithm.
    """

    attributes: Sequence[str]
    rival: Callable[[], Any] | None = None
    target: str = "none"
    parameters: Mapping[str, Parameter]


FAMILIES: Mapping[str, Family] = {
    "gaussian_nb": Family(
        attributes=("theta_", "var_"),
        rival=GaussianNB,
        target="binary",
        parameters={},
    ),
    "bernoulli_nb": Family(
        attributes=("feature_log_prob_", "class_log_prior_"),
        rival=BernoulliNB,
        target="binary",
        parameters={},
    ),
    "pca": Family(
        attributes=("components_", "explained_variance_", "mean_"),
        rival=lambda: PCA(n_components=10, svd_solver="covariance_eigh"),
        parameters={"n_components": 10},
    ),
    "kmeans": Family(
        attributes=("cluster_centers_", "inertia_"),
        parameters={"n_clusters": 8, "n_init": 1},
    ),
}


def drawn(family: Family, rows: int) -> Rows:
    """Return the rows of a family; one that learns no target is given none."""
    found = rows_of("binary", rows)
    if family.target == "none":
        none = replace(found.task, target=Target(kind="none", classes=()))
        return replace(found, task=replace(none, class_counts=()))
    return found


def federated(
    name: str, rows: Rows, parameters: Mapping[str, Parameter]
) -> tuple[float, Run, Any]:
    """Fit, masked; return CPU seconds, the run and the estimator."""
    algorithm = find_algorithm(name).of(parameters)
    begun = time.process_time()
    names = names_of(rows.task)
    parties = {
        party: Party(party, algorithm, rows.task, block)
        for party, block in zip(names, rows.blocks, strict=True)
    }
    run = fit(algorithm, rows.task, Together(parties))
    seconds = time.process_time() - begun
    return seconds, run, algorithm.estimator(run.fitted.model, rows.task)


def pooled(model: Any, rows: Rows) -> tuple[float, Any]:
    """Fit scikit-learn on all rows in one place; return CPU seconds and the model."""
    known = () if rows.task.target.kind == "none" else (rows.y,)
    begun = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a network may stop at its last epoch
        model.fit(rows.x, *known)
    return time.process_time() - begun, model


def measure(name: str, rows: int, repeats: int) -> list[Figure]:
    """Return the figures of one family that equals scikit-learn."""
    family = FAMILIES[name]
    here = drawn(family, rows)
    ours, theirs = [], []
    for _ in range(repeats):
        ours.append(federated(name, here, family.parameters))
        rival = family.rival() if family.rival else clone(ours[-1][2])
        theirs.append(pooled(rival, here))
        gc.collect()
    seconds, run, model = min(ours, key=lambda one: one[0])
    spent, other = min(theirs, key=lambda one: one[0])
    apart = max(_apart(model, other, attribute) for attribute in family.attributes)
    return [
        Figure(name=f"{name}: CPU seconds", value=seconds),
        Figure(
            name=f"  ratio to scikit-learn ({spent:.3f} s)",
            value=seconds / spent,
            most=RATIO_BAR,
        ),
        Figure(name="  largest difference", value=apart, most=DIFFERENCE_BAR),
        Figure(name="  rounds", value=run.asked),
    ]


def _apart(model: Any, other: Any, attribute: str) -> float:
    here, there = (np.asarray(getattr(m, attribute)) for m in (model, other))
    return float(np.abs(here - there).max() / max(np.abs(there).max(), 1.0))


def networks(rows: int) -> list[Figure]:
    """Return the figures of the networks: AUC beside pooled ones, on rows unseen."""
    train, test_x, test_y = _split(rows_of("binary", rows))

    def auc(model: Any) -> float:
        return float(roc_auc_score(test_y, model.predict_proba(test_x)[:, 1]))

    best, figures = 0.0, []
    for how, stops in (("as it comes", False), ("stopping early", True)):
        rival = MLPClassifier((32,), random_state=0, early_stopping=stops)
        seconds, model = pooled(rival, train)
        best = max(best, auc(model))
        name = f"pooled network, {how} ({model.n_iter_} epochs, {seconds:.1f} s): AUC"
        figures.append(Figure(name=name, value=auc(model)))
    for name in NETWORKS:
        seconds, run, model = federated(name, train, {})
        told = f"{name} ({run.asked} rounds, {seconds:.1f} s): AUC"
        gap = best - auc(model)
        figures.append(Figure(name=told, value=auc(model)))
        figures.append(
            Figure(name="  below the better pooled one", value=gap, most=GAP_BAR)
        )
    return figures


def _split(rows: Rows) -> tuple[Rows, Any, Any]:
    kept, test = [], []
    for block in rows.blocks:
        held = np.arange(block.rows) % TEST_EVERY == 0
        kept.append(Block(np.ascontiguousarray(block.x[:, ~held]), block.y[~held]))
        test.append(Block(block.x[:, held], block.y[held]))
    (x, y), (test_x, test_y) = _joined(kept), _joined(test)
    task = replace(rows.task, rows=len(y))
    return Rows(x=x, y=y, blocks=tuple(kept), task=task), test_x, test_y


def _joined(blocks: Sequence[Block]) -> tuple[Any, Any]:
    x = np.concatenate([block.x.T for block in blocks])
    return x, np.concatenate([block.y for block in blocks])


def main() -> int:
    """Print the figures; exit with 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--network-rows", type=int, default=133_000)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--family", action="append", choices=[*FAMILIES, "mlp"])
    chosen = arguments.parse_args()
    figures: list[Figure] = []
    with threadpool_limits(1):
        for name in chosen.family or [*FAMILIES, "mlp"]:
            if name == "mlp":
                figures += networks(chosen.network_rows)
            else:
                figures += measure(name, chosen.rows, chosen.repeats)
    title = f"{chosen.rows:,} x {synthetic.FEATURES} rows, three domains, masked"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
