"""Which rows train and which test: decided by a keyed hash of the row's key.

The same customer falls into the same fold whichever domain holds the row and however
many domains there are, and no party has to tell another anything.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import MessageError

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

MAX_FOLDS = 20
MAX_REPEATS = 20
MAX_HOLDOUT = 0.5
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, kw_only=True)
class Split:
    """A selection of rows: the hold-out split, or one fold of one repeat.

    Args:
        name: "all" (part "train"), "holdout", or "cv" for cross-validation.
        part: "train" or "test".
        share: Share of rows held out (hold-out only).
        folds: Number of folds (cross-validation only).
        repeat: Which repetition, from 0.
        fold: Which fold is the test part, from 0.
    """

    name: str
    part: str
    share: float = 0.0
    folds: int = 0
    repeat: int = 0
    fold: int = 0

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "Split":
        """Return the split that a message names.

        Raises:
            MessageError: It is not one that a run of ours asks for. The limits keep a
                coordinator from cutting out single rows with many narrow folds.
        """
        try:
            split = cls(**raw)
        except TypeError:
            raise _malformed() from None
        numbers = (split.folds, split.repeat, split.fold)
        if split.part not in {"train", "test"} or any(
            type(n) is not int or n < 0 for n in numbers
        ):
            raise _malformed()
        if split.name == "all":
            fits = split.part == "train"
        elif split.name == "holdout":
            fits = isinstance(split.share, float) and 0 <= split.share <= MAX_HOLDOUT
        else:
            fits = (
                split.name == "cv"
                and 1 < split.folds <= MAX_FOLDS
                and split.fold < split.folds
                and split.repeat < MAX_REPEATS
            )
        if not fits:
            raise _malformed()
        return split

    def other(self) -> "Split":
        """Return the other part of the same split."""
        return replace(self, part="test" if self.part == "train" else "train")

    def select(self, hashes: Hashes, seed: int) -> Mask:
        """Return which of the rows belong to this part, under the study's seed."""
        if self.name == "all":
            test = np.zeros(len(hashes), dtype=np.bool_)
        elif self.name == "holdout":
            test = uniform(hashes, seed, 0) < self.share
        else:
            draws = uniform(hashes, seed, 1 + self.repeat)
            place = (draws * self.folds).astype(np.int64)
            test = place == self.fold
        return test if self.part == "test" else ~test


def row_hashes(keys: Iterable[bytes]) -> Hashes:
    """Return a 64-bit hash (BLAKE2b) of each row's key."""
    digests = b"".join(
        hashlib.blake2b(k, digest_size=8, person=b"fl-row-1").digest() for k in keys
    )
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def uniform(hashes: Hashes, seed: int, stream: int) -> npt.NDArray[np.float64]:
    """Return numbers in [0, 1), independent between seeds and streams.

    SplitMix64's finaliser (Steele, Lea & Flood 2014) over hash, seed and stream.
    """
    offset = _finalise(np.array([seed % 2**64], dtype=np.uint64))
    offset = offset + np.uint64((stream + 1) * _GOLDEN % 2**64)  # wraps, as meant
    draws = _finalise(hashes + offset) >> np.uint64(11)
    return draws.astype(np.float64) * 2.0**-53


def _finalise(z: Hashes) -> Hashes:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _malformed() -> MessageError:
    return MessageError(
        "A message asks for a selection of rows that no study may ask for.",
        remedy="Use 2 to 20 folds, up to 20 repeats and a hold-out of at most 0.5.",
    )
