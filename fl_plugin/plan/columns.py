"""What a column is to a model, from the type that every product's contract says."""

from collections.abc import Sequence

from fl_plugin.errors import ContractError
from fl_plugin.manifest.types import Column, Study
from fl_plugin.preparation.features import Category

_INTEGERS = ("tinyint", "smallint", "integer", "int", "bigint", "hugeint")
_UNSIGNED = ("utinyint", "usmallint", "uinteger", "ubigint")
_NUMERIC = (*_INTEGERS, *_UNSIGNED, "real", "float", "double", "decimal", "numeric")
_TEXT = ("varchar", "text", "string", "char")


def kind_of(study: Study, columns: Sequence[Column]) -> str:
    """Return "numeric", "boolean" or "categorical", as all products agree.

    Raises:
        ContractError: They do not agree, or the type is none of these.
    """
    kinds = {_kind(study, c) for c in columns}
    if len(kinds) > 1:
        raise ContractError(
            f"The products of {study.name} disagree about the type of "
            f"{columns[0].name}.",
            remedy="Agree on one data_type in the contracts.",
        )
    return kinds.pop()


def categories_of(columns: Sequence[Column]) -> tuple[Category, ...] | None:
    """Return all accepted values, sorted; None where a contract does not say."""
    if any(c.accepted_values is None for c in columns):
        return None
    return tuple(sorted({v for c in columns for v in c.accepted_values or ()}))


def is_whole(columns: Sequence[Column]) -> bool:
    """Return whether every product stores whole numbers."""
    return all(_word(c) in (*_INTEGERS, *_UNSIGNED) for c in columns)


def _word(column: Column) -> str:
    return column.data_type.lower().partition("(")[0].strip()


def _kind(study: Study, column: Column) -> str:
    word = _word(column)
    if word in _NUMERIC:
        return "numeric"
    if word in {"boolean", "bool"}:
        return "boolean"
    if word in _TEXT:
        return "categorical"
    raise ContractError(
        f"The column {column.name} of the study {study.name} is of type {word}, which "
        "is neither a number, a boolean nor a text.",
        remedy="Let the product offer it as a number (an age in days, say).",
    )
