"""Damage to a database's file, with and without DuckDB noticing."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np

# Where DuckDB's checksums stand: three headers, then blocks; each is of what follows.
_HEADER, _BLOCK, _BLOCKS = 4_096, 262_144, 12_288
_VERSION = slice(12, 20)


def flips(data: bytes, count: int, dice: Random) -> Iterator[bytes]:
    """Yield a file with one bit flipped, half of them where something is written."""
    written = [place for place, byte in enumerate(data) if byte]
    for number in range(count):
        place = dice.choice(written) if number % 2 else dice.randrange(len(data))
        damaged = bytearray(data)
        damaged[place] ^= 1 << dice.randrange(8)
        yield bytes(damaged)


def cuts(data: bytes, count: int, dice: Random) -> Iterator[bytes]:
    """Yield a file's beginning; the first is empty."""
    yield b""
    for _ in range(count - 1):
        yield data[: dice.randrange(len(data))]


def unnoticed(data: bytes) -> bytes:
    """Return a file whose checksums are right again, whatever it holds."""
    found = bytearray(data)
    spans = [(place, _HEADER) for place in range(0, _BLOCKS, _HEADER)]
    spans += [(place, _BLOCK) for place in range(_BLOCKS, len(data), _BLOCK)]
    for place, size in spans:
        found[place : place + 8] = _checksum(bytes(found[place + 8 : place + size]))
    return bytes(found)


def newer_format(file: Path) -> None:
    """Make a file one of a later DuckDB's."""
    data = bytearray(file.read_bytes())
    data[_VERSION] = (2**20).to_bytes(8, "little")
    file.write_bytes(unnoticed(bytes(data)))


def _checksum(data: bytes) -> bytes:
    """Return DuckDB's own: the words, each times a constant, in one exclusive or."""
    words = np.frombuffer(data, dtype="<u8")
    mixed = words * np.uint64(0xBF58476D1CE4E5B9)  # wraps around
    return (int(np.bitwise_xor.reduce(mixed)) ^ 5381).to_bytes(8, "little")
