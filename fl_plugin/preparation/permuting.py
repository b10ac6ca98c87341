"""One feature's values permuted among a party's rows, by keyed draws.

Which row takes whose value hangs on the study's seed, the feature's name, the repeat
and the rows' keys: it is the same at any engine and in whatever order the rows lie.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import BATCH, Block, DesignColumn
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.raw import Mask, RawBlock, RawRows
from fl_plugin.preparation.splits import Hashes, uniform
from fl_plugin.summand import Array

Places = npt.NDArray[np.int64]
MOST_REPEATS = 20


@dataclass(frozen=True, kw_only=True)
class Permutation:
    """One draw of who takes whose value.

    Args:
        feature: Whose values are permuted.
        repeat: Which draw it is, from 0.
    """

    feature: str
    repeat: int

    def order(self, hashes: Hashes, seed: int) -> Places:
        """Return for each row the place of the row whose value it takes.

        Args:
            hashes: (rows,) of each row's key.
            seed: Of the study.
        """
        told = f"{self.repeat} {self.feature}".encode()
        digest = hashlib.blake2b(told, digest_size=8, person=b"fl-permute-1").digest()
        draws = uniform(hashes, seed, int.from_bytes(digest, "little"))
        order = np.empty(len(hashes), dtype=np.int64)
        order[np.argsort(hashes, kind="stable")] = np.argsort(draws, kind="stable")
        return order


def permuted_design(
    rows: Block, columns: tuple[DesignColumn, ...], feature: str, order: Places
) -> Iterator[Block]:
    """Yield prepared rows with one feature's values permuted.

    Each design column comes from one feature: to move its columns together, and to
    prepare values that were moved, is the same.
    """
    own = [i for i, column in enumerate(columns) if column.feature == feature]
    places = np.array(own, dtype=np.int64)[:, None]
    begin = 0
    for block in rows.blocks(BATCH):
        x = block.x.copy()
        x[own] = rows.x[places, order[begin : begin + block.rows]]
        begin += block.rows
        yield replace(block, x=x)


def permuted_rows(
    rows: RawRows, chosen: Mask, prepared: Prepared, feature: str, order: Places
) -> Iterator[Block]:
    """Yield the same of rows that may lie on disk; one feature is held in memory."""
    place = _Place.of(feature, prepared.schema)
    values = [place.read(raw) for raw in rows.blocks(chosen=chosen)]
    if not values:
        return
    moved = np.concatenate(values)[order]
    begin = 0
    for raw in rows.blocks(chosen=chosen):
        end = begin + raw.rows
        yield prepared.design_block(place.with_values(raw, moved[begin:end]))
        begin = end


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a feature stands in a block of raw rows."""

    numeric: bool
    number: int

    @classmethod
    def of(cls, feature: str, schema: Schema) -> "_Place":
        numbers = [f.name for f in schema.numbers]
        if feature in numbers:
            return cls(numeric=True, number=numbers.index(feature))
        texts = [f.name for f in schema.vocabularies]
        return cls(numeric=False, number=texts.index(feature))

    def read(self, raw: RawBlock) -> Array:
        values: Array = (raw.numeric if self.numeric else raw.codes)[self.number]
        return values.copy()  # of a view, the whole block would be kept

    def with_values(self, raw: RawBlock, values: Array) -> RawBlock:
        if self.numeric:
            numeric = raw.numeric.copy()
            numeric[self.number] = values
            return replace(raw, numeric=numeric)
        codes = list(raw.codes)
        codes[self.number] = values
        return replace(raw, codes=tuple(codes))
