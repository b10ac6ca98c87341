"""How much is tried, and the mesh on which most of it is.

A sample by default: `pytest tests/faults --long --seed 7` tries all that is promised,
with fresh seeds.
"""

import shutil
from pathlib import Path

import pytest

from fl_plugin import Mesh
from fl_plugin.registry.run_record import RunRecord
from tests.faults.extent import FIXED_SEED, Extent, extent_of
from tests.made_mesh import STUDY, make_mesh
from tests.small_mesh import THREE, small


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the whole of it be asked for, where this folder or a file of it is named."""
    parser.addoption("--long", action="store_true", help="all that is promised")
    parser.addoption("--seed", type=int, default=FIXED_SEED, help="of all dice")


@pytest.fixture(scope="session")
def extent(request: pytest.FixtureRequest) -> Extent:
    """Return how much is tried."""
    return extent_of(request.config)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mesh of three domains in which nothing has run; tests have copies of it."""
    return make_mesh(tmp_path_factory.mktemp("original"), small(THREE))


@pytest.fixture(scope="session")
def trained(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same mesh after one run that nobody has disturbed."""
    root = shutil.copytree(original, tmp_path_factory.mktemp("trained") / "mesh")
    Mesh.open(root).train(STUDY)
    return root


@pytest.fixture(scope="session")
def expected(trained: Path) -> RunRecord:
    """What that run has given."""
    return Mesh.open(trained).model(STUDY).run


@pytest.fixture
def root(original: Path, tmp_path: Path) -> Path:
    """The mesh's folder, for one test alone."""
    return shutil.copytree(original, tmp_path / "mesh")


@pytest.fixture
def mesh(root: Path) -> Mesh:
    """The mesh, for one test alone."""
    return Mesh.open(root)
