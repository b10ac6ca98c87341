"""Files of rows to score, and scored rows: CSV, Parquet or JSON lines, by extension.

These are the caller's own files, never a domain's. An error names a file and never
what stands in it.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from pyarrow import csv, parquet
from pyarrow import json as json_lines

from fl_plugin.errors import StorageError, UsageError
from fl_plugin.files import PRIVATE, whole

FORMATS = "csv, parquet, arrow, jsonl or ndjson"
# An empty cell is a missing value, in a text column too; a word is never one there.
_CELLS = csv.ConvertOptions(null_values=[""], strings_can_be_null=True)


def read_table(path: Path) -> pa.Table:
    """Return a file's rows.

    Raises:
        UsageError: Its extension says nothing, or it is not what its extension says.
        StorageError: It is missing or cannot be read.
    """
    read = _by_extension(path, _READERS)
    try:
        return read(path)
    except OSError as error:
        # A damaged Parquet file is an OSError without a number, to pyarrow.
        if error.errno is None:
            raise _unreadable(path) from None
        raise StorageError(
            f"{path.name} is missing or cannot be read.",
            remedy="Check its name and its permissions.",
        ) from None
    except (pa.ArrowException, UnicodeError):  # their texts quote the file
        raise _unreadable(path) from None


def write_table(table: pa.Table, path: Path) -> None:
    """Write rows to a file that appears whole or not at all.

    Raises:
        UsageError: Its extension says nothing, or its format cannot hold a column.
        StorageError: It cannot be written.
    """
    write = _by_extension(path, _WRITERS)
    try:
        with whole(path, mode=PRIVATE) as file:
            write(table, file)
    except (pa.ArrowException, TypeError):
        raise UsageError(
            f"A column of the rows cannot be written to {path.name}.",
            remedy="Write Parquet, which holds every type.",
        ) from None
    except OSError:
        raise StorageError(
            f"{path.name} could not be written.",
            remedy="Name a file in a folder that exists and can be written.",
        ) from None


def check_output(path: Path) -> None:
    """Look at a name before any work is done.

    Raises:
        UsageError: `write_table` would not know how to write such a file.
    """
    _by_extension(path, _WRITERS)


def csv_text(table: pa.Table) -> str:
    """Return rows as CSV."""
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink)
    return str(sink.getvalue().to_pybytes(), "utf-8")


def _read_csv(path: Path) -> pa.Table:
    return csv.read_csv(path, convert_options=_CELLS)


def _read_parquet(path: Path) -> pa.Table:
    return parquet.ParquetFile(path).read()


def _read_arrow(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _read_json_lines(path: Path) -> pa.Table:
    return json_lines.read_json(path)


def _write_arrow(table: pa.Table, file: IO[bytes]) -> None:
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _write_json_lines(table: pa.Table, file: IO[bytes]) -> None:
    for batch in table.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            file.write(json.dumps(row, default=_written).encode() + b"\n")


def _written(value: Any) -> str:
    """Return a date, a decimal or bytes as JSON lines hold them."""
    if isinstance(value, bytes):
        raise TypeError
    return str(value)


_READERS: Mapping[str, Callable[[Path], pa.Table]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".arrow": _read_arrow,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
}
_WRITERS: Mapping[str, Callable[[pa.Table, IO[bytes]], None]] = {
    ".csv": csv.write_csv,
    ".parquet": parquet.write_table,
    ".arrow": _write_arrow,
    ".jsonl": _write_json_lines,
    ".ndjson": _write_json_lines,
}


def _by_extension(path: Path, known: Mapping[str, Any]) -> Any:
    found = known.get(path.suffix.lower())
    if found is None:
        raise UsageError(
            f"{path.name} has no extension that says how its rows are kept.",
            remedy=f"Use one of: {FORMATS}.",
        )
    return found


def _unreadable(path: Path) -> UsageError:
    return UsageError(
        f"{path.name} is not the {path.suffix[1:].lower()} file its name says.",
        remedy="Check that its first line names the columns and no line is cut short.",
    )
