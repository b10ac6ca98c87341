"""A run that is killed at any moment ends, resumed, with the same model, paid for once.

docs/operating.md says what happens at each moment. Here the coordinator and all domains
are one process; `test_nodes.py` kills the nodes alone.
"""

import random
import shutil
import signal
from dataclasses import replace

import pytest

from tests.faults.crashing import (
    AGAIN,
    MOMENTS,
    SPENDS,
    Kill,
    counted,
    outcome,
    trained,
)
from tests.made_mesh import make_mesh
from tests.small_mesh import small

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
KILLED = -signal.SIGKILL
LEAST_MOMENTS, RANDOM_KILLS, SECOND_KILLS = 40, 200, 50
SIDES = [(name, after) for name in MOMENTS for after in (False, True)]
RECOVERS = {"privacy": {"on_dropout": "recover"}}
PRIVATE = {
    "algorithm": {"name": "private_logistic_regression"},
    "privacy": {"epsilon": 1.0, "evaluation": 0.1},
}
DP = {"epsilon": 2.0, "delta": 1e-6, "period_days": 90}
NOISED = {**SPENDS, **{n: MOMENTS[n] for n in ("commit", "mask an answer")}}


class Meshes:
    """Copies of one mesh, and what an undisturbed run over it gives."""

    def __init__(self, folder, made):
        self.folder = folder
        self.original = make_mesh(folder / "original", made)
        self.number = 0
        undisturbed = self.copy()
        self.calls = counted(undisturbed)
        self.expected = outcome(undisturbed)

    def copy(self):
        self.number += 1
        return shutil.copytree(self.original, self.folder / str(self.number))

    def survives(self, *kills):
        """Kill a run so often, then let it end."""
        root = self.copy()
        for kill in kills:
            assert trained(root, kill) in {KILLED, 0}, kill
        assert trained(root) == 0
        assert outcome(root) == self.expected, kills
        shutil.rmtree(root)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return Meshes(tmp_path_factory.mktemp("plain"), small(DOMAINS))


@pytest.fixture(scope="module")
def recovering(tmp_path_factory):
    """Shares of keys are drawn and sent, not keys alone."""
    made = small(("ash", "birch", "cedar", "dogwood"), study=RECOVERS)
    return Meshes(tmp_path_factory.mktemp("recovering"), made)


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    made = replace(
        small(DOMAINS, rows=400, study=PRIVATE),
        product={"dp": DP},
        columns={c: {"bounds": [-4.0, 4.0]} for c in "ab"},
        epsilon=1.0,
    )
    return Meshes(tmp_path_factory.mktemp("private"), made)


def test_there_are_enough_moments():
    assert len(SIDES) >= LEAST_MOMENTS


@pytest.mark.parametrize(("name", "after"), SIDES)
def test_a_kill_at_a_moment(plain, name, after):
    calls = plain.calls[name]
    root = plain.copy()
    kill = Kill(target=MOMENTS[name], after=after, time=(calls + 1) // 2)
    assert trained(root, kill) == KILLED
    assert trained(root) == 0
    assert outcome(root) == plain.expected
    for time in {1, calls} - {kill.time}:
        plain.survives(Kill(target=MOMENTS[name], after=after, time=time))


def test_kills_at_random_times(plain, figure):
    dice = random.Random(6)  # noqa: S311
    for _ in range(RANDOM_KILLS):
        plain.survives(Kill(seconds=dice.uniform(0.0, 1.0)))
    figure("kills at random times, each resumed to the same bytes", RANDOM_KILLS)


def test_second_kills_while_a_run_is_taken_up(plain, figure):
    dice = random.Random(7)  # noqa: S311
    again = sorted({**AGAIN, **MOMENTS})
    for _ in range(SECOND_KILLS):
        first = Kill(target=MOMENTS["send messages"], time=dice.randint(3, 15))
        name = dice.choice(again)
        target = {**AGAIN, **MOMENTS}[name]
        second = Kill(target=target, after=dice.random() < 0.5, time=dice.randint(1, 9))
        plain.survives(first, second)
    figure("second kills, each resumed to the same bytes", SECOND_KILLS)


@pytest.mark.parametrize(
    "name", ["make keys, or take shares", "mask an answer", "put an answer on record"]
)
def test_masks_with_shares_come_out_the_same(recovering, name):
    calls = recovering.calls[name]
    for time in sorted({1, calls // 3, calls // 2, calls}):
        recovering.survives(Kill(target=MOMENTS[name], after=True, time=time))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", NOISED)
def test_noise_comes_out_the_same_and_is_paid_for_once(private, name, after):
    assert private.expected["spent"] == dict.fromkeys(DOMAINS, 1.0)
    calls = private.calls[name]
    for time in sorted({1, (calls + 1) // 2, calls}):
        private.survives(Kill(target=NOISED[name], after=after, time=time))
