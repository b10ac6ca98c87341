"""How many keys somebody would have to try: an estimate from the keys themselves.

The least of three estimates counts: the range of numbers or dates; the characters that
can stand at each position, for each length; and how well one character tells the next
(Shannon 1951), which sees that names are not random letters. All three are rough, and
none knows of a list of all customers that somebody may have.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]

_RANGES = ((48, 57), (65, 90), (97, 122))  # digits, upper case, lower case
_START = -1  # before a key's first character
_DAY_WIDTH = 10
_LONGEST_NUMBER = 300


def key_bits(texts: Sequence[str]) -> float:
    """Return about how many bits the space has that these keys come from.

    Args:
        texts: One key column, normalised.
    """
    by_length: dict[int, list[str]] = {}
    for text in filter(None, texts):
        by_length.setdefault(len(text), []).append(text)
    if not by_length:
        return 0.0
    varying = [_varying(same, length) for length, same in by_length.items()]
    found = [_positions(varying), _sequence(varying)]
    if all(len(t) == _DAY_WIDTH and t[4] == "-" for t in texts):
        found.append(_days(texts))
    if all(t.isascii() and t.isdigit() and len(t) < _LONGEST_NUMBER for t in texts):
        numbers = [int(t) for t in texts]
        found.append(math.log2(max(numbers) - min(numbers) + 1))
    return min(found)


def _varying(texts: Sequence[str], length: int) -> Codes:
    """Return the characters of keys of one length, without positions that never vary.

    Returns:
        (keys, positions) code points.
    """
    raw = "".join(texts).encode("utf-32-le", "surrogatepass")
    characters = np.frombuffer(raw, dtype="<u4").astype(np.int64).reshape(-1, length)
    return characters[:, (characters != characters[0]).any(axis=0)]


def _days(texts: Sequence[str]) -> float:
    try:
        days = [date.fromisoformat(t).toordinal() for t in texts]
    except ValueError:
        return math.inf
    return math.log2(max(days) - min(days) + 1)


def _positions(groups: Iterable[Codes]) -> float:
    """Return the bits where every position may hold any character of a kind seen."""
    bits = [sum(math.log2(_choices(column)) for column in g.T) for g in groups]
    return float(np.logaddexp2.reduce(bits))


def _choices(column: Codes) -> int:
    """Return how many characters can stand at one position."""
    seen = np.unique(column)
    choices = 0
    for low, high in _RANGES:
        within = (seen >= low) & (seen <= high)
        choices += (high - low + 1) * bool(within.any())
        seen = seen[~within]
    return choices + seen.size


def _sequence(groups: Sequence[Codes]) -> float:
    """Return the mean bits of a key where each character depends on the one before."""
    started = [np.pad(g, ((0, 0), (1, 0)), constant_values=_START) for g in groups]
    before = np.concatenate([g[:, :-1].ravel() for g in started])
    after = np.concatenate([g[:, 1:].ravel() for g in started])
    if not after.size:
        return math.log2(len(groups))
    letters, codes = np.unique(np.stack([before, after]), return_inverse=True)
    first, second = codes.reshape(2, -1)
    pairs = np.unique(first * letters.size + second, return_counts=True)[1]
    firsts = np.unique(first, return_counts=True)[1]
    entropy = _entropy(pairs) - _entropy(firsts)
    # Few keys show too few pairs: the correction of Miller (1955).
    entropy += (pairs.size - firsts.size) / (2 * after.size * math.log(2))
    keys = sum(len(g) for g in groups)
    return float(entropy) * after.size / keys + math.log2(len(groups))


def _entropy(counts: Codes) -> float:
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())
