"""TenSEAL, and the checks of what others say is a ciphertext of it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from fl_plugin.algorithms.checks.arrays import malformed
from fl_plugin.errors import UsageError
from fl_plugin.summand import Floats

FIRST, LAST, LEVEL = 60, 60, 40  # bits of primes
# The most bits that a ring may have at 128-bit security (homomorphic encryption
# standard, 2018): a larger ring only where a smaller one does not do.
RINGS = ((8_192, 218), (16_384, 438))
SPARE = 7  # the most multiplications in a row


@cache
def library() -> Any:
    """Return the package tenseal.

    Raises:
        UsageError: It is not installed.
    """
    try:
        import tenseal  # noqa: PLC0415  # an extra: only these models need it
        import tenseal.sealapi  # noqa: PLC0415  # a lock's parameters are read by it
    except ImportError:
        raise UsageError(
            "Vertical linear models need the package tenseal, which is not installed.",
            remedy="Run pip install 'data-mesh-learning[vertical]' at every domain.",
        ) from None
    return tenseal


def require_tenseal() -> None:
    """Check that ciphertexts can be made here.

    Raises:
        UsageError: TenSEAL is not installed.
    """
    library()


def ring_and_primes(products: int) -> tuple[int, list[int]]:
    """Return the ring and the bits of its primes, for products in a row."""
    # A product without rescaling at the end takes two primes; each before it, a level.
    bits = [FIRST, 58 if products > 1 else FIRST, *[LEVEL] * (products - 1), LAST]
    ring = next((size for size, most in RINGS if sum(bits) <= most), None)
    if ring is None:
        raise UsageError(
            f"At most {SPARE} domains with features can train one vertical model.",
            remedy="Leave a domain out of the study.",
        )
    return ring, bits


@contextmanager
def computing() -> Iterator[None]:
    """Say in words that another's ciphertext is not to be computed with.

    Its scale and its level are what whoever made it says that they are; the library
    finds out when it computes.

    Raises:
        MessageError: It is not.
    """
    try:
        yield
    except (ValueError, RuntimeError, IndexError):
        raise malformed("ciphertext") from None


def decrypted(vector: Any) -> Floats:
    """Return the numbers in a vector.

    Raises:
        MessageError: There are none.
    """
    with computing():
        found = np.array(vector.decrypt())
    if not np.isfinite(found).all():
        raise malformed("ciphertext")
    return found


def bytes_of(vectors: Iterable[Any]) -> tuple[bytes, ...]:
    """Return vectors as bytes; where they are not made yet, they are made now."""
    return tuple(vector.serialize() for vector in vectors)


def serialized(context: Any, *, secret: bool) -> bytes:
    """Return a public key as bytes, with the secret one or without it."""
    raw: bytes = context.serialize(
        save_public_key=True,
        save_secret_key=secret,
        save_galois_keys=False,
        save_relin_keys=False,
    )
    return raw


def loaded(context: Any, raw: bytes, size: int) -> Any:
    """Return a vector of so many slots out of bytes.

    Raises:
        MessageError: They are no fresh ciphertext under this key.
    """
    try:
        vector = library().ckks_vector_from(context, raw)
        inside = vector.ciphertext()
        agreed = vector.size() == size and len(inside) == 1
        agreed = agreed and inside[0].size() == 2  # noqa: PLR2004  # as when fresh
    except (ValueError, RuntimeError, IndexError):
        raise malformed("ciphertext") from None
    if not agreed:
        raise malformed("ciphertext")
    return vector
