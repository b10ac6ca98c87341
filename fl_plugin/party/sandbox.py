"""A process of its own for each query, so that no text can do more than compute.

A query is text of a stranger: it may be slow, huge or made to break the engine. So it
is parsed and run in a child process that is killed when its time is up, has a bound on
memory, an empty environment, and never any rows but those decided on.
"""

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa

from fl_plugin.errors import MeshError, PolicyError, StorageError, UsageError

MEMORY_BYTES = 2**30
START_SECONDS = 30.0  # of a busy machine; loading its program is not the query's fault
LARGEST_ANSWER = 32 * 2**20
_CHILD = Path(__file__).with_name("sandbox_child.py")
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True, kw_only=True)
class View:
    """The one relation of a sandbox.

    Args:
        schema: The domain.
        table: The model; the query may name it with or without the domain.
        rows: What was decided on, masks applied.
        most_rows: Of the result; one more is returned where there are more.
    """

    schema: str
    table: str
    rows: pa.Table
    most_rows: int


@dataclass
class Sandbox:
    """One query's process; use as a context manager.

    Args:
        sql: The query.
        seconds: Wall time for parsing, and again for running.
        memory: Bytes it may use; DuckDB keeps to a quarter of them.
    """

    sql: str
    seconds: float
    memory: int = MEMORY_BYTES
    _process: subprocess.Popen[bytes] = field(init=False)
    _late: threading.Event = field(init=False, default_factory=threading.Event)

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(  # noqa: S603 this interpreter, our file
                [sys.executable, "-I", str(_CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=os.sep,
                env=_environment(),
            )
        except OSError:
            raise _not_started() from None
        try:
            with self._in_time(START_SECONDS):
                self._received()
        except PolicyError:
            self.close()
            raise _not_started() from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()

    def tree(self) -> Mapping[str, Any]:
        """Return DuckDB's parse tree of the query.

        Raises:
            UsageError: It is not one statement that reads.
            PolicyError: Parsing took too long or too much memory.
        """
        settings = {
            "sql": self.sql,
            "memory": self.memory,
            "seconds": 2 * int(self.seconds) + 2,
        }
        with self._in_time(self.seconds):
            self._send(json.dumps(settings).encode())
            answer = self._received()
        try:
            found = json.loads(answer)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or found.get("error") is not False:
            raise not_sql()
        return found

    def run(self, view: View) -> pa.Table:
        """Return the query's result over the view, `most_rows` + 1 rows at most.

        Raises:
            UsageError: It names what is not there, or its types do not fit.
            PolicyError: It took too long or too much memory.
        """
        told = {
            "schema": view.schema,
            "table": view.table,
            "most_rows": view.most_rows,
        }
        with self._in_time(self.seconds):
            self._send(json.dumps(told).encode())
            self._send(ipc_bytes(view.rows))
            outcome = json.loads(self._received())
            if outcome["error"] is not None:
                raise self._failed(str(outcome["error"]), view)
            return read_ipc(self._received())

    @contextmanager
    def _in_time(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self._stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _stop(self) -> None:
        self._late.set()
        self._process.kill()

    def _failed(self, word: str, view: View) -> MeshError:
        if word == "sql":
            return UsageError(
                "The query cannot be run: it names something that is not there, or a "
                "type does not fit.",
                remedy=f"Its columns here: {', '.join(view.rows.column_names)}.",
            )
        return PolicyError(
            "The query needs more memory than a query may have.",
            remedy="Join, group and select less.",
            reason="query.too_large",
        )

    def _too_slow(self) -> PolicyError:
        return PolicyError(
            f"The query ran longer than {self.seconds:g} seconds and was stopped.",
            remedy="Join, group and select less.",
            reason="query.too_slow",
        )

    def _send(self, data: bytes) -> None:
        pipe = _pipe(self._process.stdin)
        try:
            pipe.write(_LENGTH.pack(len(data)) + data)
            pipe.flush()
        except OSError:
            raise self._gone() from None

    def _received(self) -> bytes:
        pipe = _pipe(self._process.stdout)
        head = pipe.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            raise self._gone()
        (length,) = _LENGTH.unpack(head)
        if length > LARGEST_ANSWER:
            raise self._failed_large()
        data = pipe.read(length)
        if len(data) < length:
            raise self._gone()
        return data

    def _gone(self) -> PolicyError:
        """Say why the process has ended; want of memory may end it without a word."""
        self._process.wait()
        if self._late.is_set():
            return self._too_slow()
        return self._failed_large()

    def _failed_large(self) -> PolicyError:
        return PolicyError(
            "The query or its result is larger than a query may be.",
            remedy="Select fewer or shorter values.",
            reason="query.too_large",
        )


def not_sql() -> UsageError:
    """Return the error for a text that is no query."""
    return UsageError(
        "The query is not a single select that DuckDB can parse.",
        remedy="Write one statement, such as: select count(*) from <product>",
    )


def ipc_bytes(table: pa.Table) -> bytes:
    """Return a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def read_ipc(data: bytes) -> pa.Table:
    """Return the table of an Arrow stream, checked value by value.

    Raises:
        PolicyError: It is not one: the process that wrote it cannot be trusted.
    """
    try:
        table = pa.ipc.open_stream(data).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError):
        raise PolicyError(
            "A query's result is not the table it should be.",
            remedy="Ask the domain's team to look at its node.",
            reason="query.malformed",
        ) from None
    return table


def _not_started() -> StorageError:
    return StorageError(
        "The process for a query cannot be started.",
        remedy="Ask the domain's team to look at its node.",
    )


def _environment() -> dict[str, str]:
    """Return nothing of the domain's own."""
    # Other allocators reserve more addresses than a bound on memory allows.
    return {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError
    return pipe
