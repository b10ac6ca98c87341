"""Turns a block of a contract into its model, or into an error that helps.

Errors name the word and the expected kind; a value is never printed.
"""

import difflib
import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from fl_plugin.errors import ContractError
from fl_plugin.manifest.contract import ContractBlock

Block = TypeVar("Block", bound=ContractBlock)
# What a union's error names last: each kind that a value could have been.
_KINDS = frozenset({"float", "int", "bool", "str", "constrained-str"})
_EXPECTED = {
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_pattern_mismatch": "text of the right form (see the contract reference)",
    "date_from_datetime_parsing": "a date, YYYY-MM-DD",
    "date_parsing": "a date, YYYY-MM-DD",
    "date_type": "a date, YYYY-MM-DD",
}


def validated(model: type[Block], block: object, where: str) -> Block:
    """Return the block as its model.

    Args:
        model: The model of this block's words.
        block: What YAML or a manifest held: mappings, lists, text, numbers.
        where: Domain, product and column, for the error.

    Raises:
        ContractError: A word is unknown, missing or contradictory, or a value is of
            the wrong kind.
    """
    try:
        # Through JSON, because strict models accept a list as a tuple only there.
        return model.model_validate_json(json.dumps(block))
    except ValidationError as error:
        problem, remedy = _told(model, error)
    except (TypeError, ValueError, RecursionError):
        problem = "the block holds something that is not plain text, number or list"
        remedy = "Write it as plain YAML."
    raise ContractError(f"{where}: {problem}.", remedy=remedy)


def closest(word: str, known: Iterable[str]) -> str:
    """Return "Did you mean ...?" with the nearest known word, else the known words."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Known words: {', '.join(words)}." if words else "No word is known here."


def shown(word: object) -> str:
    """Return a name fit for one line of a message, whatever it is made of."""
    text = str(word)[:64]
    return "".join(c if c.isprintable() and c not in "{}<>" else "?" for c in text)


def _told(model: type[BaseModel], error: ValidationError) -> tuple[str, str]:
    found = error.errors(include_input=False, include_url=False, include_context=False)
    # An unknown word explains the missing one beside it, so it comes first.
    first = min(found, key=lambda e: e["type"] != "extra_forbidden")
    alike = [e for e in found if e["loc"][:-1] == first["loc"][:-1]]
    of_union = len(alike) > 1 and all(e["loc"][-1] in _KINDS for e in alike)
    others = len(found) - (len(alike) if of_union else 1)
    more = f" (and {others} more)" if others else ""
    path = _path(first["loc"][:-1] if of_union else first["loc"])
    if of_union:
        said = "must be one finite number, true or false, or a plain word"
        return f"{path} {said}{more}", "Correct the contract and run `dbt parse`."
    if first["type"] == "extra_forbidden":
        word = str(first["loc"][-1])
        known = _words_at(model, first["loc"][:-1])
        return f"unknown word {path}{more}", closest(word, known)
    if first["type"] == "missing":
        return f"{path} is missing{more}", "Add it; without it the answer is no."
    if first["type"] == "value_error":
        said = first["msg"].removeprefix("Value error, ")
        text = f"{path}: {said}" if path else said
        return f"{text}{more}", "Correct the contract and run `dbt parse`."
    expected = _EXPECTED.get(first["type"])
    said = f"must be {expected}" if expected else _plain(first["msg"])
    return f"{path} {said}{more}", "Correct the contract and run `dbt parse`."


def _plain(message: str) -> str:
    return message.removeprefix("Input ").replace("should be", "must be")


def _path(location: Sequence[int | str]) -> str:
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step != "[key]":
            text += f".{shown(step)}" if text else shown(step)
    return text


def _words_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    current: type[BaseModel] | None = model
    for step in location:
        if current is None or isinstance(step, int) or step not in current.model_fields:
            continue
        current = _model_in(current.model_fields[step].annotation)
    return list(current.model_fields) if current else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in get_args(annotation))
    return next((found for found in inner if found), None)
