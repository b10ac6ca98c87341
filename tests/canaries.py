"""Values that occur nowhere else, and a search for them in any bytes.

They are looked for as text, as JSON, in base64 and as the bytes of a float or an
integer.
"""

import base64
import struct
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

_BITS = 22  # of the table; a hundred thousand needles mark a fortieth of it


def spellings_of_text(text: str) -> Iterator[bytes]:
    """Yield every way a text may be written."""
    raw = text.encode()
    yield raw
    for shift in range(3):  # base64 depends on where the text begins
        yield base64.b64encode(b"\x00" * shift + raw)[4:-4]


def spellings_of_number(number: int) -> Iterator[bytes]:
    """Yield every way a number may be written."""
    yield str(number).encode()
    yield struct.pack("<d", float(number))
    yield struct.pack("<q", number)
    yield struct.pack(">d", float(number))
    yield float(number).hex().encode()


class Search:
    """Looks for many byte strings, of eight bytes or more, at once."""

    def __init__(self, needles: Mapping[str, Sequence[bytes]]) -> None:
        self._by_start: dict[int, list[bytes]] = {}
        for needle in (n for words in needles.values() for n in words):
            start = int.from_bytes(needle[:8], "little")
            self._by_start.setdefault(start, []).append(needle)
        starts = np.array(sorted(self._by_start), dtype=np.uint64)
        self._marked = np.zeros(1 << _BITS, dtype=np.bool_)
        self._marked[_slots(starts)] = True

    def found(self, haystack: bytes) -> bool:
        """Return whether any of them is in these bytes."""
        return any(self._found_from(haystack, shift) for shift in range(8))

    def _found_from(self, haystack: bytes, shift: int) -> bool:
        count = (len(haystack) - shift) // 8
        if count <= 0:
            return False
        windows = np.frombuffer(haystack, "<u8", count, shift)
        hits = np.flatnonzero(self._marked[_slots(windows)])  # and some by chance
        return any(
            haystack.startswith(needle, shift + 8 * int(place))
            for place in hits
            for needle in self._by_start.get(int(windows[place]), ())
        )


def _slots(windows: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return each window's place in a table, by multiplicative hashing."""
    return (windows * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _BITS)
