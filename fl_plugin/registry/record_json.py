"""A run record as canonical JSON and back; the same record gives the same bytes."""

import json
from dataclasses import asdict
from functools import cache

from pydantic import TypeAdapter, ValidationError

from fl_plugin.errors import RegistryError
from fl_plugin.registry.run_record import RunRecord

MAX_BYTES = 16 * 2**20


def record_to_json(record: RunRecord) -> bytes:
    """Return indented JSON with sorted keys and a final newline, UTF-8.

    Raises:
        RegistryError: A number is not finite, so no JSON reader could take it.
    """
    try:
        text = json.dumps(asdict(record), sort_keys=True, indent=1, allow_nan=False)
    except ValueError:
        raise RegistryError(
            f"The record of run {record.run} holds a number that is not finite.",
            remedy="Report it with the study's name; nothing was written.",
        ) from None
    return (text + "\n").encode()


def record_from_json(data: bytes, *, name: str = "run.json") -> RunRecord:
    """Return the record; unknown fields, wrong types and NaN are errors.

    Raises:
        RegistryError: `data` is not a run record; the first bad field is named.
    """
    if len(data) > MAX_BYTES:
        raise _not_a_record(name, "it is larger than any run record")
    try:
        return _adapter().validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise _not_a_record(name, f"{where}: {first['type']}") from None


def _not_a_record(name: str, reason: str) -> RegistryError:
    return RegistryError(
        f"{name} is not a run record ({reason}).",
        remedy="Restore the folder from a backup, or train the study again.",
    )


@cache
def _adapter() -> TypeAdapter[RunRecord]:
    return TypeAdapter(RunRecord)
