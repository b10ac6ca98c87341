"""Damaged contracts and manifests: only our own errors, soon, and nothing opened."""

import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from fl_plugin.errors import MeshError
from fl_plugin.manifest.exposures import read_grant
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.products import read_product
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Owner
from fl_plugin.manifest.vocabulary import Vocabulary, check, load_vocabulary
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.policy.decision import decide
from fl_plugin.policy.node import load_node
from tests.fuzz.built_files import DOMAIN, MODEL, small_manifest, small_yaml
from tests.fuzz.limits import SECONDS, at_most
from tests.fuzz.mutators import (
    json_bytes,
    mutant_of_bytes,
    mutant_of_tree,
    yaml_bytes,
)
from tests.fuzz.probes import NAME, base_facts, opened_by, refused
from tests.properties.random_facts import Dice

pytestmark = pytest.mark.slow

CHUNKS = 8
MANIFESTS, CONTRACTS = 9_375, 3_125  # a chunk: 75,000 and 25,000 in all
ASKED_OF_EVERY = 100  # readable manifest, one is asked the probes
MEGABYTES = 200
SEED = 20261121
Reader = Callable[[], Any]


@pytest.fixture
def folder(tmp_path) -> Iterator[Path]:
    """A folder in memory where there is one: each mutant is a file of its own."""
    memory = Path("/dev/shm")  # noqa: S108 made with a name that nobody guesses
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as name:
        yield Path(name)


@pytest.fixture
def manifest(built_mesh, folder) -> Path:
    file: Path = folder / "manifest.json"
    file.write_bytes(json_bytes(small_manifest(built_mesh, file)))
    return file


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_damaged_manifest_ends_in_our_errors_and_opens_nothing(
    chunk, manifest, built_mesh, figure
):
    file = manifest
    words = load_vocabulary(built_mesh)
    original = read_manifest(file, words)
    facts = base_facts(original.products[NAME], tuple(original.grants.values()))
    assert decide(facts).complete
    assert not any(decide(probe).allowed for probe in refused(facts))
    dice, content = Dice(SEED + chunk), file.read_bytes()
    worst, asked = Worst(), 0
    for number in range(MANIFESTS):
        damaged = (
            mutant_of_bytes(content, dice)
            if number % 4 == 0
            else json_bytes(mutant_of_tree(content, dice))
        )
        file.write_bytes(damaged)
        found = worst.timed(lambda: read_manifest(file, words), damaged)
        if found is not None and worst.read % ASKED_OF_EVERY == 0:
            asked += 1
            assert opened_by(facts, found) == [], damaged[:2000]
    assert worst.megabytes() < MEGABYTES
    worst.tell(figure, MANIFESTS)
    figure("mutants asked 40 refused requests, none allowed", asked)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_damaged_contract_ends_in_our_errors(chunk, built_mesh, folder, figure):
    built = small_yaml(built_mesh)
    home = folder / "domains" / DOMAIN
    home.mkdir(parents=True)
    files = {
        "node": home / "node.yml",
        "permissions": home / "permissions.yml",
        "principals": folder / "principals.yml",
        "mesh_policy": folder / "mesh_policy.yml",
        "contract": home / "contract.yml",
        "grant": home / "grant.yml",
    }
    whole = {name: yaml_bytes(tree) for name, tree in built.items()}
    trees = {name: json_bytes(tree) for name, tree in built.items()}
    for name, file in files.items():
        file.write_bytes(whole[name])
    readers: dict[str, Reader] = {
        "contract": lambda: contract_in(files["contract"], built_mesh),
        "grant": lambda: grant_in(files["grant"]),
        "mesh_policy": lambda: load_vocabulary(folder),
    }
    dice, worst = Dice(SEED - 1 - chunk), Worst()
    kinds = ("contract",) * 4 + ("grant",) * 2 + tuple(files)[:4]
    for number in range(CONTRACTS):
        kind = kinds[number % len(kinds)]
        damaged = (
            mutant_of_bytes(whole[kind], dice)
            if number % 3 == 0
            else yaml_bytes(mutant_of_tree(trees[kind], dice))
        )
        files[kind].write_bytes(damaged)
        worst.timed(readers.get(kind, lambda: load_node(home)), damaged)
        files[kind].write_bytes(whole[kind])
    assert worst.megabytes() < MEGABYTES
    worst.tell(figure, CONTRACTS)


def contract_in(file: Path, mesh: Path) -> None:
    """Read a contract as YAML has it, as dbt would hand it on."""
    for model in listed(read_yaml(file).get("models")):
        node = {
            "package_name": DOMAIN,
            "group": "x",
            "unique_id": MODEL,
            **model,
            "columns": {c.get("name", ""): c for c in listed(model.get("columns"))},
        }
        owners = {f"group.{DOMAIN}.x": Owner(name="x")}
        check(read_product(Fields(node, "node"), owners, {}), vocabulary_of(mesh))


def grant_in(file: Path) -> None:
    for exposure in listed(read_yaml(file).get("exposures")):
        node = {**exposure, "package_name": DOMAIN, "depends_on": {"nodes": [MODEL]}}
        read_grant(Fields(node, "exposure"), {MODEL: NAME})


def listed(found: Any) -> list[dict[str, Any]]:
    """Return the mappings of a list: dbt has refused anything else before."""
    entries = found if isinstance(found, list) else []
    return [
        entry
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("name", ""), str)
    ]


_VOCABULARIES: dict[Path, Vocabulary] = {}


def vocabulary_of(mesh: Path) -> Vocabulary:
    return _VOCABULARIES.setdefault(mesh, load_vocabulary(mesh))


class Worst:
    """The slowest mutant, and how much memory all of them took at most."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.read = 0
        self._before = forget_peak()

    def timed(self, read: Reader, damaged: bytes) -> Any:
        """Return what was read; None where it was refused."""
        start = time.process_time()
        try:
            with at_most(SECONDS):
                found = read()
        except MeshError:
            found = None
        except BaseException as error:
            pytest.fail(f"{type(error).__name__} {error}: {damaged[:3000]!r}")
        else:
            self.read += 1
        self.seconds = max(self.seconds, time.process_time() - start)
        return found

    def megabytes(self) -> float:
        return (peak_kilobytes() - self._before) / 1024

    def tell(self, figure: Callable[..., None], mutants: int) -> None:
        figure("mutants of contracts and manifests, only our own errors", mutants)
        figure("mutants still readable", self.read)
        figure("mutants: the slowest", self.seconds, "CPU s", how="worst")
        figure("mutants: the most memory", self.megabytes(), "MB", how="worst")


def forget_peak() -> int:
    """Let Linux measure the peak from now on; return what is held now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_kilobytes()


def peak_kilobytes() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(t for t in status.read_text().splitlines() if t.startswith("VmHWM"))
    return int(line.split()[1])
