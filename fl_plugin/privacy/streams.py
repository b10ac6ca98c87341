"""Mask streams: pseudo-random bytes from a key, added to a message's words in place.

A stream is AES-256 in counter mode over zeros; its key is made for one pair of parties
and one message (HKDF-SHA-256), so a constant counter start is safe. One stream runs on
over all arrays of a message, in the order of their names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from fl_plugin.summand import Summand

Words = npt.NDArray[Any]  # unsigned words of any size

# Bytes that are made and added at a time: they stay in a core's second-level cache.
_CHUNK = 2**17
_ZEROS = memoryview(bytes(_CHUNK))
_BLOCK = 16  # AES may write this much beyond the bytes that were asked for


@dataclass(frozen=True)
class Mask:
    """One stream to add to a message, or to take away from it.

    Args:
        key: 32 bytes, for this message alone.
        adds: Whether it is added.
    """

    key: bytes = field(repr=False)
    adds: bool

    @property
    def taken_off(self) -> "Mask":
        """The mask that cancels this one."""
        return replace(self, adds=not self.adds)


def apply(
    words: Mapping[str, Words], expected: Mapping[str, Summand], masks: Sequence[Mask]
) -> dict[str, Words]:
    """Return a message's words with every mask on it.

    The words come back in the smallest native size that holds the bytes that are sent:
    the others are cut off anyway, and no stream is made for them.

    Args:
        words: By name, any size of word.
        expected: The summand of every array; their widths decide the sizes.
        masks: What to add and to take away.
    """
    streams = [(_stream(mask.key), mask.adds) for mask in masks]
    room = np.empty(_CHUNK + _BLOCK, dtype=np.uint8)
    masked = {}
    for name in sorted(words):
        native = native_type(expected[name].width)
        array = np.array(words[name], dtype=native, order="C")  # cuts modulo 2^bits
        flat = array.reshape(-1)
        step = _CHUNK // native.itemsize
        for begin in range(0, flat.size, step):
            part = flat[begin : begin + step]
            for stream, adds in streams:
                stream.update_into(_ZEROS[: part.nbytes], room)
                made = room[: part.nbytes].view(native)
                (np.add if adds else np.subtract)(part, made, out=part)
        masked[name] = array
    return masked


def native_type(width: int) -> np.dtype[Any]:
    """Return the smallest unsigned type of at least `width` bytes, little-endian."""
    return np.dtype(f"<u{1 << (width - 1).bit_length()}")


def _stream(key: bytes) -> Any:
    return Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
