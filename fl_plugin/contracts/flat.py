"""A product as flat facts: a path such as contract, dp, epsilon, and its value.

Nothing is left out, so that a word that a later release adds to contracts is compared
before any family of changes knows it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel

from fl_plugin.contracts.behind import Behind
from fl_plugin.manifest.types import Product

Path = tuple[str, ...]
FORMAT = 1
# What is not policy: read by people, or looked at by whoever reviews the SQL.
_UNAPPROVED = frozenset({"description", "made_from", "hooks", "tags"})

_POLICY = frozenset(
    {
        "access",
        "contract",
        "contract_enforced",
        "deprecation_date",
        "key",
        "name",
        "policy",
        "version",
    }
)


def flatten(product: Product, behind: Behind) -> dict[Path, str]:
    """Return every fact about a product, as canonical JSON by path."""
    return dict(_facts(product, ())) | dict(_facts(behind, ("dbt",)))


def differences(base: Mapping[Path, str], head: Mapping[Path, str]) -> list[Path]:
    """Return the paths at which two products differ, in order."""
    return sorted(p for p in base.keys() | head.keys() if base.get(p) != head.get(p))


def is_below(path: Path, above: Path) -> bool:
    """Return whether a path is another one or stands under it."""
    return path[: len(above)] == above


def is_policy(path: Path) -> bool:
    """Return whether the policy's fingerprint covers it, so that grants stop."""
    if path[0] == "columns":
        return path[2:3] != ("description",)
    return path[0] in _POLICY or path == ("owner", "stewards")


def state_digest(product: Product, behind: Behind) -> str:
    """Return "sha256:" and the digest of everything that could be loosened.

    It knows more than the policy's fingerprint (tests, relation, owner) and less than
    the manifest: a description or other SQL does not end an approval.
    """
    facts = {
        "/".join(path): value
        for path, value in flatten(product, behind).items()
        if not _is_unapproved(path)
    }
    text = json.dumps({"format": FORMAT, "facts": facts}, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _is_unapproved(path: Path) -> bool:
    if path[0] == "dbt":
        return path[1] in _UNAPPROVED
    # A column may be called "description": only its own field of that name is meant.
    name = path[2] if path[0] == "columns" else path[0]
    return name in _UNAPPROVED


def _facts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    below = _below(value)
    if below is None:
        yield path, json.dumps(_plain(value), sort_keys=True, ensure_ascii=True)
        return
    for name, entry in below.items():
        yield from _facts(entry, (*path, str(name)))


def _below(value: Any) -> Mapping[Any, Any] | None:
    """Return what has names; a block's words at their default count as absent."""
    if isinstance(value, BaseModel):
        dumped: dict[str, Any] = value.model_dump(mode="json", exclude_defaults=True)
        return dumped
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    return value if isinstance(value, Mapping) else None


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
