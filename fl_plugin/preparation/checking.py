"""Arrays out of messages that an opponent may have written: looked at before use."""

import numpy as np

from fl_plugin.errors import MessageError
from fl_plugin.summand import Array, Arrays, Floats


def malformed(name: str) -> MessageError:
    """Return the error for an array that no preparation of ours sends."""
    return MessageError(
        f"A preparation's array {name} is missing, misshapen or out of range.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )


def whole(arrays: Arrays, name: str, most: int) -> int:
    """Return a number between 0 and `most`, sent as int64 (1,).

    Raises:
        MessageError: It is missing, misshapen or out of range.
    """
    return int(wholes(arrays, name, (1,), most)[0])


def wholes(arrays: Arrays, name: str, shape: tuple[int, ...], most: int) -> Array:
    """Return numbers between 0 and `most`, sent as int64; -1 in `shape` fits any.

    Raises:
        MessageError: One is missing, misshapen or out of range.
    """
    array = arrays.get(name)
    if array is None or array.dtype != np.int64 or not _fits(array, shape):
        raise malformed(name)
    if ((array < 0) | (array > most)).any():
        raise malformed(name)
    return array


def floats(arrays: Arrays, name: str, shape: tuple[int, ...]) -> Floats:
    """Return finite float64 numbers; -1 in `shape` fits any.

    Raises:
        MessageError: One is missing, misshapen or not finite.
    """
    array = arrays.get(name)
    if array is None or array.dtype != np.float64 or not _fits(array, shape):
        raise malformed(name)
    if not np.isfinite(array).all():
        raise malformed(name)
    return array


def _fits(array: Array, shape: tuple[int, ...]) -> bool:
    return array.ndim == len(shape) and all(
        wanted in {-1, size} for wanted, size in zip(shape, array.shape, strict=True)
    )
