"""Contracts for other tools: read from each domain's own manifest, written as files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fl_plugin.contracts.checks import Check, checks_of
from fl_plugin.contracts.odcs import odcs_contract
from fl_plugin.contracts.yaml_text import yaml_text
from fl_plugin.errors import BuildError, MeshError, StorageError, UsageError
from fl_plugin.files import whole
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest, Product
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.policy.node import load_node

SUFFIX = ".odcs.yaml"


@dataclass(frozen=True)
class Exported:
    """Every contract of a mesh as a document, by the name of its file.

    `problems` holds what is not a valid contract, by its name in the manifest, and
    domains that are not built.
    """

    documents: Mapping[str, Mapping[str, Any]]
    problems: Mapping[str, MeshError]


@dataclass(frozen=True)
class Exports:
    """The contracts of the mesh in `root`, for other tools."""

    root: Path

    def odcs(self, product: str) -> dict[str, Any]:
        """Return a product's contract in the Open Data Contract Standard.

        Args:
            product: `<domain>.<model>`, or `<domain>.<model>.v<N>` for one version.

        Raises:
            UsageError: There is no such product.
            ContractError: Its contract is not valid.
            BuildError: Its domain is not built.
        """
        folder = domain_folder(self.root, product.partition(".")[0])
        manifest = _manifest(folder)
        if product in manifest.problems:
            raise manifest.problems[product]
        if product not in manifest.products:
            known = ", ".join(sorted(manifest.products)) or "none"
            raise UsageError(
                f"{folder.name} has no product {product!r}.",
                remedy=f"It has: {known}.",
            )
        return _document(folder, manifest.products[product], _checks(folder))

    def all_odcs(self) -> Exported:
        """Return every version of every product, and what cannot be exported."""
        documents: dict[str, Mapping[str, Any]] = {}
        problems: dict[str, MeshError] = {}
        for folder in domain_folders(self.root):
            try:
                manifest, checks = _manifest(folder), _checks(folder)
                for product in _versions(manifest):
                    name = file_name(product)
                    documents[name] = _document(folder, product, checks)
            except MeshError as error:
                problems[folder.name] = error
            else:
                problems |= manifest.problems
        return Exported(documents=documents, problems=problems)

    def write(self, documents: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
        """Write documents as YAML files; each appears whole or not at all.

        Raises:
            StorageError: The folder cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from None
        for name, document in documents.items():
            write_text(folder / name, yaml_text(document))


def domain_folders(root: Path) -> list[Path]:
    """Return the folders of the mesh's domains, by name."""
    return sorted(node.parent for node in (root / "domains").glob("*/node.yml"))


def domain_folder(root: Path, name: str) -> Path:
    """Return a domain's folder.

    Raises:
        UsageError: There is no such domain.
    """
    folders = {folder.name: folder for folder in domain_folders(root)}
    if name not in folders:
        raise UsageError(
            f"There is no domain {name!r}.",
            remedy=f"Domains of this mesh: {', '.join(folders) or 'none'}.",
        )
    return folders[name]


def file_name(product: Product) -> str:
    """Return the name of a version's file; its parts are checked words."""
    version = f".v{product.version}" if product.version is not None else ""
    return f"{product.name}{version}{SUFFIX}"


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears whole or not at all.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        with whole(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path.name} could not be written ({error.strerror}).",
        remedy="Name a file or folder that exists on this machine and can be written.",
    )


def _manifest(folder: Path) -> Manifest:
    return read_manifest(_path(folder), load_vocabulary(folder.parent.parent))


def _path(folder: Path) -> Path:
    return folder / "target" / "manifest.json"


def _checks(folder: Path) -> dict[str, tuple[Check, ...]]:
    """Return the tests; called where the manifest was found to be one."""
    try:
        nodes = json.loads(_path(folder).read_bytes())["nodes"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise BuildError(
            f"The manifest of {folder.name} changed while it was read.",
            remedy="Wait for its build to end, then run the command again.",
        ) from None
    return checks_of(nodes)


def _versions(manifest: Manifest) -> Iterator[Product]:
    seen: set[str] = set()
    for product in manifest.products.values():
        if product.unique_id not in seen:
            seen.add(product.unique_id)
            yield product


def _document(
    folder: Path, product: Product, checks: Mapping[str, Sequence[Check]]
) -> dict[str, Any]:
    database = f"domains/{folder.name}/{load_node(folder).database}"
    return odcs_contract(product, checks.get(product.unique_id, ()), database=database)
