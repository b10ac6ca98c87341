"""A run's random bytes at one party, from one secret, the same again after a crash.

A party that was killed answers the questions of its run again. It may not draw again:
a second draw of noise under the same figures tells more than the first, and new keys
are not those that the others know. So everything that is drawn in a run comes from 32
bytes of the system's secure source, kept in the domain's own journal until the run
ends, by a stream of its own for each use: HKDF-SHA-256 makes its key, AES-256 in
counter mode its bytes (NIST SP 800-38A).
"""

import os
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import (
    Cipher,
    CipherContext,
    algorithms,
    modes,
)

from fl_plugin.privacy.derivation import KEY_BYTES, key_for
from fl_plugin.privacy.made import Made

RandomBytes = Callable[[int], bytes]


class Randomness:
    """All draws of one run at one party.

    Args:
        secret: 32 bytes that nobody else has.

    `made` holds what libraries drew by themselves.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError  # a programming error: it is never read from a message
        self._secret = secret
        self._streams: dict[str, CipherContext] = {}
        self.made = Made()

    @classmethod
    def fresh(cls) -> "Randomness":
        """Return draws that were never made before."""
        return cls(fresh_secret())

    def stream(self, use: str) -> RandomBytes:
        """Return where one use draws from; asked for again, it goes on, never anew.

        Args:
            use: What is drawn: "mask keys", "noise".
        """
        if use not in self._streams:
            key = key_for(self._secret, "random bytes", [use])
            cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16)))
            self._streams[use] = cipher.encryptor()
        cipher_of_use = self._streams[use]
        return lambda size: cipher_of_use.update(bytes(size))


def fresh_secret() -> bytes:
    """Return 32 bytes of the system's secure source."""
    return os.urandom(KEY_BYTES)


def below(limit: int, source: RandomBytes) -> int:
    """Return a whole number from 0 to limit - 1, all equally likely, by rejection."""
    bits = (limit - 1).bit_length()
    size, cut = -(-bits // 8), (1 << bits) - 1
    while True:
        drawn = int.from_bytes(source(size)) & cut
        if drawn < limit:
            return drawn
