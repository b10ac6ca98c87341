"""Sums of encrypted numbers over rows that only the summing party knows, from lattices.

The label party encrypts one number per row; a feature party adds up those of the rows
in each of its bins; only the label party can open the sums. Encryption is that of
learning with errors over a ring (Regev 2005; Lyubashevsky, Peikert & Regev 2010): with
public random polynomials a_c, one for every `DEGREE` rows, and a fresh small s,

    b = a_c s + e + STEP m      modulo X^DEGREE + 1 and 2^64.

Sums of entries of b hold sums of m, and are opened by what the same sums of rows of
the matrix of a_c are, times s. The bins stay the same over a whole fit: so the feature
party works these sums out once, as in SimplePIR (Henzinger et al. 2023), and adding up
afterwards is adding up words. They would tell about the bins; so to each of them an
encryption of zero is added, r a + f with r and f of its own, and the answers are
corrected for it by a last polynomial that encrypts no rows at all.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import fft, ifft

from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.summand import Array, Floats
from fl_plugin.vertical.boosting.draws import expanded, noise, small
from fl_plugin.vertical.boosting.parameters import DEGREE, HALF, STEP_BITS, WEIGHT

_WORD = np.uint64(32)
_TWIST = np.exp(1j * np.pi * np.arange(HALF) / DEGREE)
_UNTWIST = _TWIST.conj()
# Bins that are worked on at a time, so that they stay in the core's cache.
_TOGETHER = 16
# Parts of a word: which rows, and a number for each.
Message = Sequence[tuple[Array, Array]]


def forward(polynomials: Floats) -> Array:
    """Return values of real polynomials at the roots of X^DEGREE + 1: (..., HALF)."""
    folded = np.empty((*polynomials.shape[:-1], HALF), dtype=np.complex128)
    folded.real, folded.imag = polynomials[..., :HALF], polynomials[..., HALF:]
    folded *= _TWIST
    return np.asarray(fft(folded, overwrite_x=True))


def backward(values: Array) -> Array:
    """Return the whole coefficients of polynomials with these values, overwritten."""
    folded = np.asarray(ifft(values, overwrite_x=True))
    folded *= _UNTWIST
    whole = np.empty((*values.shape[:-1], DEGREE), dtype=np.int64)
    np.rint(folded.real, out=whole[..., :HALF], casting="unsafe")
    np.rint(folded.imag, out=whole[..., HALF:], casting="unsafe")
    return whole.view(np.uint64)


def written(places: Array) -> Floats:
    """Return small polynomials as coefficients, (count, DEGREE)."""
    found = np.zeros((len(places), DEGREE))
    np.put_along_axis(found, places[:, : WEIGHT // 2], 1.0, axis=1)
    np.put_along_axis(found, places[:, WEIGHT // 2 :], -1.0, axis=1)
    return found


@dataclass(frozen=True)
class Public:
    """The public polynomials, as values at the roots.

    Args:
        rows: Of the fit.
        values: Of the low and the high halves of the words, (2, chunks + 1, HALF): one
            chunk for every DEGREE rows, and the last one that encrypts no rows.
    """

    rows: int
    values: Array

    @classmethod
    def of(cls, seed: bytes, rows: int) -> "Public":
        """Return what all sides derive from a public seed."""
        chunks = -(-rows // DEGREE) + 1
        raw = expanded(seed, 8 * chunks * DEGREE)
        words = np.frombuffer(raw, dtype="<u8").reshape(chunks, DEGREE)
        low = words.astype(np.uint32).view(np.int32)  # centred: smaller products
        high = ((words - low.astype(np.int64).view(np.uint64)) >> _WORD).astype(
            np.uint32
        )
        halves = np.stack([low, high.view(np.int32)]).astype(np.float64)
        return cls(rows, forward(halves))

    def times(self, polynomial: Floats) -> Array:
        """Return every polynomial times a small one: (chunks + 1, DEGREE) words."""
        values = forward(polynomial)
        low, high = (backward(part * values) for part in self.values)
        high <<= _WORD
        high += low
        return high

    def encrypt(
        self,
        messages: Sequence[Message],
        secrets: Array,
        source: RandomBytes = os.urandom,
    ) -> Array:
        """Return words encrypted, (rows + DEGREE, words).

        Args:
            messages: Per word the numbers of some rows, int64, one part on another;
                all others are 0. Their sums stay within `MESSAGE_BITS`.
            secrets: Places of small polynomials never used before, (words, WEIGHT).
            source: Where errors are drawn from.
        """
        found = np.empty((self.rows + DEGREE, len(messages)), dtype=np.uint64)
        factors = written(secrets)
        for at, message in enumerate(messages):
            made = self.times(factors[at])
            made += noise(*made.shape, source=source)
            flat = made.reshape(-1)
            for rows, numbers in message:
                flat[rows] += numbers.view(np.uint64) << np.uint64(STEP_BITS)
            found[: self.rows, at] = flat[: self.rows]
            found[self.rows :, at] = made[-1]
        return found


def hint_of(
    public: Public, column: Array, bins: int, source: RandomBytes = os.urandom
) -> tuple[Array, Array]:
    """Return what opens sums over a column's bins, and what hides it.

    Args:
        public: The polynomials.
        column: Bins of the rows, (rows,) from 0 to bins - 1.
        bins: How many sums there are.
        source: Where secrets and errors are drawn from.

    Returns:
        The hint, (bins, DEGREE) words, and the bins' own small polynomials r, (bins,
        WEIGHT), which never leave the party.
    """
    own = small(bins, source)
    hint = noise(bins, DEGREE, source=source)
    factors = public.values.conj()
    order = [np.argsort(part, kind="stable") for part in _chunks(column)]
    for begin in range(0, bins, _TOGETHER):
        end = min(begin + _TOGETHER, bins)
        hidden = forward(written(own[begin:end]))
        sums = factors[:, -1:] * hidden
        room = np.empty_like(hidden)
        for chunk, part in enumerate(_chunks(column)):
            first, last = np.searchsorted(part, (begin, end), sorter=order[chunk])
            at = order[chunk][first:last]
            values = _inside(part[at] - begin, at, end - begin)
            for half in range(2):
                np.multiply(values, factors[half, chunk], out=room)
                sums[half] += room
        low, high = (backward(part) for part in sums)
        hint[begin:end] += low + (high << _WORD)
    return hint, own


def _chunks(column: Array) -> list[Array]:
    return [column[i : i + DEGREE] for i in range(0, len(column), DEGREE)]


def _inside(bins: Array, places: Array, count: int) -> Array:
    """Return, per bin, the values of the polynomial with a 1 at each of its places."""
    folded = np.zeros((count, HALF), dtype=np.complex128)
    late = places >= HALF
    folded[bins[~late], places[~late]] = _TWIST[places[~late]]
    folded[bins[late], places[late] - HALF] += 1j * _TWIST[places[late] - HALF]
    return np.asarray(fft(folded, overwrite_x=True))


@dataclass(frozen=True)
class Opener:
    """The label party's hints of one feature party, ready to open sums.

    Args:
        hints: Coefficient by coefficient, (DEGREE, sums) words.
    """

    hints: Array

    @property
    def size(self) -> int:
        """How many sums it opens."""
        return int(self.hints.shape[1])

    @classmethod
    def of(cls, hints: Array) -> "Opener":
        """Return an opener for hints, (sums, DEGREE) words."""
        return cls(np.ascontiguousarray(hints.T))

    def open(self, answers: Array, secrets: Array) -> Array:
        """Return sums, (sums, words) int64.

        Args:
            answers: (sums, words) words.
            secrets: Under which each word was encrypted, (words, WEIGHT).
        """
        half = WEIGHT // 2
        masks = [
            self.hints[s[:half]].sum(axis=0) - self.hints[s[half:]].sum(axis=0)
            for s in secrets
        ]
        return _rounded(answers - np.stack(masks, axis=1))


def _rounded(words: Array) -> Array:
    half = np.uint64(1 << (STEP_BITS - 1))
    return np.asarray((words + half).view(np.int64) >> STEP_BITS)
