"""One side of a comparison: a manifest, and what dbt says beside the contracts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fl_plugin.contracts.behind import NOTHING, Behind, read_behind, tests_by_model
from fl_plugin.errors import BuildError, MeshError
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest, Product
from fl_plugin.manifest.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Side:
    """A manifest as it was, or as it would be.

    Args:
        behind: What stands behind a product, by dbt's unique id.
        addresses: Whom to write to about a grant or study, by `<package>.<name>`.
    """

    manifest: Manifest
    behind: Mapping[str, Behind]
    addresses: Mapping[str, str]

    @property
    def products(self) -> tuple[Product, ...]:
        """Every version of every product once."""
        found = {p.unique_id: p for p in self.manifest.products.values()}
        return tuple(found[i] for i in sorted(found))

    def behind_of(self, product: Product) -> Behind:
        """Return what stands behind a product of this side."""
        return self.behind.get(product.unique_id, NOTHING)


def read_side(path: Path, vocabulary: Vocabulary | None = None) -> Side:
    """Return a manifest and what dbt says beside it.

    Args:
        path: A manifest.json, of the mesh or of one domain.
        vocabulary: The mesh's words, for the side that will decide; a base was read
            with the words of its own day and is taken as it is.

    Raises:
        BuildError: It is missing, too large or no manifest.
    """
    manifest = read_manifest(path, vocabulary)
    root = Fields(artifact(path), str(path))
    tests = tests_by_model(root)
    products = {p.unique_id for p in manifest.products.values()}
    return Side(
        manifest=manifest,
        behind={i: read_behind(root, i, tests) for i in sorted(products)},
        addresses=_addresses(root),
    )


def artifact(path: Path) -> Mapping[str, Any]:
    """Return a manifest that `read_manifest` has accepted, as dbt wrote it.

    Raises:
        BuildError: It has changed since.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BuildError(
            f"{path} changed while it was read.", remedy="Run the command again."
        )
    return found


def _addresses(root: Fields) -> dict[str, str]:
    found = {}
    exposures = root.block("exposures")
    for unique_id in exposures.value:
        try:
            exposure = exposures.block(unique_id)
            name = f"{exposure.text('package_name')}.{exposure.text('name')}"
            found[name] = exposure.block("owner").text("email")
        except MeshError:  # the manifest's own reader has it among its problems
            continue
    return found
