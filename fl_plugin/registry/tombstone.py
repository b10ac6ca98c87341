"""`tombstone.json`: what stays of a model that was removed, in its version's folder.

A version's number is never used twice, and the heads of the domains' ledgers that the
run had seen stay: without them a ledger could be cut unseen.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from fl_plugin.errors import RegistryError, StorageError
from fl_plugin.files import whole
from fl_plugin.registry.digests import altered
from fl_plugin.registry.run_record import STRICT, AuditHead

TOMBSTONE = "tombstone.json"
MAX_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Tombstone:
    """What is kept.

    Args:
        reason: A sentence that names what decided.
        digests: Of the files that were removed.
        audit_heads: As the run's record had them, by domain.
        recorded: Where the removal stands in each domain's ledger.
    """

    __pydantic_config__ = STRICT
    study: str
    version: int
    run: str
    created_at: str
    removed_at: str
    reason: str
    products: tuple[str, ...]
    model_digest: str
    digests: Mapping[str, str]
    audit_heads: Mapping[str, AuditHead]
    recorded: Mapping[str, AuditHead]


def is_removed(folder: Path) -> bool:
    """Tell whether a version's folder holds a tombstone."""
    file = folder / TOMBSTONE
    return file.is_file() and not file.is_symlink()


def read_tombstone(folder: Path) -> Tombstone:
    """Return the tombstone in a version's folder.

    Raises:
        RegistryError: It is missing, or not what was written there.
    """
    file = folder / TOMBSTONE
    try:
        if file.is_symlink() or file.stat().st_size > MAX_BYTES:
            raise altered(folder, TOMBSTONE, "it is a link or too large")
        found = _adapter().validate_json(file.read_bytes())
    except (OSError, ValidationError):
        raise altered(folder, TOMBSTONE, "it is not what was written") from None
    if (found.study, f"v{found.version}") != (folder.parent.name, folder.name):
        raise altered(folder, TOMBSTONE, "it is another model's")
    return found


def write_tombstone(folder: Path, tombstone: Tombstone) -> None:
    """Write it whole; from then on the version counts as removed.

    Raises:
        StorageError: The disk refuses; the model is still there.
    """
    text = json.dumps(asdict(tombstone), sort_keys=True, indent=1) + "\n"
    try:
        with whole(folder / TOMBSTONE) as file:
            file.write(text.encode())
    except OSError as error:
        raise StorageError(
            f"{folder.parent.name}/{folder.name} in the registry cannot be written "
            f"({error.strerror}).",
            remedy="Free space or fix its permissions; the model is still there.",
        ) from None


def removed_error(folder: Path) -> RegistryError:
    """Return the error for a model that is asked for and was removed."""
    found = read_tombstone(folder)
    return RegistryError(
        f"The model of {found.study} v{found.version} was removed on "
        f"{found.removed_at[:10]}: {found.reason}",
        remedy=f"Train the study again: fl train {found.study}",
    )


@cache
def _adapter() -> TypeAdapter[Tombstone]:
    return TypeAdapter(Tombstone)
