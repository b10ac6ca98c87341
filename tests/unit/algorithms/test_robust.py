"""Robust means: what they give, and that a few hostile parties cannot spoil them."""

from dataclasses import dataclass

import numpy as np
import pytest

from fl_plugin.algorithms.base import Block, Target, Worker, solve
from fl_plugin.algorithms.mlp_fedavg import MLPFedAvg
from fl_plugin.algorithms.neural import robust
from fl_plugin.errors import MessageError, TrainingError
from tests.federated import fit_over, task_over
from tests.unlike import pooled, unlike

PARTS = np.array([[0.0, 9.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [99.0, 4.0]])


def test_a_trimmed_mean_leaves_out_the_ends_of_every_coordinate():
    np.testing.assert_allclose(robust.trimmed_mean(PARTS, 1), [2.0, 3.0])
    np.testing.assert_allclose(robust.trimmed_mean(PARTS, 0), PARTS.mean(axis=0))


def test_a_median_is_taken_in_every_coordinate():
    np.testing.assert_allclose(robust.median(PARTS, 1), [2.0, 3.0])


def test_krum_picks_the_part_among_the_others():
    np.testing.assert_allclose(robust.krum(PARTS, 1), [2.0, 2.0])


def test_krum_ignores_hostile_parts_that_lie_together():
    together = np.concatenate(
        [np.random.default_rng(0).normal(size=(7, 3)), [[50] * 3] * 2]
    )
    assert np.abs(robust.krum(together, 2)).max() < 10


@pytest.mark.parametrize(
    ("rule", "parties", "enough"),
    [("krum", 4, False), ("krum", 5, True), ("median", 2, False), ("median", 3, True)],
)
def test_too_few_parties_for_so_many_hostile_ones_are_refused(rule, parties, enough):
    parts = [{"update": np.ones(2), "rows": np.array([3])}] * parties
    if enough:
        np.testing.assert_allclose(robust.combined(parts, rule, 1)["update"], 1 / 3)
    else:
        with pytest.raises(TrainingError, match="hostile"):
            robust.combined(parts, rule, 1)


@pytest.mark.parametrize(
    "bad",
    [
        {"update": np.array([1.0, np.nan]), "rows": np.array([3])},
        {"update": np.array([1.0, np.inf]), "rows": np.array([3])},
        {"update": np.ones(3), "rows": np.array([3])},
        {"update": np.ones(2), "rows": np.array([0])},
        {"update": np.ones(2), "rows": np.array([-5])},
        {"rows": np.array([3])},
    ],
)
def test_a_poisoned_part_is_refused(bad):
    good = {"update": np.ones(2), "rows": np.array([3])}
    with pytest.raises(MessageError, match="robust mean"):
        robust.combined([good] * 4 + [bad], "median", 1)


@dataclass(frozen=True)
class Hostile(Worker):
    """A worker whose changes are multiplied before they are sent."""

    worker: Worker
    factor: float

    def answer(self, question):
        part = self.worker.answer(question)
        return {**part, "update": self.factor * part["update"]}


def attacked(aggregation, attack):
    """Return the accuracy over honest rows, with the last of five parties hostile."""
    blocks = unlike(sizes=(400,) * 5, width=6, classes=3, seed=4)
    target = Target(kind="multiclass", classes=(0, 1, 2))
    task = task_over(blocks, target, seed=1)
    algorithm = MLPFedAvg(
        hidden_units=8, max_rounds=15, aggregation=aggregation, clip=1e5
    )
    held = list(blocks)
    if attack == "flip":
        held[-1] = Block(blocks[-1].x, (blocks[-1].y + 1) % 3, blocks[-1].hashes)
    workers = [algorithm.worker(task, block) for block in held]
    factor = {"scale": 1e3, "sign": -5.0}.get(attack, 1.0)
    workers[-1] = Hostile(workers[-1], factor)
    fitted = solve(
        algorithm,
        task,
        lambda question, _: algorithm.combine([w.answer(question) for w in workers]),
    )
    x, y = pooled(blocks[:-1])
    return float((algorithm.estimator(fitted.model, task).predict(x) == y).mean())


# Of accuracy, with one hostile party of five. Krum, which learns from one party a
# round, loses 0.04 under each attack; the others lose nothing.
LOSS = 0.05


@pytest.fixture(scope="module")
def honest():
    return attacked("mean", None)


@pytest.mark.parametrize("aggregation", ["trimmed_mean", "median", "krum"])
@pytest.mark.parametrize("attack", ["flip", "scale", "sign"])
def test_one_hostile_party_of_five_costs_little(honest, aggregation, attack):
    assert attacked(aggregation, attack) >= honest - LOSS


@pytest.mark.parametrize("attack", ["scale", "sign"])
def test_a_mean_that_nothing_clips_is_spoiled_by_one_party(honest, attack):
    try:
        left = attacked("mean", attack)
    except TrainingError:  # it ran off to infinity
        left = 0.0
    assert left < honest - 4 * LOSS


def test_a_robust_mean_must_see_each_part_and_a_mean_need_not():
    assert MLPFedAvg().sees == "sum"
    assert MLPFedAvg(aggregation="median").sees == "each"


def test_it_runs_from_end_to_end():
    blocks = unlike(sizes=(60,) * 5)
    algorithm = MLPFedAvg(aggregation="krum", max_rounds=2)
    assert fit_over(algorithm, task_over(blocks), blocks).rounds == 2
