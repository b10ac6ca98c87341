"""What dbt's manifest says of a product beside its contract: tests, SQL, lineage.

None of it is policy, so the policy's fingerprint does not know it; a test that is gone
or other SQL behind the same columns is a change all the same.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.validation import shown

MAX_ANCESTORS = 10_000
_NOT_COUNTED = frozenset({"not_null"})  # the product's `nullable` says it
_OF_TEST = ("severity", "where", "limit", "error_if", "fail_calc", "enabled")
_OF_CONSTRAINT = ("type", "expression", "columns", "to", "to_columns")


@dataclass(frozen=True, kw_only=True)
class TestRule:
    """One data test of a product.

    Args:
        what: Its kind and column, in words without values.
        column: The column alone; "" for a test of the whole product.
        settings: Digest of what it is told; of its SQL, where it has some of its own.
        hard: Whether every row counts and a failure fails the build.
        softness: Digest of severity, where, limit and what counts as an error.
    """

    what: str
    column: str
    settings: str
    hard: bool
    softness: str


@dataclass(frozen=True, kw_only=True)
class Behind:
    """What stands behind one product.

    Args:
        constraints: dbt constraints, in words, to the digest of each.
        tests: By a key that is the same in every version of the product.
        made_from: dbt's unique id of each model and seed behind it to its digest, with
            its own SQL under its own id.
        hooks: Digest of the SQL that runs before and after it; "" where none does.
    """

    constraints: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, TestRule] = field(default_factory=dict)
    made_from: Mapping[str, str] = field(default_factory=dict)
    hooks: str = ""


NOTHING = Behind()


def digest(value: Any) -> str:
    """Return a short digest of a JSON value: it compares, and shows nothing."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_behind(root: Fields, unique_id: str, tests: Mapping[str, Behind]) -> Behind:
    """Return what stands behind a model; its tests have been gathered before."""
    nodes = root.block("nodes")
    node = nodes.block(unique_id)
    hooks = [node.block("config").value.get(k) for k in ("pre-hook", "post-hook")]
    return Behind(
        constraints=dict(_constraints(node)),
        tests=tests.get(unique_id, NOTHING).tests,
        made_from=_made_from(nodes, unique_id),
        hooks=digest(hooks) if any(hooks) else "",
    )


def _constraints(node: Fields) -> Iterator[tuple[str, str]]:
    holders = [("", node), *node.blocks("columns")]
    for column, holder in holders:
        for constraint in holder.listed("constraints"):
            kind = constraint.text("type")
            if kind in _NOT_COUNTED:
                continue
            told = {key: constraint.value.get(key) for key in _OF_CONSTRAINT}
            where = f" on {shown(column)}" if column else ""
            mark = digest(told)
            yield f"{shown(kind)}{where} {mark}", mark


def _made_from(nodes: Fields, unique_id: str) -> dict[str, str]:
    """Return every model and seed above a model, itself included."""
    found: dict[str, str] = {}
    ahead = [unique_id]
    while ahead and len(found) < MAX_ANCESTORS:
        current = ahead.pop()
        if current in found:
            continue
        node = nodes.block(current) if current in nodes.value else None
        if node is None:  # a source, or a model of another manifest
            found[current] = "outside"
            continue
        sum_ = node.block("checksum").text("checksum")
        found[current] = sum_ or digest(node.value.get("raw_code"))
        ahead += node.block("depends_on").texts("nodes")
    return found


def tests_by_model(root: Fields) -> dict[str, Behind]:
    """Return each model's data tests, by dbt's unique id of the model."""
    found: dict[str, dict[str, TestRule]] = {}
    nodes = root.block("nodes")
    for unique_id in sorted(nodes.value):
        if not unique_id.startswith("test."):
            continue
        test = nodes.block(unique_id)
        about = test.block("test_metadata")
        if about.text("name") == "accepted_values":
            continue  # the column's accepted values say it
        models = [test.text("attached_node")] if test.text("attached_node") else []
        for model in models or test.block("depends_on").texts("nodes"):
            key, rule = _rule(test, about)
            found.setdefault(model, {})[key] = rule
    return {model: Behind(tests=rules) for model, rules in found.items()}


def _rule(test: Fields, about: Fields) -> tuple[str, TestRule]:
    column = test.text("column_name")
    told = {
        key: value
        for key, value in about.block("kwargs").value.items()
        if key not in {"model", "column_name"}
    }
    kind = about.text("name") or test.text("name")
    own_sql = "" if about.text("name") else test.text("raw_code")
    config = test.block("config")
    softness = {key: config.value.get(key) for key in _OF_TEST}
    hard = not (softness["where"] or softness["limit"]) and (
        str(softness["severity"] or "error").lower() != "warn"
        and softness["enabled"] is not False
    )
    what = f"{shown(kind)} on {shown(column)}" if column else shown(kind)
    settings = digest([told, own_sql])
    rule = TestRule(
        what=what,
        column=column,
        settings=settings,
        hard=hard,
        softness=digest(softness),
    )
    return f"{what} {settings}", rule
