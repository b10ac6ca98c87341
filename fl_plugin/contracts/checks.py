"""The dbt data tests of each product, read from a manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fl_plugin.manifest.fields import Fields

_PLACE = ("column_name", "model")  # where a test stands, not what it asks


@dataclass(frozen=True, kw_only=True)
class Check:
    """One data test.

    Args:
        column: None where it is about the whole table.
        arguments: As the contract gives them.
        severity: "error" fails the build, "warn" does not.
        covers_all: Whether it looks at every row.
    """

    name: str
    column: str | None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    severity: str = "error"
    covers_all: bool = True


def checks_of(nodes: Mapping[str, Any]) -> dict[str, tuple[Check, ...]]:
    """Return each model's tests by its dbt unique id, in order of the tests' ids.

    Args:
        nodes: What stands under `nodes` in a manifest.

    Raises:
        BuildError: A field of a test is of the wrong kind.
    """
    found: dict[str, list[Check]] = {}
    holder = Fields(nodes, "nodes")
    for unique_id in sorted(nodes):
        if not unique_id.startswith("test."):
            continue
        node = holder.block(unique_id)
        model, about = node.text("attached_node"), node.block("test_metadata")
        if model and about.text("name"):
            found.setdefault(model, []).append(_check(node, about))
    return {model: tuple(checks) for model, checks in found.items()}


def about_column(checks: Sequence[Check], column: str) -> tuple[Check, ...]:
    """Return the tests of one column."""
    return tuple(check for check in checks if check.column == column)


def _check(node: Fields, about: Fields) -> Check:
    config = node.block("config")
    arguments = about.block("kwargs").value
    return Check(
        name=about.text("name"),
        column=node.text("column_name") or None,
        arguments={k: v for k, v in arguments.items() if k not in _PLACE},
        severity=config.text("severity").lower() or "error",
        covers_all=not (config.value.get("where") or config.value.get("limit")),
    )
