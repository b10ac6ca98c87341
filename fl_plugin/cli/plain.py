"""Any value of the library as what JSON knows."""

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any


def plain(value: Any) -> Any:
    """Return dicts, lists, texts, numbers, booleans and None; never NaN.

    Raises:
        TypeError: It is something else; the answer would be no JSON.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    named = _named(value)
    if named is not None:
        return {str(name): plain(entry) for name, entry in named.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return _as_word(value)


def as_text(value: Mapping[str, Any]) -> str:
    """Return one JSON object in ASCII."""
    return json.dumps(plain(value), indent=2, allow_nan=False)


def _named(value: Any) -> Mapping[Any, Any] | None:
    """Return what has names: a mapping, a dataclass or a named tuple."""
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=True))
    return None


def _as_word(value: Any) -> str:
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(type(value).__name__)
