"""Reads manifest.json: the few fields that are needed, whatever else dbt writes.

A broken product, grant or study does not hide the others: it goes to `problems`, and
what is not there is refused later on. Works for schema v12 as dbt 1.11 and 1.12 write
it; dbt's own reader of 1.11 cannot read the manifest of 1.12.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from fl_plugin.errors import BuildError, ContractError, MeshError, StorageError
from fl_plugin.manifest.exposures import (
    exposure_kind,
    name_in,
    read_grant,
    read_study,
)
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.products import (
    accepted_values,
    read_owner,
    read_product,
    unknown_block,
)
from fl_plugin.manifest.types import Grant, Manifest, Owner, Product, Study
from fl_plugin.manifest.validation import shown
from fl_plugin.manifest.vocabulary import Vocabulary, check

MAX_BYTES = 200 * 1024 * 1024
# A party reads its manifest at every release, and most of that was parsing: what was
# read is kept by the digest of its bytes, so that an edit still counts at once.
MOST_KEPT = 16
_KEPT: dict[tuple[str, str, str], Manifest] = {}
_KEPT_LOCK = threading.Lock()
P = ParamSpec("P")
Found = TypeVar("Found")


@dataclass(frozen=True)
class _Reading:
    """What has been found so far; grows while one manifest is read."""

    root: Fields
    project: str
    vocabulary: Vocabulary | None
    problems: dict[str, MeshError] = field(default_factory=dict)

    def attempt(
        self, name: str, read: Callable[P, Found], *args: P.args, **words: P.kwargs
    ) -> Found | None:
        """Return what `read` returns; None, and a problem by this name, if it fails."""
        try:
            return read(*args, **words)
        except MeshError as error:
            self.problems[name] = error
            return None


def read_manifest(path: Path, vocabulary: Vocabulary | None = None) -> Manifest:
    """Return what a manifest says of products, grants and studies.

    Args:
        path: `<project>/target/manifest.json`.
        vocabulary: The mesh's words; with it, a product that uses another word or
            goes below a floor is a problem and no product. Whoever decides by this
            manifest gives it.

    Raises:
        BuildError: The file is missing, too large, not JSON or not a manifest.
        StorageError: It cannot be read.
    """
    content = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    words = vocabulary.model_dump_json() if vocabulary else ""
    key = (str(path), digest, words)
    with _KEPT_LOCK:
        found = _KEPT.get(key)
    if found is None:
        found = _read(path, content, digest, vocabulary)
        with _KEPT_LOCK:
            _KEPT[key] = found
            while len(_KEPT) > MOST_KEPT:
                del _KEPT[next(iter(_KEPT))]
    return found


def _read(
    path: Path, content: bytes, digest: str, vocabulary: Vocabulary | None
) -> Manifest:
    root = Fields(_parsed(path, content), str(path))
    about = root.block("metadata")
    reading = _Reading(root, about.text("project_name"), vocabulary)
    products = _products(reading)
    grants, studies = _exposures(reading)
    return Manifest(
        project=reading.project,
        fingerprint=f"sha256:{digest}",
        generated_at=_instant(path, about.text("generated_at")),
        dbt_version=about.text("dbt_version"),
        products=products,
        grants=grants,
        studies=studies,
        problems=reading.problems,
        domains=tuple(sorted({p.domain for p in products.values()})),
    )


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise BuildError(f"{path} does not exist.", remedy=_build(path))
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be read ({error.strerror}).",
            remedy="Give this user the right to read it, or check its disk.",
        ) from None
    if len(content) > MAX_BYTES:
        raise BuildError(
            f"{path} is larger than {MAX_BYTES // 1024**2} MB.", remedy=_build(path)
        )
    return content


def _parsed(path: Path, content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BuildError(f"{path} is not valid JSON.", remedy=_build(path)) from None
    wanted = ("metadata", "nodes", "groups", "exposures")
    if not isinstance(found, dict) or any(
        not isinstance(found.get(key), dict) for key in wanted
    ):
        raise BuildError(f"{path} is not a dbt manifest.", remedy=_build(path))
    return found


def _no_number(text: str) -> float:
    raise ValueError(text)


def _build(path: Path) -> str:
    return f"Build the project: cd {path.absolute().parent.parent} && dbt build"


def _instant(path: Path, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BuildError(
            f"{path} does not say when it was written.", remedy=_build(path)
        ) from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _below(reading: _Reading, key: str) -> Iterator[tuple[str, Fields]]:
    """Yield what stands under a key, in order of id: dbt's own order varies."""
    below = reading.root.block(key)
    for unique_id in sorted(below.value):
        name = shown(unique_id)
        node = reading.attempt(name, below.block, unique_id)
        if node is not None:
            yield unique_id, Fields(node.value, name)


def _products(reading: _Reading) -> dict[str, Product]:
    nodes = dict(_below(reading, "nodes"))
    tests = {i: node for i, node in nodes.items() if i.startswith("test.")}
    accepted = reading.attempt("accepted_values", accepted_values, tests) or {}
    owners = _owners(reading)
    found: dict[str, Product] = {}
    for unique_id, node in nodes.items():
        if not unique_id.startswith("model."):
            continue
        name = unique_id.removeprefix("model.")
        words = reading.vocabulary
        product = reading.attempt(name, _product, node, owners, accepted, words)
        found |= _keyed(product) if product else {}
        if name in reading.problems and _is_latest(node):
            # A study names the product, not its version.
            reading.problems[name_in(unique_id)] = reading.problems[name]
    return dict(sorted(found.items()))


def _is_latest(node: Fields) -> bool:
    return node.value.get("version") == node.value.get("latest_version")


def _product(
    node: Fields,
    owners: Mapping[str, Owner],
    accepted: Mapping[tuple[str, str], tuple[str, ...]],
    vocabulary: Vocabulary | None,
) -> Product | None:
    if node.mesh() is None:
        return None
    problem = unknown_block(node)
    if problem is not None:
        raise problem
    product = read_product(node, owners, accepted)
    if vocabulary is not None:
        check(product, vocabulary)
    return product


def _keyed(product: Product) -> dict[str, Product]:
    keys = {}
    if product.version is None or product.version == product.latest_version:
        keys[product.name] = product
    if product.version is not None:
        keys[f"{product.name}.v{product.version}"] = product
    return keys


def _owners(reading: _Reading) -> dict[str, Owner]:
    found = {}
    for unique_id, group in _below(reading, "groups"):
        owner = reading.attempt(unique_id, read_owner, group)
        if owner is not None:
            found[unique_id] = owner
    return found


def _exposures(reading: _Reading) -> tuple[dict[str, Grant], dict[str, Study]]:
    models = _models(reading)
    grants: dict[str, Grant] = {}
    studies: dict[str, Study] = {}
    for unique_id, exposure in _below(reading, "exposures"):
        name = unique_id.removeprefix("exposure.")
        read = reading.attempt(name, _exposure, exposure, models)
        if isinstance(read, Grant):
            grants[f"{read.domain}.{read.name}"] = read
        elif isinstance(read, Study):
            package = exposure.text("package_name")
            own = package == reading.project
            studies[read.name if own else f"{package}.{read.name}"] = read
    return grants, studies


def _exposure(exposure: Fields, models: Mapping[str, str]) -> Grant | Study | None:
    kind = exposure_kind(exposure)
    if kind == "grant":
        return read_grant(exposure, models)
    return read_study(exposure, models) if kind == "study" else None


def _models(reading: _Reading) -> dict[str, str]:
    found = {}
    for unique_id, node in _below(reading, "nodes"):
        name = node.value.get("name")
        if unique_id.startswith("model.") and isinstance(name, str):
            found[unique_id] = f"{node.value.get('package_name')}.{name}"
    return found


def contract_problems(manifest: Manifest, vocabulary: Vocabulary) -> list[MeshError]:
    """Return everything wrong with the contracts of a manifest, in order of name."""
    found: list[MeshError] = []
    for _, problem in sorted(manifest.problems.items()):
        # The latest version's problem stands there under two names.
        if problem not in found:
            found.append(problem)
    seen: set[str] = set()
    for product in manifest.products.values():
        if product.unique_id in seen:
            continue
        seen.add(product.unique_id)
        try:
            check(product, vocabulary)
        except ContractError as error:
            found.append(error)
    return found
