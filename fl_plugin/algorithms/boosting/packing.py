"""Several sums of a bin as one long whole number, in as few words as hold it.

A bin has a summed gradient, mostly a summed second derivative, and a count. Each has a
public bound, so each takes a fixed number of bits. They stand side by side in one long
number: the count lowest, the gradient, which alone may be negative, on top. Long
numbers add as their fields do. They are cut into words of 64 bits, mostly two; where a
word is not the highest it has bits to spare for the carries of all parties' parts.
Every word costs a mask with each peer, so fewer words are less work for everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np

from fl_plugin.algorithms.boosting.questions import malformed
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Array, Summand

HIGHEST = 63  # bits of the highest word, with its sign
MOST_WORDS = 4
Span = tuple[int, int]  # a field's or a word's place in the long number: bits


@dataclass(frozen=True)
class Packing:
    """How fields stand in words.

    Args:
        bounds: By field, lowest first: the largest absolute value of any part and of
            the total. Only the last field may be negative.
        fields: Place of each field.
        words: Place of each word.
        parties: How many parts are added.
    """

    bounds: Mapping[str, int]
    fields: tuple[Span, ...]
    words: tuple[Span, ...]
    parties: int

    def expected(self, nodes: int, bins: int) -> Summand:
        """Return what an answer of so many long numbers looks like."""
        *lower, highest = (end - begin for begin, end in self.words)
        bounds = [self.parties * ((1 << bits) - 1) for bits in lower]
        bounds.append((1 << (highest - 1)) + self.parties)
        shape = (len(self.words), nodes, bins)
        return Summand(shape=shape, bound=float(max(bounds)), integer=True)

    def pack(self, fields: Array, words: Array) -> None:
        """Write one party's sums as words.

        Args:
            fields: In the order of `bounds` along the first axis, int64.
            words: Where to, lowest first along the first axis, int64.

        Raises:
            TrainingError: A field is beyond its bound; nothing must be sent.
        """
        *lower, (highest, most) = zip(fields, self.bounds.values(), strict=True)
        for numbers, largest in lower:
            # A negative one is huge without its sign.
            if numbers.view(np.uint64).max(initial=0) > largest:
                raise _beyond()
        if highest.max(initial=0) > most or highest.min(initial=0) < -most:
            raise _beyond()
        for word, span in zip(words, self.words, strict=True):
            _move(fields, self.fields, word, span)

    def unpack(self, totals: Array) -> dict[str, Array]:
        """Return the fields of decoded sums by name, int64.

        Args:
            totals: The words, lowest first along the first axis, int64.
        """
        words: list[Array] = []
        carry: Array | int = 0
        for total, (begin, end) in zip(totals, self.words, strict=True):
            word = total + carry
            if end < self.words[-1][1]:
                word, carry = word & _ones(end - begin), word >> (end - begin)
            words.append(word)
        found = {name: np.empty_like(words[0]) for name in self.bounds}
        for field, span in zip(found.values(), self.fields, strict=True):
            _move(words, self.words, field, span)
        return found


@lru_cache(maxsize=8)
def packing_of(
    bounds: tuple[int, int, int], parties: int, *, constant: bool
) -> Packing:
    """Return the packing in the fewest words that hold every total.

    Args:
        bounds: Of gradients, hessians and counts.
        parties: How many parts are added.
        constant: Whether hessians are left out, all being 1.

    Raises:
        MessageError: Too many words would be needed.
    """
    gradient, hessian, count = bounds
    limits = {"counts": count, "hessians": hessian, "gradients": gradient}
    if constant:
        del limits["hessians"]
    bits = [limit.bit_length() for limit in limits.values()]
    bits[-1] += 1  # its sign
    fields = tuple(pairwise(accumulate(bits, initial=0)))
    room = HIGHEST - parties.bit_length()  # of a word that is not the highest
    for lower in range(MOST_WORDS if room > 0 else 0):
        # As much as possible in the lower words, but a field in one piece if it fits.
        left = sum(bits) - lower * room
        if left <= HIGHEST:
            ends = _ends(fields, lower, room)
            return Packing(limits, fields, tuple(pairwise(ends)), parties)
    raise malformed("bounds")


def _ends(fields: Sequence[Span], lower: int, room: int) -> list[int]:
    """Return where words end: between fields where that leaves few enough bits."""
    last = fields[-1][1]
    ends = [0]
    for word in range(lower):
        least = last - HIGHEST - (lower - word - 1) * room  # the rest must fit
        most = ends[-1] + room
        between = [end for _, end in fields[:-1] if least <= end <= most]
        ends.append(between[-1] if between and between[-1] > ends[-1] else most)
    return [*ends, last]


def _move(
    numbers: Array | Sequence[Array], spans: Sequence[Span], to: Array, place: Span
) -> None:
    """Write those bits of the long number that are within a place, as numbers.

    Args:
        numbers: Pieces of the long number, int64; all but the last not negative.
        spans: The place of each.
        to: Where to write; a sign is kept where the place ends with the last piece.
        place: Of what is written.
    """
    pieces = zip(numbers, spans, strict=True)
    within = [(n, b, e) for n, (b, e) in pieces if b < place[1] and e > place[0]]
    # The highest first: mostly it is shifted straight to where the others are added.
    for count, (piece, begin, end) in enumerate(reversed(within)):
        low, high = max(begin, place[0]), min(end, place[1])
        bits, out = piece, None if count else to
        if low > begin:
            bits = np.right_shift(bits, low - begin, out=out)
        if high < end:
            bits = np.bitwise_and(bits, _ones(high - low), out=out)
        if low > place[0]:
            bits = np.left_shift(bits, low - place[0], out=out)
        if count:
            to += bits
        elif bits is not to:
            to[...] = bits


def _ones(bits: int) -> int:
    return (1 << bits) - 1


def _beyond() -> TrainingError:
    return TrainingError(
        "A party's part of a sum is outside the range that its public bound allows.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
