"""The process that one query runs in: started for it, killed after it.

Run as a file by `party.sandbox`, never imported there. It is given a query, answers
with DuckDB's parse tree, is given the rows that were decided on, and answers with the
result. It has no other data to reach: an empty environment, no file to write, no more
memory and processor time than it was told, and a DuckDB without external access whose
only relation holds those rows. Nothing that DuckDB says in words is passed on, since
its texts quote values: an error is one word.
"""

import json
import os
import resource
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa

LONGEST_TREE = 16 * 2**20
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "max_temp_directory_size": "0KB",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "1",
}
_LENGTH = struct.Struct("<Q")


def main() -> None:
    """Say that the program is loaded, then answer one query's two messages."""
    _send(b"{}")
    asked = json.loads(_received())
    _confine(asked["memory"], asked["seconds"])
    _send(_tree(asked["sql"]))
    told = json.loads(_received())
    rows = pa.ipc.open_stream(_received()).read_all()
    try:
        done = _result(asked, told, rows)
    except (duckdb.OutOfMemoryException, MemoryError):
        _send(b'{"error": "memory"}')
    except OSError as error:  # what fails while the result is fetched, to pyarrow
        large = str(error).startswith("Out of Memory")
        _send(b'{"error": "memory"}' if large else b'{"error": "sql"}')
    except (duckdb.Error, pa.ArrowException, ValueError):
        _send(b'{"error": "sql"}')
    else:
        _send(b'{"error": null}')
        _send(done)


def _confine(memory: int, seconds: int) -> None:
    """Give up what this process could do beyond computing."""
    # DuckDB is told less and says so cleanly; this holds where it does not keep count.
    # Addresses alone are not bounded: its allocator reserves far more than it uses.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    # A core would hold rows; a file could carry them out. The parent kills sooner.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def _tree(sql: str) -> bytes:
    """Return DuckDB's parse tree of a text, which is parsed in an empty database."""
    settings = _SETTINGS | {"lock_configuration": "true"}
    with duckdb.connect(":memory:", config=settings) as connection:
        try:
            found = connection.execute("select json_serialize_sql(?)", [sql]).fetchone()
        except (duckdb.Error, ValueError):
            found = None
    text = str(found[0]).encode("utf-8", "replace") if found else b""
    return text if 0 < len(text) <= LONGEST_TREE else b'{"error": true}'


def _result(asked: Mapping[str, Any], told: Mapping[str, Any], rows: pa.Table) -> bytes:
    """Run the query over the rows, under both of the product's names."""
    schema, table = _quoted(told["schema"]), _quoted(told["table"])
    settings = _SETTINGS | {"memory_limit": f"{asked['memory'] // 4 // 2**20}MB"}
    with duckdb.connect(":memory:", config=settings) as connection:
        connection.register(told["table"], rows)
        connection.execute(f"create schema {schema}")
        connection.execute(f"create view {schema}.{table} as from {table}")
        connection.execute("set lock_configuration = true")
        reader = connection.sql(asked["sql"]).to_arrow_reader(told["most_rows"] + 1)
        kept = pa.Table.from_batches(
            _first(reader, told["most_rows"] + 1), schema=reader.schema
        )
    kept = kept.rename_columns(_once_each(kept.column_names))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, kept.schema) as stream:
        stream.write_table(kept.combine_chunks())
    return bytes(sink.getvalue().to_pybytes())


def _first(reader: pa.RecordBatchReader, most: int) -> Iterator[pa.RecordBatch]:
    left = most
    for batch in reader:
        if left <= 0:
            return
        yield batch.slice(0, left)
        left -= batch.num_rows


def _once_each(names: list[str]) -> list[str]:
    """Return names of which none occurs twice: a dict of a row would lose one."""
    found: list[str] = []
    for name in names:
        free, number = name, 1
        while free in found:
            free, number = f"{name}_{number}", number + 1
        found.append(free)
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _received() -> bytes:
    source = sys.stdin.buffer
    (length,) = _LENGTH.unpack(source.read(_LENGTH.size))
    return source.read(length)


def _send(data: bytes) -> None:
    sink = sys.stdout.buffer
    sink.write(_LENGTH.pack(len(data)))
    sink.write(data)
    sink.flush()


if __name__ == "__main__":
    try:
        main()
    except BaseException:  # its traceback could hold a value
        os._exit(1)
