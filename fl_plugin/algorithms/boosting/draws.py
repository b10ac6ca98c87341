"""Random numbers of a row that do not depend on who holds it."""

import numpy as np

from fl_plugin.algorithms.base import Hashes
from fl_plugin.summand import Floats

_GOLDEN = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1
# Streams of this room start here, far from those that choose training rows.
_ROOM = 1 << 40


def uniform(hashes: Hashes, seed: int, stream: int) -> Floats:
    """Return a number in [0, 1) per row; another for each seed and stream.

    SplitMix64's finaliser (Steele, Lea & Flood 2014) over hash, seed and stream.
    """
    start = np.uint64(
        ((seed + 1) * _GOLDEN + (_ROOM + stream) * 0xD1B54A32D192ED03) & _WORD
    )
    mixed = _mixed(_mixed(hashes ^ start) + start)
    return np.ldexp((mixed >> np.uint64(11)).astype(np.float64), -53)


def _mixed(words: Hashes) -> Hashes:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
