"""How rows of numbers cross: in 2, 4 or 8 bytes each, and checked on arrival."""

from collections.abc import Mapping

import numpy as np

from fl_plugin.algorithms.checks.arrays import malformed, whole_number
from fl_plugin.summand import Array, Arrays, Floats

BYTES: Mapping[str, int] = {"float16": 2, "float32": 4, "float64": 8}
_TYPES = {"float32": "<f4", "float64": "<f8"}
_LARGEST = {"float16": 65_504.0, "float32": 3.4e38, "float64": 1e300}


def packed(values: Floats, precision: str) -> Array:
    """Return (rows, units) as it is sent; what is too large is cut to the largest.

    Half precision goes as bytes, (rows, units, 2): messages know no such type.
    """
    ends = _LARGEST[precision]
    held = np.clip(values, -ends, ends)
    if precision != "float16":
        return np.ascontiguousarray(held.astype(_TYPES[precision]))
    half = np.ascontiguousarray(held.astype("<f2"))
    return half.view(np.uint8).reshape(*values.shape, 2)


def unpacked(
    arrays: Arrays, name: str, shape: tuple[int, int], precision: str
) -> Floats:
    """Return (rows, units) float64 out of a message.

    Raises:
        MessageError: It is missing, misshapen, of another precision or not finite.
    """
    array = arrays.get(name)
    if array is None:
        raise malformed(name)
    if precision == "float16":
        if array.dtype != np.uint8 or array.shape != (*shape, 2):
            raise malformed(name)
        array = np.ascontiguousarray(array).view("<f2").reshape(shape)
    elif array.dtype != np.dtype(_TYPES[precision]) or array.shape != shape:
        raise malformed(name)
    if not np.isfinite(array).all():
        raise malformed(name)
    return array.astype(np.float64)


def in_turn(question: Arrays, step: int, names: set[str]) -> None:
    """Check that a question is of this step and holds these arrays and no others.

    Raises:
        MessageError: It is another question, or comes out of turn.
    """
    if set(question) != names | {"step"}:
        raise malformed("step")
    if whole_number(question, "step") != step:
        raise malformed("step")


def numbered(step: int) -> dict[str, Array]:
    """Return the array that says which step a question is of."""
    return {"step": np.array([step], dtype=np.int64)}
