"""Which rows train and which test: decided by a keyed hash of the row's key.

The same customer falls into the same fold whichever domain holds the row and however
many domains there are, and no party has to tell another anything.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import MessageError
from fl_plugin.summand import Floats

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

MAX_FOLDS = 20
MAX_REPEATS = 20
MAX_HOLDOUT = 0.5
MAX_CLASSES = 1_000
# A fold's share of a class, at least, as part of an equal share. Draws are uniform:
# with 20 rows of a class in a fold, one fold in ten million is that narrow by chance.
NARROWEST = 0.25
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, kw_only=True)
class Split:
    """A selection of rows: a hold-out split, or one fold of one repeat.

    Args:
        name: "all" (part "train"), "holdout" by hash, "time" for holding out the
            latest rows, or "cv" for cross-validation.
        part: "train" or "test".
        share: Share of rows held out ("holdout" only).
        folds: Number of folds ("cv" only).
        repeat: Which repetition, from 0.
        fold: Which fold is the test part, from 0.
        cuts: Of stratified folds, per class, the draws between which its folds lie:
            folds - 1 ascending numbers in 0 to 1. They come from `cuts.py`.
        cut: Seconds since 1970; later rows are the test part ("time" only).
    """

    name: str
    part: str
    share: float = 0.0
    folds: int = 0
    repeat: int = 0
    fold: int = 0
    cuts: tuple[tuple[float, ...], ...] = ()
    cut: float = 0.0

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "Split":
        """Return the split that a message names.

        Raises:
            MessageError: It is not one that a run of ours asks for. The limits keep a
                coordinator from cutting out single rows with many narrow folds.
        """
        try:
            cuts = tuple(tuple(of_class) for of_class in raw.get("cuts", ()))
            split = cls(**{**raw, "cuts": cuts})
        except TypeError:
            raise _malformed() from None
        if split.part not in {"train", "test"} or not _fits(split):
            raise _malformed()
        return split

    def contradicts(self, before: "Split") -> bool:
        """Whether one run asks for both only to compare them.

        A run has one hold-out, one number of folds, and in each repeat one set of cuts
        between them. The difference of two that hardly differ would be single rows.
        """
        if self.name == before.name == "cv":
            same = self.repeat != before.repeat or self.cuts == before.cuts
            return self.folds != before.folds or not same
        if {self.name, before.name} <= {"holdout", "time"}:
            mine, other = replace(self, part="test"), replace(before, part="test")
            return mine != other
        return False

    def other(self) -> "Split":
        """Return the other part of the same split."""
        return replace(self, part="test" if self.part == "train" else "train")

    def select(
        self,
        hashes: Hashes,
        seed: int,
        *,
        classes: Floats | None = None,
        times: Floats | None = None,
    ) -> Mask:
        """Return which of the rows belong to this part.

        Args:
            hashes: (rows,) of each row's key; of its group where groups stay together.
            seed: Of the study.
            classes: (rows,) index of each row's class, for stratified folds.
            times: (rows,) seconds since 1970, for a hold-out by time.

        Raises:
            MessageError: Classes or times are needed and are not there.
        """
        if self.name == "all":
            test = np.zeros(len(hashes), dtype=np.bool_)
        elif self.name == "holdout":
            test = uniform(hashes, seed, 0) < self.share
        elif self.name == "time":
            if times is None or len(times) != len(hashes):
                raise _malformed()
            test = times > self.cut
        else:
            test = self._places(hashes, seed, classes) == self.fold
        return test if self.part == "test" else ~test

    def _places(
        self, hashes: Hashes, seed: int, classes: Floats | None
    ) -> npt.NDArray[np.int64]:
        draws = uniform(hashes, seed, 1 + self.repeat)
        if not self.cuts:
            return (draws * self.folds).astype(np.int64)
        if classes is None or (len(classes) and classes.max() >= len(self.cuts)):
            raise _malformed()
        places = np.zeros(len(hashes), dtype=np.int64)
        for index, cuts in enumerate(self.cuts):
            here = classes == index
            places[here] = np.searchsorted(cuts, draws[here], side="left")
        return places


def wide_enough(cuts: Iterable[float], folds: int) -> bool:
    """Whether each fold between these cuts has the share that it must have."""
    ends = [0.0, *cuts, 1.0]
    return all(high - low >= NARROWEST / folds for low, high in pairwise(ends))


def _fits(split: Split) -> bool:
    """Whether a run of ours asks for it."""
    numbers = (split.folds, split.repeat, split.fold)
    if any(type(n) is not int or n < 0 for n in numbers):
        return False
    if not all(isinstance(x, float) and math.isfinite(x) for x in _floats(split)):
        return False
    if split.cuts and split.name != "cv":
        return False
    if split.name == "all":
        return split.part == "train"
    if split.name in {"holdout", "time"}:
        return 0 <= split.share <= MAX_HOLDOUT
    return (
        split.name == "cv"
        and 1 < split.folds <= MAX_FOLDS
        and split.fold < split.folds
        and split.repeat < MAX_REPEATS
        and _cuts_fit(split)
    )


def _cuts_fit(split: Split) -> bool:
    return len(split.cuts) <= MAX_CLASSES and all(
        len(cuts) == split.folds - 1 and wide_enough(cuts, split.folds)
        for cuts in split.cuts
    )


def _floats(split: Split) -> Iterator[Any]:
    yield from (split.share, split.cut)
    for cuts in split.cuts:
        yield from cuts


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
        remedy="Use 2 to 20 folds, up to 20 repeats, a hold-out of at most 0.5, and "
        "no stratified folds of a class that is too small for them.",
    )
