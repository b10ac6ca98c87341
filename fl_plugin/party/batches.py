"""A query's rows as Arrow brings them, batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

# Batches of a stream are small: DuckDB fills one beside those that are still in use.
STREAM_ROWS = 4_096


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A query's rows, batch by batch, while the database is open.

    Args:
        rows: How many there are.
        batches: Each once, at most `STREAM_ROWS` of them.
        schema: Of every batch.
    """

    rows: int
    batches: Iterator[pa.RecordBatch]
    schema: pa.Schema

    def table(self) -> pa.Table:
        """Return all rows at once."""
        return pa.Table.from_batches(list(self.batches), schema=self.schema)


def batches_of(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Yield a reader's batches."""
    try:
        yield from reader
    except (pa.ArrowException, OSError) as error:
        raise _inside(error) from None


def _inside(error: Exception) -> duckdb.Error:
    """Return what went wrong inside DuckDB while Arrow read from it."""
    if "Out of Memory" in str(error):
        return duckdb.OutOfMemoryException()
    return duckdb.IOException()  # a damaged file


def capped(reader: pa.RecordBatchReader, most_bytes: int) -> pa.Table | None:
    """Return a reader's rows; None, and nothing kept, where they are too many."""
    kept: list[pa.RecordBatch] = []
    size = 0
    try:
        for batch in reader:
            size += batch.nbytes
            if size > most_bytes:
                return None
            kept.append(batch)
    except (pa.ArrowException, OSError) as error:
        raise _inside(error) from None
    finally:
        reader.close()
    return pa.Table.from_batches(kept, schema=reader.schema)
