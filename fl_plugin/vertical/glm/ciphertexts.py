"""Vectors under CKKS: who has the key reads them, who has its lock computes with them.

CKKS (Cheon, Kim, Kim & Song 2017) encrypts real vectors so that they can be added and
multiplied by known ones; TenSEAL is Microsoft SEAL with Python on top. A vector of
rows is cut into chunks of `SLOTS` that are encrypted one by one.

Two rules keep it safe. What a lock's holder computed must not be read as it is: the
key's owner could divide it by what it encrypted and find the other factor, also from
the part of a ciphertext that carries no message. So a fresh encryption of a mask, or
of a blind, is added to everything that goes back. And what a key opened must not reach
a party that saw the ciphertext, as its rounding error tells about the key (Li &
Micciancio 2021): every key is made for one look at a model and then thrown away.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fl_plugin.algorithms.checks.arrays import malformed
from fl_plugin.privacy.randomness import Randomness
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.glm.seal import (
    bytes_of,
    computing,
    decrypted,
    library,
    loaded,
    ring_and_primes,
    serialized,
)

SCALE = 2.0**40  # a value is rounded to about this share of 1
MOST_BYTES = 4 * 2**20  # of one chunk, or of a lock
FAINT = 2.0**-36  # a factor whose every entry is smaller rounds to nothing
MASK = 2.0**26  # how much larger a mask is than what it hides


@dataclass(frozen=True)
class Chunks:
    """An encrypted vector as bytes, chunk by chunk."""

    parts: tuple[bytes, ...]

    def arrays(self, name: str) -> dict[str, Array]:
        """Return the arrays of a message that hold it."""
        sizes = np.array([len(part) for part in self.parts], dtype=np.int64)
        return {
            name: np.frombuffer(b"".join(self.parts), dtype=np.uint8),
            f"{name}.sizes": sizes,
        }

    @classmethod
    def of(cls, arrays: Arrays, name: str, count: int) -> "Chunks":
        """Return what a message holds.

        Raises:
            MessageError: It is not `count` chunks.
        """
        told, sizes = arrays.get(name), arrays.get(f"{name}.sizes")
        if told is None or told.dtype != np.uint8 or told.ndim != 1:
            raise malformed(name)
        if sizes is None or sizes.dtype != np.int64 or sizes.shape != (count,):
            raise malformed(f"{name}.sizes")
        fits = (sizes > 0).all() and (sizes <= MOST_BYTES).all()
        if not fits or int(sizes.sum()) != len(told):
            raise malformed(f"{name}.sizes")
        ends = np.cumsum(sizes)
        raw = told.tobytes()
        return cls(
            tuple(raw[end - size : end] for end, size in zip(ends, sizes, strict=True))
        )


class Lock:
    """The public half of a key: encrypts, and computes with what is encrypted.

    Args:
        context: Of TenSEAL, with a public key.
        rows: Length of every vector; the last chunk is filled up with zeros.
        draws: Where masks are drawn from. SEAL draws what it encrypts with by itself
            and takes no seed: what it made is kept there (`privacy.made`).
    """

    def __init__(self, context: Any, rows: int, draws: Randomness) -> None:
        context.auto_relin = False
        context.auto_rescale = False
        context.auto_mod_switch = True
        self._context = context
        self._rows = rows
        self._draws = draws
        self._masks = draws.stream("masks of products")
        ring = context.seal_context().data.key_context_data().parms()
        self._slots = int(ring.poly_modulus_degree()) // 2

    @classmethod
    def of(
        cls,
        told: Array | None,
        products: int,
        rows: int,
        draws: Randomness | None = None,
    ) -> "Lock":
        """Return the lock that a message holds.

        Args:
            told: Its bytes.
            products: How many multiplications in a row it must bear.
            rows: Length of every vector.
            draws: As of a lock; none to draw anew.

        Raises:
            MessageError: It is none, or of other sizes than are agreed.
        """
        if told is None or told.dtype != np.uint8 or told.ndim != 1:
            raise malformed("lock")
        if len(told) > MOST_BYTES:
            raise malformed("lock")
        try:
            context = library().context_from(told.tobytes(), n_threads=1)
            found = context.seal_context().data.key_context_data().parms()
            bits = [prime.bit_count() for prime in found.coeff_modulus()]
            agreed = (found.poly_modulus_degree(), bits) == ring_and_primes(products)
            agreed = agreed and context.has_public_key()
        except (ValueError, RuntimeError, IndexError, TypeError):
            raise malformed("lock") from None
        if not agreed:
            raise malformed("lock")
        context.global_scale = SCALE
        return cls(context, rows, draws or Randomness.fresh())

    @property
    def chunks(self) -> int:
        """How many chunks a vector has."""
        return math.ceil(self._rows / self._slots)

    def encrypt(self, values: Floats) -> Chunks:
        """Return a vector encrypted, (rows,).

        Raises:
            MessageError: A number is too large: it came from what another sent.
        """
        with computing():
            return self._kept(self._fresh(piece) for piece in self._pieces(values))

    def read(self, chunks: Chunks) -> list[Any]:
        """Return vectors to compute with.

        Raises:
            MessageError: They are no ciphertexts under this key.
        """
        return [loaded(self._context, part, self._slots) for part in chunks.parts]

    def plus(self, vectors: list[Any], values: Floats) -> Chunks:
        """Return encrypted vectors plus known values, encrypted afresh."""
        places = zip(vectors, self._pieces(values), strict=True)
        with computing():
            return self._kept(one + self._fresh(piece) for one, piece in places)

    def times(self, vectors: list[Any], values: Floats) -> Chunks:
        """Return encrypted vectors times known values, for one who multiplies on."""
        self._context.auto_rescale = True
        places = zip(vectors, self._pieces(values), strict=True)
        with computing():
            done = [one * piece for one, piece in places]
            self._context.auto_rescale = False
            return Chunks(bytes_of(done))

    def times_plus(self, vectors: list[Any], by: Floats, plus: Floats) -> Chunks:
        """Return encrypted vectors times and plus known values, for the key's owner."""
        places = zip(vectors, self._pieces(by), self._pieces(plus), strict=True)
        with computing():
            made = (one * b + self._fresh(p, SCALE**2) for one, b, p in places)
            return self._kept(made)

    def products(
        self, vectors: list[Any], columns: Iterable[Floats], reach: float
    ) -> tuple[Chunks, Floats]:
        """Return each column's product with an encrypted vector, under masks.

        Args:
            vectors: As read.
            columns: Each (rows,).
            reach: About the largest entry of a row's product.

        Returns:
            For each column one chunk whose slots add up to the product and a mask, and
            what the masks add up to: (columns,).
        """
        size = MASK * reach * math.sqrt(self.chunks)
        found: list[bytes] = []
        totals = []
        for column in columns:
            mask = size * uniform(self._masks(8 * self._slots))
            with computing():
                found += self._kept(self._product(vectors, column, mask)).parts
            totals.append(math.fsum(mask))
        return Chunks(tuple(found)), np.array(totals)

    def _product(
        self, vectors: list[Any], column: Floats, mask: Floats
    ) -> Iterator[Any]:
        """Yield one vector: a column's product under a mask."""
        total = self._fresh(mask, SCALE**2)
        for vector, piece in zip(vectors, self._pieces(column), strict=True):
            if np.abs(piece).max() > FAINT:
                total = total + vector * piece
        yield total

    def _kept(self, vectors: Iterable[Any]) -> Chunks:
        """Return vectors as bytes; where they were made before, as they were then."""
        return Chunks(self._draws.made.once(lambda: bytes_of(vectors)))

    def _fresh(self, values: Floats, scale: float = SCALE) -> Any:
        return library().ckks_vector(self._context, values, scale)

    def _pieces(self, values: Floats) -> Iterator[Floats]:
        for begin in range(0, self._rows, self._slots):
            piece = values[begin : begin + self._slots]
            if len(piece) < self._slots:
                piece = np.append(piece, np.zeros(self._slots - len(piece)))
            yield piece


class Key(Lock):
    """A key of one's own, for one use; its lock is for others."""

    @classmethod
    def fresh(cls, products: int, rows: int, draws: Randomness | None = None) -> "Key":
        """Return a new key.

        Args:
            products: How many multiplications in a row it must bear.
            rows: Length of every vector.
            draws: As of a lock; none to draw anew.

        Raises:
            UsageError: TenSEAL is not installed, or there are too many products.
        """
        ring, bits = ring_and_primes(products)
        draws = draws or Randomness.fresh()
        new: list[Any] = []

        def make() -> tuple[bytes, ...]:
            scheme = library().SCHEME_TYPE.CKKS
            context = library().context(
                scheme, ring, coeff_mod_bit_sizes=bits, n_threads=1
            )
            new.append(context)
            return (serialized(context, secret=True),)

        (raw,) = draws.made.once(make)
        context = new[0] if new else library().context_from(raw, n_threads=1)
        context.global_scale = SCALE
        return cls(context, rows, draws)

    @property
    def lock(self) -> Array:
        """What others need to encrypt and compute: (bytes,) uint8."""
        return np.frombuffer(serialized(self._context, secret=False), dtype=np.uint8)

    def open(self, chunks: Chunks) -> Floats:
        """Return a vector, (rows,).

        Raises:
            MessageError: It is no ciphertext under this key.
        """
        opened = [decrypted(vector) for vector in self.read(chunks)]
        return np.concatenate(opened)[: self._rows]

    def totals(self, chunks: Chunks) -> Floats:
        """Return what the slots of every chunk add up to: (chunks,).

        Raises:
            MessageError: They are no ciphertexts under this key.
        """
        return np.array([math.fsum(decrypted(v)) for v in self.read(chunks)])


def uniform(random: bytes) -> Floats:
    """Return numbers between -1 and 1 made of 8 random bytes each."""
    return np.frombuffer(random, dtype="<i8") * 2.0**-63
