"""Checked arrays out of a question, an answer or a model."""

import numpy as np

from fl_plugin.errors import MessageError
from fl_plugin.summand import Arrays, Floats

MOST_ITERATIONS = 2**31 - 1  # scikit-learn keeps them in 32 bits


def checked(arrays: Arrays, name: str, shape: tuple[int, ...]) -> Floats:
    """Return a finite float64 array of that shape out of a question or a model.

    Raises:
        MessageError: It is missing, misshapen or not finite.
    """
    array = arrays.get(name)
    if (
        array is None
        or array.dtype != np.float64
        or array.shape != shape
        or not np.isfinite(array).all()
    ):
        raise malformed(name)
    return array


def whole_number(arrays: Arrays, name: str, most: int = MOST_ITERATIONS) -> int:
    """Return a number of 0 to `most` that is sent as int64 (1,).

    Raises:
        MessageError: It is missing, misshapen or out of range.
    """
    array = arrays.get(name)
    if array is None or array.dtype != np.int64 or array.shape != (1,):
        raise malformed(name)
    if not 0 <= array[0] <= most:
        raise malformed(name)
    return int(array[0])


def malformed(name: str) -> MessageError:
    """Return the error for an array that no algorithm of ours sends."""
    return MessageError(
        f"A message's array {name} is missing, misshapen or out of range.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
