"""How often runs are killed: a sample by default, all that is promised with `--long`.

`pytest tests/faults --long --seed 7` kills with fresh seeds.
"""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True, kw_only=True)
class Kills:
    """How often, and from which seed.

    Args:
        seed: Of all dice.
        at_random: Runs that are killed at a random time.
        twice: Runs that are killed again while they are taken up.
        of_nodes: Runs in which a node is killed at a random time.
        whole: Whether each moment is killed at its first, middle and last call, and
            not at its middle one alone.
    """

    seed: int
    at_random: int = 20
    twice: int = 8
    of_nodes: int = 5
    whole: bool = False

    def times(self, calls: int) -> list[int]:
        """Return at which calls of a function, which has so many, a run is killed."""
        middle = (calls + 1) // 2
        return sorted({1, middle, calls}) if self.whole else [middle]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the whole of it be asked for, where this folder is named."""
    parser.addoption("--long", action="store_true", help="every kill, not a sample")
    parser.addoption("--seed", type=int, default=6, help="of the random kills")


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> Kills:
    """Return how often runs are killed."""
    seed = request.config.getoption("--seed", 6)
    long = request.config.getoption("--long", default=False)
    if not long:
        return Kills(seed=seed)
    return Kills(seed=seed, at_random=200, twice=50, of_nodes=50, whole=True)
