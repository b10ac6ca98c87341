"""Keys from keys: X25519 between two parties, then HKDF-SHA-256 for each use.

What a key is for is part of its derivation (the run; then the use, the parties, the
round), so no key does two things. RFC 7748, RFC 5869.
"""

import hashlib
import json
from collections.abc import Sequence

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from fl_plugin.privacy.terms import VERSION, refused

KEY_BYTES = 32


def agree(private: X25519PrivateKey, public: bytes, run: str) -> bytes:
    """Return what two parties alone know in one run, 32 bytes.

    Raises:
        MessageError: The public key is no point, or one of low order.
    """
    try:
        # An all-zero result, from a point of low order, is an error there.
        secret = private.exchange(X25519PublicKey.from_public_bytes(public))
    except (ValueError, InvalidKey):
        raise refused("a public key is not valid") from None
    salt = hashlib.sha256(run.encode()).digest()
    return HKDF(
        algorithm=hashes.SHA256(), length=KEY_BYTES, salt=salt, info=VERSION.encode()
    ).derive(secret)


def key_for(secret: bytes, use: str, facts: Sequence[str | int]) -> bytes:
    """Return the key for one use of a secret.

    Args:
        secret: 32 uniform bytes: what `agree` returned, or a seed.
        use: What the key does ("pair mask", "own mask", "shares").
        facts: Everything that tells this use from others, in a fixed order.
    """
    info = json.dumps([VERSION, use, *facts], separators=(",", ":")).encode()
    return HKDFExpand(algorithm=hashes.SHA256(), length=KEY_BYTES, info=info).derive(
        secret
    )


def seal(seed: bytes) -> bytes:
    """Return the commitment to a seed: whoever gives the seed back is found right."""
    return hashlib.sha256(b"seal of a seed\0" + seed).digest()


def digest_of(names: Sequence[str], context: str) -> str:
    """Return what a message's masks hang on: who takes part, and what was asked."""
    text = json.dumps([list(names), context], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
