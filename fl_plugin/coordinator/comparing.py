"""Each domain's own comparison of models, checked before anything is made of it."""

import math
from collections.abc import Mapping
from typing import Any

from fl_plugin.errors import MessageError

VERDICTS = ("helped", "no clear difference", "hurt", "too few rows to say")
_TABLES = ("federated", "own", "personal", "majority")
_MOST = 256


def checked(party: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a domain says of the models on its own rows.

    Raises:
        MessageError: It is not what a comparison says.
    """
    if "suppressed" in body:
        return {}
    found: dict[str, Any] = {}
    for name in _TABLES:
        table = body.get(name, {})
        if not isinstance(table, dict) or len(table) > _MOST:
            raise _bad(party)
        found[name] = {str(n): _number(party, v) for n, v in table.items()}
    if body.get("verdict") not in VERDICTS:
        raise _bad(party)
    found["verdict"] = body["verdict"]
    difference = body.get("difference")
    if difference is not None:
        found["difference"] = _row(party, difference, ("value", "low", "high"))
    cells = body.get("calibration", [])
    if not isinstance(cells, list) or len(cells) > _MOST:
        raise _bad(party)
    words = ("mean_score", "rate", "share")
    found["calibration"] = [_row(party, cell, words) for cell in cells]
    return found


def _row(party: str, raw: Any, words: tuple[str, ...]) -> dict[str, float | None]:
    if not isinstance(raw, dict) or set(raw) != set(words):
        raise _bad(party)
    return {word: _number(party, raw[word]) for word in words}


def _number(party: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _bad(party)
    if not math.isfinite(value):
        raise _bad(party)
    return float(value)


def _bad(party: str) -> MessageError:
    return MessageError(
        f"{party} answered a comparison with something else.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
