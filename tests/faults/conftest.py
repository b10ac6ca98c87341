"""How much is tried: a sample by default, all that is promised with `--long`.

`pytest tests/faults --long --seed 7` tries all of it, with fresh seeds.
"""

import pytest

from tests.faults.extent import FIXED_SEED, Extent, extent_of


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the whole of it be asked for, where this folder or a file of it is named."""
    parser.addoption("--long", action="store_true", help="all that is promised")
    parser.addoption("--seed", type=int, default=FIXED_SEED, help="of all dice")


@pytest.fixture(scope="session")
def extent(request: pytest.FixtureRequest) -> Extent:
    """Return how much is tried."""
    return extent_of(request.config)
