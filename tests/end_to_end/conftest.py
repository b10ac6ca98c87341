"""A real mesh, built by dbt once per test session; each test gets a copy of its own."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = (
    "dbt_project.yml",
    "packages.yml",
    "profiles.yml",
    "selectors.yml",
    "mesh_policy.yml",
    "data/.gitignore",
    "macros",
    "models",
    "domains",
    "tests/dbt",
)
MADE = shutil.ignore_patterns("target", "logs", "ledger", "*.duckdb*")


def dbt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run dbt in a folder, as a domain's team would."""
    environment = os.environ | {
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    return subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--no-version-check", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def build(root: Path) -> None:
    """Build every domain by itself, then the catalog over them."""
    for name in PARTS:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=MADE)
        elif source.exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / name)
    steps = [(d, ("build",)) for d in sorted((root / "domains").iterdir())]
    steps += [(root, ("deps",)), (root, ("parse",))]
    for folder, words in steps:
        done = dbt(folder, *words)
        assert done.returncode == 0, f"dbt {words} in {folder.name}\n{done.stdout}"


@pytest.fixture(scope="session")
def built_mesh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mesh that dbt has built; nobody may change it."""
    # Test processes side by side share the folder above their own.
    shared = tmp_path_factory.getbasetemp().parent
    root = shared / "built_mesh"
    with (shared / "built_mesh.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "done").exists():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            build(root)
            (root / "done").touch()
    return root


@pytest.fixture
def mesh_folder(built_mesh: Path, tmp_path: Path) -> Path:
    """A copy of the built mesh, this test's to break."""
    copy = tmp_path / "mesh"
    shutil.copytree(built_mesh, copy, symlinks=True)
    return copy
