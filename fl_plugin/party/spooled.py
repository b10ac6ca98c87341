"""Rows that do not fit into memory: their columns lie in the run's spool.

What has one number per row (target, hashes, times) stays in memory. Everything else is
in one file of chunks, each a `(columns, rows)` array of numbers and one of the numbers
that stand for texts, so that a chunk is one read. It is read with plain reads: pages
of a mapped file would count as this process's memory.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fl_plugin.errors import StorageError
from fl_plugin.manifest.types import Product
from fl_plugin.party.batches import Stream
from fl_plugin.party.labels import Ids, Labels
from fl_plugin.party.opened import OpenRows
from fl_plugin.party.spool import Spool
from fl_plugin.party.table import Codes, Vectors, Wanted, numbers_of, vectors_of
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.raw import ROWS, Mask, RawBlock, RawRows
from fl_plugin.preparation.splits import Hashes
from fl_plugin.summand import Floats

FILE = "rows"
CHUNK_BYTES = 2 * 2**20
_NUMBER, _ID = 8, 4  # bytes


@dataclass(frozen=True)
class Layout:
    """Where a chunk's columns lie.

    Args:
        rows: Of the whole file.
        numbers: Numeric columns.
        texts: Columns of ids.
    """

    rows: int
    numbers: int
    texts: int

    @property
    def chunk(self) -> int:
        """Rows of every chunk but the last: whole thousands, at most `ROWS`."""
        width = max(_NUMBER * self.numbers + _ID * self.texts, 1)
        return min(max(CHUNK_BYTES // width // 1_024 * 1_024, 1_024), ROWS)

    def empty(self, rows: int) -> tuple[Floats, Ids, npt.NDArray[np.uint8]]:
        """Return a chunk's arrays, and the bytes that both are views of."""
        size = _NUMBER * self.numbers * rows
        whole = np.empty(size + _ID * self.texts * rows, dtype=np.uint8)
        numbers = whole[:size].view(np.float64).reshape(self.numbers, rows)
        ids = whole[size:].view(np.int32).reshape(self.texts, rows)
        return numbers, ids, whole

    def chunks(self) -> Iterator[slice]:
        """Yield which rows each chunk holds."""
        for begin in range(0, self.rows, self.chunk):
            yield slice(begin, min(begin + self.chunk, self.rows))

    def size(self, place: slice) -> int:
        """Return the size of a chunk."""
        width = _NUMBER * self.numbers + _ID * self.texts
        return width * int(place.stop - place.start)


@dataclass(frozen=True, kw_only=True)
class Columns(RawRows):
    """The rows of a spool, coded by agreed categories.

    Args:
        codes: Per categorical feature its place among the ids, and the code of every
            id; the last is that of -1.
    """

    path: Path
    layout: Layout
    target: Floats
    hashes: Hashes
    codes: tuple[tuple[int, Codes], ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.layout.rows

    def blocks(
        self, size: int = ROWS, chosen: Mask | None = None
    ) -> Iterator[RawBlock]:
        """Yield rows in order; a chunk without a chosen row is not read."""
        for place, numeric, ids in _chunks(self.path, self.layout, chosen):
            block = RawBlock(
                numeric,
                tuple(codes[ids[i]] for i, codes in self.codes),
                self.target[place],
                self.hashes[place],
            )
            for begin in range(0, block.rows, size):
                some = slice(begin, begin + size)
                here = None if chosen is None else chosen[place][some]
                if here is None or here.all():
                    yield block.at(some)
                elif here.any():
                    yield block.at(some).at(here)


@dataclass(frozen=True, kw_only=True)
class Spooled(OpenRows):
    """One domain's rows whose columns are on disk.

    Args:
        labels: Per column of ids, in their order, what they stand for.
    """

    path: Path
    layout: Layout
    labels: Mapping[str, Labels]

    def raw(self, features: Sequence[Feature]) -> RawRows:
        """Return the rows coded by the features' categories."""
        categorical = [f for f in features if f.kind == "categorical"]
        return Columns(
            path=self.path,
            layout=self.layout,
            target=self.target,
            hashes=self.hashes,
            codes=tuple(map(self._coded, categorical)),
        )

    def codes(self, features: Sequence[Feature]) -> tuple[Codes, ...]:
        """Return, for each column, the index of every row's category, or -1."""
        coded = tuple(map(self._coded, features))
        found = tuple(np.empty(len(self), dtype=np.int64) for _ in coded)
        if coded:
            for place, _, ids in _chunks(self.path, self.layout, None):
                for column, (i, codes) in zip(found, coded, strict=True):
                    column[place] = codes[ids[i]]
        return found

    def frequent(self, name: str, least: int) -> tuple[str, ...]:
        """Return the texts that at least so many rows of a column have, sorted."""
        return self.labels[name].frequent(least)

    def _coded(self, feature: Feature) -> tuple[int, Codes]:
        place = list(self.labels).index(feature.name)
        return place, self.labels[feature.name].codes(feature.categories or ())


def spool_rows(
    stream: Stream, product: Product, wanted: Wanted, spool: Spool
) -> Spooled:
    """Write a table into the run's spool, batch by batch.

    Raises:
        BuildError: As `read_rows` does.
        StorageError: The spool cannot be written.
    """
    layout = Layout(stream.rows, len(wanted.numbers), len(wanted.texts))
    labels = {name: Labels(name) for name in wanted.texts}
    vectors = _Vectors(stream.rows, wanted)
    digest = hashlib.sha256()
    with spool.writing(FILE) as file:
        for chunk in _rechunked(stream, layout):
            numbers, ids, whole = layout.empty(chunk.num_rows)
            numbers_of(chunk, wanted.numbers, numbers)
            for i, (name, known) in enumerate(labels.items()):
                ids[i] = known.number(chunk[name])
            vectors.add(vectors_of(chunk, product, wanted))
            digest.update(whole.data)
            _write(file, whole)
    pa.default_memory_pool().release_unused()
    all_of = vectors.all
    for array in all_of.all:
        digest.update(array.data)
    for known in labels.values():
        digest.update(known.fingerprint())
    return Spooled(
        target=all_of.target,
        hashes=all_of.hashes,
        groups=all_of.groups,
        times=all_of.times,
        fingerprint=f"sha256:{digest.hexdigest()}",
        path=spool.path(FILE),
        layout=layout,
        labels=labels,
    )


class _Vectors:
    """What has one number per row, filled batch by batch."""

    def __init__(self, rows: int, wanted: Wanted) -> None:
        hashes = np.empty(rows, dtype=np.uint64)
        grouped = wanted.group is not None
        self.all = Vectors(
            target=np.empty(rows),
            hashes=hashes,
            groups=np.empty(rows, dtype=np.uint64) if grouped else hashes,
            times=np.empty(rows if wanted.timed else 0),
        )
        self._filled = 0

    def add(self, some: Vectors) -> None:
        end = self._filled + len(some.target)
        for into, values in zip(self.all.all, some.all, strict=True):
            if len(into):
                into[self._filled : end] = values
        self._filled = end


def _rechunked(stream: Stream, layout: Layout) -> Iterator[pa.Table]:
    """Yield a stream's rows in the layout's chunks."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    end = pa.RecordBatch.from_pylist([], schema=stream.schema)
    for batch in chain(stream.batches, (end,)):
        waiting.append(batch)
        held += batch.num_rows
        while held >= layout.chunk or (batch is end and held):
            table = pa.Table.from_batches(waiting, schema=stream.schema)
            yield table.slice(0, layout.chunk)
            waiting = table.slice(layout.chunk).to_batches()
            held = max(held - layout.chunk, 0)


def _chunks(
    path: Path, layout: Layout, chosen: Mask | None
) -> Iterator[tuple[slice, Floats, Ids]]:
    """Yield each chunk that has a chosen row: where it lies, its numbers and ids.

    Raises:
        StorageError: The file is not what was written.
    """
    try:
        with path.open("rb", buffering=0) as file:
            for place in layout.chunks():
                if chosen is not None and not chosen[place].any():
                    file.seek(layout.size(place), 1)
                    continue
                numbers, ids, whole = layout.empty(place.stop - place.start)
                _read(file, whole)
                yield place, numbers, ids
    except OSError:
        raise StorageError(
            "The rows that a run has spooled cannot be read any more.",
            remedy="Start the run again.",
        ) from None


def _read(file: BinaryIO, whole: npt.NDArray[np.uint8]) -> None:
    rest = whole.data
    while rest:
        count = file.readinto(rest)  # type: ignore[attr-defined]
        if not count:
            raise OSError
        rest = rest[count:]


def _write(file: BinaryIO, whole: npt.NDArray[np.uint8]) -> None:
    rest = whole.data
    while rest:
        rest = rest[file.write(rest) :]
