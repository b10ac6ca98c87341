"""Mask streams: pseudo-random bytes from a key, added to a message's words.

A stream is AES-256 in counter mode over zeros, from block 2; its key is made for one
pair of parties and one message (HKDF-SHA-256), so a constant start is safe. One stream
runs on over all arrays of a message, in the order of their names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import (
    Cipher,
    CipherContext,
    algorithms,
    modes,
)

from fl_plugin.summand import Summand, native_type

Words = npt.NDArray[Any]  # unsigned words of any size

# Bytes that are made and added at a time: they stay in a core's second-level cache.
_CHUNK = 2**17
_ZEROS = memoryview(bytes(_CHUNK))
_BLOCK = 16  # AES may write this much beyond the bytes that were asked for
# Galois/counter mode with a nonce of zeros counts from 2. OpenSSL has code for it that
# is twice as fast as that for plain counter mode (20 against 8 GB/s). The tag is never
# made; a stream may have 64 GB.
_COUNTER = modes.GCM(bytes(12))


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
    types = {name: native_type(expected[name].width) for name in words}
    streams = [(_stream(mask.key), mask.adds) for mask in masks]
    room = np.empty(_CHUNK + _BLOCK, dtype=np.uint8)
    masked = {}
    for name in sorted(words):
        made = np.empty(words[name].shape, dtype=types[name])
        flat, source = made.reshape(-1), np.ascontiguousarray(words[name]).reshape(-1)
        step = _CHUNK // made.itemsize
        for begin in range(0, flat.size, step):
            end = begin + step
            _add(source[begin:end], flat[begin:end], streams, room)
        masked[name] = made
    return masked


def _stream(key: bytes) -> CipherContext:
    return Cipher(algorithms.AES(key), _COUNTER).encryptor()


def _add(
    source: Words,
    masked: Words,
    streams: Sequence[tuple[CipherContext, bool]],
    room: Any,
) -> None:
    """Write one chunk with all masks on it; upper bytes are cut off."""
    if source.dtype != masked.dtype or not streams:
        masked[:] = source
        source = masked
    made = room[: masked.nbytes].view(masked.dtype)
    for stream, adds in streams:
        stream.update_into(_ZEROS[: masked.nbytes], room)
        (np.add if adds else np.subtract)(source, made, out=masked)
        source = masked
