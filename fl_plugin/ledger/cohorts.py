"""Which rows a product has been used with, so that differencing is seen.

Two results over cohorts that differ by one row give that row away. A cohort is kept
as the sorted 64-bit hashes of its keys, never the keys; the caller hashes them, and
equal keys count once. Hashes of guessable keys can be guessed: they stay in the
domain's own file.

At most `KEPT_COHORTS` cohorts are kept for a product, those used last: with one new
cohort a working day that is a year. An attacker who wants an old one forgotten has to
be granted that many others first, each at least `min_distance` rows from all the rest.
"""

import hashlib
import sqlite3
import zlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import LedgerError

KEPT_COHORTS = 256

_HASH = np.dtype(np.uint64)
_WIRE = np.dtype("<u8")


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """A set of rows: sorted distinct key hashes, and the digest that names it."""

    hashes: npt.NDArray[np.uint64]
    digest: str

    @classmethod
    def of(cls, key_hashes: npt.NDArray[np.uint64]) -> Self:
        """Build a cohort from key hashes of shape (rows,), in any order.

        Raises:
            LedgerError: If they are not a flat array of uint64.
        """
        if key_hashes.dtype != _HASH or key_hashes.ndim != 1:
            raise LedgerError(
                "A cohort must be a flat array of unsigned 64-bit key hashes.",
                remedy="Hash each row's key to uint64 before the ledger sees it.",
            )
        hashes = np.sort(key_hashes)  # `np.unique` takes five times the memory
        new = np.ones(hashes.size, dtype=np.bool_)
        np.not_equal(hashes[1:], hashes[:-1], out=new[1:])
        if not new.all():
            hashes = hashes[new]
        return cls(hashes=hashes, digest=_digest(hashes))


def cohort_digest(key_hashes: npt.NDArray[np.uint64]) -> str:
    """Return "sha256:" and the digest of a cohort, whatever the order of its rows."""
    return Cohort.of(key_hashes).digest


def distance(
    connection: sqlite3.Connection, product: str, cohort: Cohort
) -> int | None:
    """Return the fewest rows by which a cohort differs from one kept for a product.

    Returns:
        0 if this very cohort is kept; None if none is.

    Raises:
        LedgerError: If a kept cohort was altered.
    """
    if _is_kept(connection, product, cohort.digest):
        return 0
    size = cohort.hashes.size
    # Two sets differ by at least their difference in size: nearest sizes first, and
    # stop where the next cannot be closer.
    kept = connection.execute(
        "select digest, cast(size as integer), hashes from cohort where product = ?"
        " order by abs(size - ?)",
        (product, size),
    )
    closest: int | None = None
    for digest, kept_size, blob in kept:
        if closest is not None and abs(kept_size - size) >= closest:
            break
        other = unpack(blob, size=kept_size, digest=digest)
        apart = rows_apart(cohort.hashes, other)
        closest = apart if closest is None else min(closest, apart)
    return closest


def remember(
    connection: sqlite3.Connection, product: str, cohort: Cohort, *, sequence: int
) -> None:
    """Keep a cohort as used last by record `sequence`, and forget the surplus."""
    connection.execute(
        "insert into cohort (product, digest, size, hashes, used)"
        " values (?, ?, ?, ?, ?)"
        " on conflict (product, digest) do update set used = excluded.used",
        (product, cohort.digest, cohort.hashes.size, pack(cohort.hashes), sequence),
    )
    connection.execute(
        "delete from cohort where product = ? and digest not in ("
        "select digest from cohort where product = ? order by used desc limit ?)",
        (product, product, KEPT_COHORTS),
    )


def _is_kept(connection: sqlite3.Connection, product: str, digest: str) -> bool:
    found = connection.execute(
        "select 1 from cohort where product = ? and digest = ?", (product, digest)
    )
    return found.fetchone() is not None


def rows_apart(one: npt.NDArray[np.uint64], other: npt.NDArray[np.uint64]) -> int:
    """Return how many rows are in only one of two cohorts."""
    shared = np.intersect1d(one, other, assume_unique=True).size
    return int(one.size + other.size - 2 * shared)


def _digest(hashes: npt.NDArray[np.uint64]) -> str:
    digest = hashlib.sha256(hashes.astype(_WIRE, copy=False).data)
    return f"sha256:{digest.hexdigest()}"


def pack(hashes: npt.NDArray[np.uint64]) -> bytes:
    """Return sorted hashes as they are kept."""
    # Steps between sorted hashes are small numbers: they compress, hashes do not.
    steps = hashes.copy()
    steps[1:] -= hashes[:-1]
    return zlib.compress(steps.astype(_WIRE, copy=False).data, level=1)


def unpack(blob: Any, *, size: Any, digest: Any) -> npt.NDArray[np.uint64]:
    """Return what `pack` was given.

    Raises:
        LedgerError: If it is not what the digest names.
    """
    altered = LedgerError(
        "A cohort kept in the ledger was altered.",
        remedy="Keep the file as evidence and tell the domain's steward.",
    )
    try:
        # The cap keeps a forged blob from filling the memory.
        raw = zlib.decompressobj().decompress(blob, max(1, size * _WIRE.itemsize))
        steps = np.frombuffer(raw, dtype=_WIRE)
    except (zlib.error, TypeError, ValueError, OverflowError):
        raise altered from None
    hashes = np.cumsum(steps, dtype=np.uint64)
    if hashes.size != size or _digest(hashes) != digest:
        raise altered
    return hashes
