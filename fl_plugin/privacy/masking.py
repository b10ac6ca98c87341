"""Pairwise masks: what one party sends looks random, what all send adds up.

Every pair of parties agrees on a secret (X25519); for each message each side derives
the same pseudo-random words from it (HKDF-SHA-256, then AES-256 in counter mode), one
adds them, the other subtracts them, in Z_2^64. The masks cancel in the sum over all
parties and in no smaller sum. After Bonawitz et al. (2017), "Practical Secure
Aggregation for Privacy-Preserving Machine Learning", section 4.

Limits, stated: the coordinator relays the public keys and they are not yet signed, so
a coordinator that swaps keys is not detected; and a party that drops out stops the
round. With fewer than three parties a sum tells each party the other's part, so
`PairwiseMasks` refuses.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fl_plugin.errors import MessageError
from fl_plugin.privacy.fixed_point import Words

MIN_PARTIES = 3


class PairwiseMasks:
    """One party's masks for one run.

    Args:
        me: This party's name.
        run: The run's id; keys of one run are useless in another.
        private: This party's key, made for this run and kept nowhere else.
        publics: Every party's public key (32 bytes), this party's among them.
    """

    def __init__(
        self,
        me: str,
        run: str,
        private: X25519PrivateKey,
        publics: Mapping[str, bytes],
    ) -> None:
        mine = private.public_key().public_bytes_raw()
        if publics.get(me) != mine:
            raise _refused("the list of keys does not hold this party's own")
        if len(publics) < MIN_PARTIES or len(set(publics.values())) < len(publics):
            raise _refused("fewer than three different parties are in the round")
        self._me = me
        self._salt = hashlib.sha256(run.encode()).digest()
        self._secrets = {
            other: _agree(private, key)
            for other, key in sorted(publics.items())
            if other != me
        }

    def mask(self, words: Words, context: str) -> Words:
        """Return `words` plus this party's masks; no `context` may be used twice."""
        masked = words.copy()
        flat = masked.reshape(-1)
        for other, secret in self._secrets.items():
            stream = self._stream(secret, other, context, flat.size)
            if self._me < other:
                flat += stream
            else:
                flat -= stream
        return masked

    def _stream(self, secret: bytes, other: str, context: str, size: int) -> Words:
        first, second = sorted((self._me, other))
        info = "\x1f".join(("fl-mask-1", first, second, context)).encode()
        key = HKDF(
            algorithm=hashes.SHA256(), length=32, salt=self._salt, info=info
        ).derive(secret)
        # The key is fresh for each context, so a constant counter start is safe.
        cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16)))
        return np.frombuffer(cipher.encryptor().update(bytes(8 * size)), dtype="<u8")


def _agree(private: X25519PrivateKey, public: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except (ValueError, InvalidKey):
        raise _refused("a public key is not valid") from None


def _refused(why: str) -> MessageError:
    return MessageError(
        f"Secure aggregation was refused: {why}.",
        remedy="Train over at least three domains, each with a key of its own.",
    )
