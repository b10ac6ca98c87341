"""A run that is killed at any moment ends, resumed, with the same model, paid for once.

docs/operating.md says what happens at each moment. Here the coordinator and all domains
are one process; `test_nodes.py` kills the nodes alone. `conftest.py` says how often.
"""

import shutil
import signal
import time
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
from tests.small_mesh import THREE, small

pytestmark = pytest.mark.slow
KILLED = -signal.SIGKILL
LEAST_MOMENTS = 40
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
        begun = time.monotonic()
        trained(self.copy())
        self.seconds = time.monotonic() - begun

    def copy(self):
        self.number += 1
        return shutil.copytree(self.original, self.folder / str(self.number))

    def after(self, *kills, hits=False):
        """Return what comes of a run that is killed so often, and then ends.

        Args:
            kills: Each of another process that goes on with it.
            hits: Whether none of them may come too late.
        """
        root = self.copy()
        for kill in kills:
            assert trained(root, kill) in ({KILLED} if hits else {KILLED, 0}), kill
        assert trained(root) == 0, kills
        found = outcome(root)
        shutil.rmtree(root)
        return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return Meshes(tmp_path_factory.mktemp("plain"), small(THREE))


@pytest.fixture(scope="module")
def recovering(tmp_path_factory):
    """Shares of keys are drawn and sent, not keys alone."""
    made = small(("ash", "birch", "cedar", "dogwood"), study=RECOVERS)
    return Meshes(tmp_path_factory.mktemp("recovering"), made)


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    made = replace(
        small(THREE, rows=400, study=PRIVATE),
        product={"dp": DP},
        columns={c: {"bounds": [-4.0, 4.0]} for c in "ab"},
        epsilon=1.0,
    )
    return Meshes(tmp_path_factory.mktemp("private"), made)


def test_there_are_enough_moments():
    assert 2 * len(MOMENTS) >= LEAST_MOMENTS  # before each and after it


@pytest.mark.parametrize("name", MOMENTS)
def test_a_kill_at_a_moment(plain, name, extent, figure):
    places = [
        (a, c) for a in extent.sides(name) for c in extent.times(plain.calls[name])
    ]
    for after, call in places:
        kill = Kill(target=MOMENTS[name], after=after, time=call)
        assert plain.after(kill, hits=True) == plain.expected
    figure("kills at a named moment, each resumed to the same bytes", len(places))


def test_kills_at_random_times(plain, figure, extent):
    dice = extent.dice("at random")
    for _ in range(extent.at_random):
        kill = Kill(seconds=dice.uniform(0.0, plain.seconds))
        assert plain.after(kill) == plain.expected
    figure("kills at random times, each resumed to the same bytes", extent.at_random)


def test_second_kills_while_a_run_is_taken_up(plain, figure, extent):
    dice = extent.dice("twice")
    again = {**AGAIN, **MOMENTS}
    for _ in range(extent.twice):
        first = Kill(target=MOMENTS["send messages"], time=dice.randint(3, 15))
        target = again[dice.choice(sorted(again))]
        second = Kill(target=target, after=dice.random() < 0.5, time=dice.randint(1, 9))
        assert plain.after(first, second) == plain.expected
    figure("second kills, each resumed to the same bytes", extent.twice)


@pytest.mark.parametrize(
    "name", ["make keys, or take shares", "mask an answer", "put an answer on record"]
)
def test_masks_with_shares_come_out_the_same(recovering, name, extent):
    for call in extent.times(recovering.calls[name]):
        kill = Kill(target=MOMENTS[name], after=True, time=call)
        assert recovering.after(kill) == recovering.expected


@pytest.mark.parametrize("name", NOISED)
def test_noise_comes_out_the_same_and_is_paid_for_once(private, name, extent):
    assert private.expected["spent"] == dict.fromkeys(THREE, 1.0)
    for after in extent.sides(f"noise {name}"):
        for call in extent.times(private.calls[name]):
            kill = Kill(target=NOISED[name], after=after, time=call)
            assert private.after(kill) == private.expected
