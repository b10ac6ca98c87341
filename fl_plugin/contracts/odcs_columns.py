"""A product's columns in the words of the Open Data Contract Standard."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fl_plugin.contracts.checks import Check, about_column
from fl_plugin.manifest.types import Column, Product
from fl_plugin.policy.sql_types import canonical_type

Block = dict[str, Any]

_LOGICAL = {
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DECIMAL": "number",
    "DOUBLE": "number",
    "FLOAT": "number",
    "BIT": "string",
    "BLOB": "string",
    "ENUM": "string",
    "INTERVAL": "string",
    "JSON": "string",
    "UUID": "string",
    "VARCHAR": "string",
    "STRUCT": "object",
    "UNION": "object",
    "MAP": "object",
}
_INTEGER = re.compile(r"U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?")
_CRITICAL_ROLES = {"label", "join_key"}


def property_of(product: Product, column: Column, checks: Sequence[Check]) -> Block:
    """Return one column.

    Critical is what is restricted, what identifies a row and what a model learns.
    """
    own = about_column(checks, column.name)
    place = _place(product.key, column.name)
    contract = column.contract
    classification = contract.classification or product.contract.classification
    rest = contract.model_dump(
        mode="json",
        exclude_none=True,
        exclude_defaults=True,
        exclude={"classification"},
    )
    block: Block = {"name": column.name, "physicalName": column.name}
    block |= _typed(column.data_type, own)
    block |= {
        "description": column.description,
        "required": not column.nullable,
        "unique": product.key == (column.name,) or _has(own, "unique"),
        "primaryKey": place > 0,
        "primaryKeyPosition": place,
        "classification": classification,
        "criticalDataElement": classification == "restricted"
        or place > 0
        or bool(_CRITICAL_ROLES & set(contract.roles)),
        "quality": list(_quality(own)),
        "customProperties": custom(rest),
    }
    return filled(block)


def quality_of_table(checks: Sequence[Check]) -> list[Block]:
    """Return the tests that are about no single column."""
    return [_dbt(check) for check in checks if check.column is None]


def custom(words: Mapping[str, Any]) -> list[Block]:
    """Return words of the mesh as custom properties, named as the standard asks."""
    return [{"property": camel(name), "value": value} for name, value in words.items()]


def camel(name: str) -> str:
    """Return snake_case as camelCase."""
    first, *more = name.split("_")
    return first + "".join(part.capitalize() for part in more)


def filled(block: Block) -> Block:
    """Return a block without what is empty."""
    return {k: v for k, v in block.items() if v not in (None, "", [], {})}


def _typed(data_type: str, checks: Sequence[Check]) -> Block:
    logical = logical_type(data_type)
    found: Block = {"logicalType": logical, "physicalType": data_type}
    if logical in {"integer", "number"}:
        found["logicalTypeOptions"] = _limits(checks)
    elif logical == "array":
        inner = canonical_type(data_type).rpartition("[")[0]
        found["items"] = filled(_typed(inner, ()))
    elif canonical_type(data_type) == "UUID":
        found["logicalTypeOptions"] = {"format": "uuid"}
    return found


def logical_type(data_type: str) -> str:
    """Return the standard's type for one of DuckDB's.

    A type that the standard has no word for is a string: it cannot be left open.
    """
    full = canonical_type(data_type)
    if full.endswith("]") and not full.startswith("ENUM"):
        return "array"
    word = full.partition("(")[0].strip()
    if _INTEGER.fullmatch(word):
        return "integer"
    if word.startswith("TIMESTAMP"):
        return "timestamp"
    return "time" if word.startswith("TIME") else _LOGICAL.get(word, "string")


def _limits(checks: Sequence[Check]) -> Block:
    """Return the range that a test enforces in every row."""
    for check in checks:
        if check.name == "in_range" and _enforced(check):
            ends = {
                "minimum": check.arguments.get("low"),
                "maximum": check.arguments.get("high"),
            }
            return {k: v for k, v in ends.items() if _is_number(v)}
    return {}


def _quality(checks: Sequence[Check]) -> Iterator[Block]:
    for check in checks:
        values = check.arguments.get("values")
        if check.name == "accepted_values" and isinstance(values, list):
            arguments = {"validValues": values}
            yield _library(check, "invalidValues", "conformity", arguments)
        elif check.name == "unique":
            yield _library(check, "duplicateValues", "uniqueness")
        elif check.name == "not_null":
            yield _library(check, "nullValues", "completeness")
        else:
            yield _dbt(check)


def _library(
    check: Check, metric: str, dimension: str, arguments: Block | None = None
) -> Block:
    return filled(
        {
            "type": "library",
            "name": check.name,
            "metric": metric,
            "arguments": arguments,
            "dimension": dimension,
            "severity": _severity(check),
        }
    ) | {"mustBe": 0}


def _dbt(check: Check) -> Block:
    implementation = {"test": check.name, "arguments": dict(check.arguments)}
    return {
        "type": "custom",
        "name": check.name,
        "engine": "dbt",
        "implementation": filled(implementation),
        "severity": _severity(check),
    }


def _severity(check: Check) -> str:
    return "error" if check.severity == "error" else "warning"


def _enforced(check: Check) -> bool:
    return check.severity == "error" and check.covers_all


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _has(checks: Sequence[Check], name: str) -> bool:
    return any(check.name == name and _enforced(check) for check in checks)


def _place(key: tuple[str, ...], column: str) -> int:
    """Return a column's place in the key, from 1; -1 where it has none."""
    return key.index(column) + 1 if column in key else -1
