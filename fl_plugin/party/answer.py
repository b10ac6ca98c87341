"""What a kind of work answers with, and how its sums become words on the wire."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import MessageError
from fl_plugin.messages import Ask
from fl_plugin.party.session import Session
from fl_plugin.privacy.fixed_point import Grid, Words, encode_limbs
from fl_plugin.privacy.masking import PairwiseMasks

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A party's answer before it is encoded.

    Args:
        body: Facts about this party alone, in the clear.
        counts: Integers to be summed.
        moments: Floats of unknown size to be summed (six words each).
        sums: Floats with a public bound, one array per task, to be summed.
        bounds: The bound of each task's array in `sums`.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, Counts] = field(default_factory=dict)
    moments: Mapping[str, Floats] = field(default_factory=dict)
    sums: Mapping[str, Sequence[Floats]] = field(default_factory=dict)
    bounds: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def words(self, masks: PairwiseMasks | None, context: str) -> dict[str, Words]:
        """Return every summed array as words, masked where there are masks."""
        words = {n: c.astype(np.int64).view(np.uint64) for n, c in self.counts.items()}
        words |= {n: encode_limbs(v) for n, v in self.moments.items()}
        for name, parts in self.sums.items():
            grids = [Grid.for_bound(b) for b in self.bounds[name]]
            encoded = [g.encode(p) for g, p in zip(grids, parts, strict=True)]
            words[name] = np.stack(encoded)
        if masks is None:
            return words
        return {n: masks.mask(w, f"{context}/{n}") for n, w in words.items()}


class Kind(ABC):
    """One kind of work that a coordinator may ask an open party for."""

    name: ClassVar[str]
    releases: ClassVar[str]  # what leaves, in words, for the audit and the report

    @abstractmethod
    def answer(self, session: Session, ask: Ask) -> Answer:
        """Do the work."""


def matrix(ask: Ask, name: str, rows: int, columns: int | None = None) -> Floats:
    """Return a (rows, columns) float array of a message.

    Raises:
        MessageError: It is missing, of another shape, or not finite.
    """
    array = ask.arrays.get(name)
    fits = (
        array is not None
        and array.dtype == np.float64
        and array.ndim == 2  # noqa: PLR2004
        and array.shape[0] == rows
        and (columns is None or array.shape[1] == columns)
    )
    if array is None or not fits or not np.isfinite(array).all():
        raise MessageError(
            f"A message's array {name} is missing, misshapen or not finite.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
    return np.asarray(array, dtype=np.float64)


def whole(ask: Ask, name: str) -> int:
    """Return a positive whole number of a message's body."""
    value = ask.body.get(name)
    if type(value) is not int or not 0 < value <= 2**40:
        raise MessageError(
            f"A message's {name} is not a positive whole number.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
    return value


def rounded(value: float | None, digits: int = 4) -> float | None:
    """Return a figure rounded as it may leave; None where there is none."""
    return None if value is None or not math.isfinite(value) else round(value, digits)
