"""A party's part of a sum as words, and the sum of words as numbers again."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.fixed_point import (
    LIMBS,
    Words,
    decode_limbs,
    encode_limbs,
)
from fl_plugin.summand import (
    WORD_BYTES,
    Array,
    Arrays,
    Floats,
    Summand,
    native_type,
)

_NUMBERS = "biuf"


def encode(summand: Summand, part: Array) -> Words:
    """Return a party's part as words, (6, *shape) where nothing bounds it.

    Words of 64 bits; a part that is in the type already that is sent stays as it is.

    Raises:
        TrainingError: The part is not what the summand promises; nothing is sent.
    """
    if part.shape != summand.shape or part.dtype.kind not in _NUMBERS:
        raise _broken("of another shape or type than was agreed")
    if summand.bound is None:
        return encode_limbs(np.asarray(part, dtype=np.float64))
    if not _within(part, _spread(summand, summand.bound)):
        raise _broken("outside the range that its public bound allows")
    if summand.integer:
        if part.dtype == native_type(summand.width):
            return part  # as it is sent
        whole: npt.NDArray[np.int64] = part.astype(np.int64, copy=False)
        if part.dtype.kind == "f" and not np.array_equal(whole, part):
            raise _broken("not whole, as was agreed")
        return whole.view(np.uint64)
    # A power of two scales exactly, here and in `decode`: as ldexp, but faster.
    scaled = np.asarray(part * np.ldexp(1.0, _exponents(summand)))
    steps: npt.NDArray[np.int64] = np.rint(scaled, out=scaled).astype(np.int64)
    return steps.view(np.uint64)


def encode_part(
    domain: str, expected: Mapping[str, Summand], part: Arrays
) -> dict[str, Words]:
    """Return a whole answer as words, every array of it proven first.

    Args:
        domain: Whose answer it is, for the message.
        expected: What was agreed: the summand of every array.
        part: The arrays, by name.

    Raises:
        TrainingError: An array is not what its summand promises; nothing is sent.
    """
    if set(part) != set(expected):
        raise _broken("made of other arrays than were agreed", domain)
    words = {}
    for name, summand in expected.items():
        try:
            words[name] = encode(summand, np.asarray(part[name]))
        except TrainingError as error:
            raise TrainingError(
                f"{domain}, {name}: {error.problem}", remedy=error.remedy
            ) from None
    return words


def decode(summand: Summand, total: Words) -> Array:
    """Return the summed values, float64, or int64 of an integer summand."""
    if summand.bound is None:
        return decode_limbs(total)
    signed = _signed(total, summand.width)
    if summand.integer:
        return signed
    values: Floats = signed.astype(np.float64)
    return values * np.ldexp(1.0, -_exponents(summand))


def _signed(total: Words, width: int) -> npt.NDArray[np.int64]:
    """Return the low `width` bytes as numbers: the highest of them holds the sign."""
    if total.dtype.itemsize == width:
        return total.view(f"i{width}").astype(np.int64, copy=False)
    unused = np.uint64(64 - 8 * width)
    whole = total.astype(np.uint64, copy=False)
    return (whole << unused).view(np.int64) >> unused.astype(np.int64)


def words_shape(summand: Summand) -> tuple[int, ...]:
    """Return the shape of the encoded part."""
    return (LIMBS, *summand.shape) if summand.bound is None else summand.shape


def check_room(expected: Mapping[str, Summand], parties: int) -> None:
    """Prove, before anything is encoded, that no total can leave its words.

    A total of a grid is at most 2^(8 width - 3) and half a step for each party's
    rounding; an integer total is at most its bound; a limb at most 2^30 a party.

    Raises:
        TrainingError: An array is too narrow for its bound or for so many parties.
    """
    for name, summand in expected.items():
        room = 2.0 ** (8 * summand.width - 1)
        if summand.bound is None:
            fits = summand.width == WORD_BYTES and not summand.integer
        elif summand.integer:
            fits = bool(np.max(summand.bound, initial=0.0) < room)
        else:
            fits = room / 4 + parties / 2 < room
        if not fits:
            raise TrainingError(
                f"The sum {name} could overflow the {summand.width} bytes of a number.",
                remedy="The algorithm must give it a smaller bound or more bytes.",
            )


def pack(words: Array, width: int) -> Array:
    """Return the low `width` bytes of each word, (*shape, width) uint8.

    Addition modulo 2^64 agrees with addition modulo 2^(8 width) in the low bytes, so
    sums and masks survive the cut.

    Args:
        words: Unsigned words of at least that width.
        width: 8 leaves the words as they are.
    """
    if width == WORD_BYTES:
        return words
    size = words.dtype.itemsize
    little = np.ascontiguousarray(words, dtype=f"<u{size}").reshape(-1)
    if width == size:
        return little.view(np.uint8).reshape(*words.shape, width)
    piece = _piece(width, size)
    source = little.view(piece).reshape(-1, size // piece.itemsize)
    cut = np.empty((little.size, width // piece.itemsize), dtype=piece)
    for i in range(cut.shape[1]):
        cut[:, i] = source[:, i]
    return cut.view(np.uint8).reshape(*words.shape, width)


def unpack(packed: Array, shape: tuple[int, ...], width: int) -> Words:
    """Return the words that `pack` cut, in the smallest native size that holds them.

    Raises:
        MessageError: The array is not of that shape and width.
    """
    kind, expected = (
        (np.uint64, shape) if width == WORD_BYTES else (np.uint8, (*shape, width))
    )
    if packed.dtype != kind or packed.shape != expected:
        raise MessageError(
            "A party sent an array of another shape than was asked for.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
    if width == WORD_BYTES:
        return packed
    flat, native = np.ascontiguousarray(packed).reshape(-1), native_type(width)
    if width == native.itemsize:
        return flat.view(native).reshape(shape)
    piece = _piece(width, native.itemsize)
    source = flat.view(piece).reshape(-1, width // piece.itemsize)
    words = np.zeros((len(source), native.itemsize // piece.itemsize), dtype=piece)
    for i in range(source.shape[1]):
        words[:, i] = source[:, i]
    return words.reshape(-1).view(native).reshape(shape)


def _piece(width: int, size: int) -> "np.dtype[Any]":
    """Return the largest type that both a word and its cut consist of.

    Copied column by column: a slice of bytes is copied byte by byte, several times as
    slowly.
    """
    return np.dtype(f"<u{math.gcd(width, size)}")


def is_within(summand: Summand, values: Array, slack: float = 0.0) -> bool:
    """Return whether decoded values keep the summand's bound, rounding apart.

    Args:
        summand: What was agreed.
        values: Decoded, of the summand's shape.
        slack: What rounding may have added.
    """
    if summand.bound is None:
        return True
    return _within(values, _spread(summand, summand.bound) + slack)


def _within(values: Array, bound: Array) -> bool:
    if values.size and bound.size == 1:
        # No array of comparisons is made. NaN, where there is one, is both ends.
        most = bound.item()
        return bool(-most <= values.min().item() and values.max().item() <= most)
    # Two comparisons: the absolute value of the smallest integer is itself.
    return bool(((values <= bound) & (values >= -bound)).all())  # NaN is in neither


def _exponents(summand: Summand) -> Array:
    try:
        return _spread(summand, summand.exponents)
    except ValueError:
        raise _broken("without a finite bound") from None


def _spread(summand: Summand, values: "float | Floats | Array") -> Array:
    """Return values per entry of the first axis, shaped to meet the whole array."""
    array = np.asarray(values)
    return array.reshape(array.shape + (1,) * (len(summand.shape) - array.ndim))


def _broken(how: str, whose: str = "A party") -> TrainingError:
    return TrainingError(
        f"{whose}'s part of a sum is {how}.",
        remedy="Check the product for infinite or absurdly large values: `bounds` in "
        "its contract and a test on the column would catch them.",
    )
