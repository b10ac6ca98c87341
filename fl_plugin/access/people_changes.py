"""What differs between two lists of principals, one line for each entry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fl_plugin.policy.principals import Principals

_KINDS = {
    "roles": "role",
    "consumers": "consumer",
    "people": "person",
    "domains": "domain",
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One entry that was added (`before` is empty), removed, or changed."""

    what: str
    name: str
    before: str
    after: str


def changes(old: Principals, new: Principals) -> tuple[Change, ...]:
    """Return every entry that differs, in order of kind and name."""
    before, after = _entries(old), _entries(new)
    names = sorted({*before, *after})
    return tuple(
        Change(
            what=what,
            name=name,
            before=before.get((what, name), ""),
            after=after.get((what, name), ""),
        )
        for what, name in names
        if before.get((what, name)) != after.get((what, name))
    )


def _entries(principals: Principals) -> dict[tuple[str, str], str]:
    """Return each entry by kind and name, as text that differs where it does."""
    said = principals.model_dump(mode="json", exclude_defaults=True)
    found = {
        (kind, name): _text(entry)
        for word, kind in _KINDS.items()
        for name, entry in said.get(word, {}).items()
    }
    for permission in said.get("tag_permissions") or ():
        found["tag permission", permission["name"]] = _text(permission)
    return found


def _text(entry: Any) -> str:
    """Return an entry on one line: `attributes org_unit ml_coe; roles analyst`."""
    if isinstance(entry, Mapping):
        parts = [f"{k} {_text(v)}" for k, v in entry.items() if k != "name"]
        return "; ".join(parts) or "nothing"
    if isinstance(entry, list):
        return ", ".join(_text(e) for e in entry)
    return entry if isinstance(entry, str) else json.dumps(entry)
