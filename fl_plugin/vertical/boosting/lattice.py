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

The homomorphic encryption standard (2018) allows a modulus of 109 bits at DEGREE 4,096
for 128-bit security, noise of deviation 3.2 and dense ternary secrets. Here it has 64
bits, which leaves room for noise of 2.8 and for secrets with WEIGHT coefficients that
are not 0: to guess k zeros of such a secret costs about 0.09 k bits, and to have k
unknowns less gains less.
"""

import os
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from fl_plugin.algorithms.boosting.compiled import MISSING_BIN, N_BINS, Sums
from fl_plugin.summand import Array, Floats

DEGREE = 4_096
HALF = DEGREE // 2
SEED = 32  # bytes
WEIGHT = 256  # coefficients of a secret polynomial that are not 0
STEP_BITS = 19  # below them there is room for noise
MESSAGE_BITS = 64 - STEP_BITS
FLOOD_BITS = 17  # noise on an answer, uniform, hides that of the rows in it
MOST_ROWS = 1 << 24  # their noise together stays below the room
_WORD = 32
SHIFTS = (0, 22, 44)  # of the limbs of a word
_LIMB = np.uint64((1 << 22) - 1)
_TWIST = np.exp(1j * np.pi * np.arange(HALF) / DEGREE)


def forward(polynomials: Floats) -> Array:
    """Return values of real polynomials at the roots of X^DEGREE + 1: (..., HALF)."""
    folded = polynomials[..., :HALF] + 1j * polynomials[..., HALF:]
    return np.asarray(np.fft.fft(folded * _TWIST))


def backward(values: Array) -> Array:
    """Return the whole coefficients of polynomials with these values, as words."""
    folded = np.fft.ifft(values) * _TWIST.conj()
    real = np.concatenate([folded.real, folded.imag], axis=-1)
    return np.asarray(np.rint(real).astype(np.int64).view(np.uint64))


def noise(*shape: int) -> Array:
    """Return words of small errors: a centred binomial of 32 coins."""
    size = int(np.prod(shape))
    coins = np.frombuffer(os.urandom(4 * size), dtype=np.uint32)
    heads = np.bitwise_count(coins).astype(np.int64) - _WORD // 2
    return np.asarray(heads.view(np.uint64).reshape(shape))


def small(count: int) -> Array:
    """Return secret polynomials by the places of their ones: (count, WEIGHT) int64.

    The first half are places of 1, the second of -1; all other coefficients are 0.
    """
    keys = np.frombuffer(os.urandom(4 * count * DEGREE), dtype=np.uint32)
    order = np.argsort(keys.reshape(count, DEGREE), axis=1)
    return np.asarray(order[:, :WEIGHT])


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
        stream = Cipher(algorithms.AES(seed), modes.CTR(bytes(16))).encryptor()
        raw = stream.update(bytes(8 * chunks * DEGREE))
        words = np.frombuffer(raw, dtype="<u8").reshape(chunks, DEGREE)
        low = words.astype(np.uint32).view(np.int32)  # centred: smaller products
        high = ((words - low.astype(np.int64).view(np.uint64)) >> np.uint64(32)).astype(
            np.uint32
        )
        halves = np.stack([low, high.view(np.int32)]).astype(np.float64)
        return cls(rows, forward(halves))

    def times(self, polynomial: Floats) -> Array:
        """Return every polynomial times a small one: (chunks + 1, DEGREE) words."""
        values = forward(polynomial)
        low, high = (backward(part * values) for part in self.values)
        return np.asarray(low + (high << np.uint64(32)))

    def encrypt(self, numbers: Array, secret: Floats) -> Array:
        """Return a number per row encrypted, (rows + DEGREE,) words.

        Args:
            numbers: (rows,) int64, whose sums stay within `MESSAGE_BITS`.
            secret: Places of a small polynomial never used before, (WEIGHT,).
        """
        made = self.times(written(secret[None])[0])
        made += noise(*made.shape)
        flat = made.reshape(-1)
        flat[: self.rows] += numbers.view(np.uint64) << np.uint64(STEP_BITS)
        return np.concatenate([flat[: self.rows], made[-1]])


def hint_of(public: Public, column: Array, bins: int) -> tuple[Array, Array]:
    """Return what opens sums over a column's bins, and what hides it.

    Args:
        public: The polynomials.
        column: Bins of the rows, (rows,) from 0 to bins - 1.
        bins: How many sums there are.

    Returns:
        The hint, (bins, DEGREE) words, and the bins' own small polynomials r, (bins,
        WEIGHT), which never leave the party.
    """
    sums = np.zeros((2, bins, HALF), dtype=np.complex128)
    chunks = public.values.shape[1] - 1
    for chunk in range(chunks):
        part = column[chunk * DEGREE : (chunk + 1) * DEGREE]
        inside = np.zeros((bins, DEGREE))
        inside[part, np.arange(len(part))] = 1.0
        values = forward(inside)
        for half in range(2):
            sums[half] += public.values[half, chunk].conj() * values
    own = small(bins)
    values = forward(written(own))
    for half in range(2):
        sums[half] += public.values[half, -1].conj() * values
    low, high = (backward(part) for part in sums)
    return low + (high << np.uint64(32)) + noise(bins, DEGREE), own


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


@dataclass(frozen=True)
class Adder:
    """A feature party's bins, to add words up by bin.

    scikit-learn's compiled histograms add float32 numbers up in float64, two arrays at
    a time: words are cut into limbs that both hold exactly.

    Args:
        x: Bins, (rows, columns), F order.
        places: Of each sum in the (columns, N_BINS) histogram.
        own: Places of the small polynomials that hide the hints, (sums, WEIGHT).
    """

    x: Array
    places: Array
    own: Array

    @classmethod
    def of(cls, x: Array, bins: Array, own: Array) -> "Adder":
        """Return an adder.

        Args:
            x: (columns, rows) uint8, missing ones `MISSING_BIN`.
            bins: Of each column, those that hold values.
            own: As `hint_of` returned them for the columns, joined.
        """
        places = [
            i * N_BINS + np.append(np.arange(k), MISSING_BIN)
            for i, k in enumerate(bins.tolist())
        ]
        return cls(np.asfortranarray(x.T), np.concatenate(places), own)

    def add(self, words: Array) -> Array:
        """Return the sums over all columns' bins: (sums, words) words.

        Args:
            words: (words, rows + DEGREE), as encrypted.
        """
        rows = len(self.x)
        everyone = np.arange(rows, dtype=np.uint32)
        limbs = [
            ((word[:rows] >> np.uint64(shift)) & _LIMB).astype(np.float32)
            for word in words
            for shift in SHIFTS
        ]
        found = np.zeros((len(self.places), len(words)), dtype=np.uint64)
        for i in range(0, len(limbs), 2):
            pair = limbs[i : i + 2]
            summed = Sums(self.x, pair[0], pair[-1]).over(everyone)
            for j, name in enumerate(("sum_gradients", "sum_hessians")[: len(pair)], i):
                whole = summed[name][self.places].astype(np.uint64)
                shift = np.uint64(SHIFTS[j % len(SHIFTS)])
                found[:, j // len(SHIFTS)] += whole << shift
        found += self._hidden(words[:, rows:])
        raw = np.frombuffer(os.urandom(4 * found.size), dtype=np.uint32)
        flood = (raw >> np.uint32(_WORD - 1 - FLOOD_BITS)).astype(np.int64)
        flood -= 1 << FLOOD_BITS
        return np.asarray(found + flood.view(np.uint64).reshape(found.shape))

    def _hidden(self, blank: Array) -> Array:
        """Return the own polynomials times the words that encrypt no rows."""
        half = WEIGHT // 2
        masks = [
            word[self.own[:, :half]].sum(axis=1) - word[self.own[:, half:]].sum(axis=1)
            for word in blank
        ]
        return np.stack(masks, axis=1)


def dense(column: Array, bins: int) -> Array:
    """Return a column's bins with missing ones right behind those that hold values."""
    return np.where(column == MISSING_BIN, bins, column).astype(np.uint16)


def counted(x: Array, bins: Array) -> Array:
    """Return the rows of every column's bins, missing ones last: (sums,) int64."""
    return np.concatenate(
        [
            np.bincount(dense(column, k), minlength=k + 1)
            for column, k in zip(x, bins.tolist(), strict=True)
        ]
    ).astype(np.int64)
