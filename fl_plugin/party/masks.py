"""What a consumer sees of a masked column: nothing, a pseudonym, a year, a size.

A mask is applied to the rows before any query runs over them, so conditions, joins and
groups see the mask as well.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fl_plugin.errors import ContractError, StorageError
from fl_plugin.files import create

KEY_FILE = "mask.key"
KEY_BYTES = 32
_OTHERS = 0o077
_PSEUDONYM_CHARACTERS = 24  # 96 bits: no two of a domain's values meet by chance


def masked(
    table: pa.Table, masks: Mapping[str, str], key: Callable[[], bytes]
) -> pa.Table:
    """Return the table with each named column behind its mask.

    Args:
        table: True values.
        masks: Column to mask.
        key: The domain's secret, asked for only where a column is hashed.

    Raises:
        ContractError: A mask does not fit its column.
    """
    for name, mask in masks.items():
        place = table.column_names.index(name)
        try:
            hidden = _masked(table[name], name, mask, key)
        except (pa.ArrowException, ValueError, OverflowError):
            raise ContractError(
                f"The column {name} is of a type that {mask} cannot mask.",
                remedy="Choose another mask in the contract.",
            ) from None
        table = table.set_column(place, name, hidden)
    return table


def mask_key(folder: Path) -> bytes:
    """Return the domain's secret for pseudonyms, made when it is first needed.

    Args:
        folder: Where the domain's ledger lies.

    Raises:
        StorageError: It cannot be made or read, is not a key, or others may read it.
    """
    path = folder / KEY_FILE
    try:
        if not path.exists():
            with suppress(FileExistsError):  # another process was faster
                create(path, secrets.token_bytes(KEY_BYTES))
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise _unusable("others than its owner may read it")
        with path.open("rb") as file:
            key = file.read(KEY_BYTES + 1)
    except OSError:
        raise _unusable("it cannot be read or made") from None
    if len(key) != KEY_BYTES:
        raise _unusable("it is not a key of this program")
    return key


def _masked(
    values: pa.ChunkedArray, name: str, mask: str, key: Callable[[], bytes]
) -> pa.ChunkedArray | pa.Array:
    if mask == "null":
        return pa.nulls(len(values), values.type)
    if mask == "hash":
        return _pseudonyms(values, name, key())
    if mask == "year":
        return pc.year(values).cast(pa.int32())
    if mask == "bucket":
        return _buckets(values)
    raise ValueError(mask)


def _pseudonyms(values: pa.ChunkedArray, name: str, key: bytes) -> pa.ChunkedArray:
    """Return one text for each value: the same in every product of this domain."""
    texts = values.cast(pa.string()).combine_chunks().dictionary_encode()
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    hidden = [
        None if text is None else _pseudonym(key, name, text)
        for text in texts.dictionary.to_pylist()
    ]
    coded = pa.DictionaryArray.from_arrays(
        texts.indices, pa.array(hidden, type=pa.string())
    )
    return pa.chunked_array([coded.cast(pa.string())])


def _pseudonym(key: bytes, name: str, text: str) -> str:
    told = name.casefold().encode() + b"\x00" + text.encode()
    return hmac.new(key, told, hashlib.sha256).hexdigest()[:_PSEUDONYM_CHARACTERS]


def _buckets(values: pa.ChunkedArray) -> pa.Array:
    """Return the first digit and zeros: 1,234 becomes 1,000 and -87 becomes -80."""
    numbers = values.cast(pa.float64(), safe=False).to_numpy()
    size = np.abs(numbers)
    some = np.isfinite(size) & (size > 0)
    digits = np.floor(np.log10(size, where=some, out=np.zeros_like(size)))
    unit = 10.0**digits
    # A logarithm of a power of ten may come out a hair below or above it.
    unit = np.where(size < unit, unit / 10, unit)
    unit = np.where(size >= 10 * unit, 10 * unit, unit)
    rounded = np.where(some, np.sign(numbers) * np.floor(size / unit) * unit, numbers)
    kept = pa.array(rounded, mask=np.asarray(values.is_null().to_numpy()))
    return kept.cast(pa.int64()) if pa.types.is_integer(values.type) else kept


def _unusable(why: str) -> StorageError:
    return StorageError(
        f"The key of a domain's masks, {KEY_FILE}, cannot be used: {why}.",
        remedy="Look at it in the domain's ledger folder; a new one gives every value "
        "a new pseudonym.",
    )
