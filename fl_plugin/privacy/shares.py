"""What a party keeps for the others: shares of their keys and seeds, round by round.

Each share travels through the coordinator, encrypted for its holder (AES-256-GCM). The
key is made for one sender, one holder and one batch of rounds and used once, so a
constant nonce is safe; who, for whom and for which rounds is authenticated with it.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fl_plugin.errors import MessageError
from fl_plugin.privacy.announcement import Secrets
from fl_plugin.privacy.derivation import key_for
from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.privacy.shamir import SHARE_BYTES, join, split
from fl_plugin.privacy.terms import Terms, refused

_NONCE = bytes(12)
# How many choices of holders are tried where one of them has sent a wrong share.
_MOST_TRIES = 200


@dataclass(frozen=True)
class Shares:
    """One holder's shares of one party's secrets in one round, 33 bytes each."""

    mask: bytes = field(repr=False)
    seed: bytes = field(repr=False)


def split_all(
    secrets: Secrets,
    holders: Sequence[str],
    terms: Terms,
    source: RandomBytes = os.urandom,
) -> dict[str, list[Shares]]:
    """Return each holder's shares of every round's mask key and seed."""
    points = [terms.point(h) for h in holders]
    held: dict[str, list[Shares]] = {h: [] for h in holders}
    for key, seed in zip(secrets.masks, secrets.seeds, strict=True):
        of_mask = split(key.private_bytes_raw(), terms.threshold, points, source)
        of_seed = split(seed, terms.threshold, points, source)
        for holder, point in zip(holders, points, strict=True):
            held[holder].append(Shares(of_mask[point], of_seed[point]))
    return held


@dataclass(frozen=True)
class Envelope:
    """The shares of one sender for one holder, in one batch of rounds.

    Args:
        secret: What the two alone know (`derivation.agree`).
        sender: Whose secrets are shared.
        holder: For whom.
        first: The first round.
        rounds: How many there are.
    """

    secret: bytes = field(repr=False)
    sender: str
    holder: str
    first: int
    rounds: int

    def close(self, shares: Sequence[Shares]) -> str:
        """Return the encrypted shares as hexadecimal text; once for each envelope."""
        plain = b"".join(s.mask + s.seed for s in shares)
        return self._cipher().encrypt(_NONCE, plain, self._about).hex()

    def open(self, text: Any) -> list[Shares]:
        """Return the shares that `close` encrypted.

        Raises:
            MessageError: They are from another sender, for another holder or other
                rounds, or altered.
        """
        try:
            plain = self._cipher().decrypt(_NONCE, bytes.fromhex(text), self._about)
        except (InvalidTag, ValueError, TypeError):
            raise refused(f"the shares from {self.sender} are not valid") from None
        step = 2 * SHARE_BYTES
        if len(plain) != step * self.rounds:
            raise refused(f"the shares from {self.sender} are not complete")
        parts = [plain[i : i + step] for i in range(0, len(plain), step)]
        return [Shares(p[:SHARE_BYTES], p[SHARE_BYTES:]) for p in parts]

    @property
    def _facts(self) -> list[str | int]:
        return [self.sender, self.holder, self.first, self.rounds]

    @property
    def _about(self) -> bytes:
        return repr(self._facts).encode()

    def _cipher(self) -> AESGCM:
        return AESGCM(key_for(self.secret, "shares", self._facts))


def read_shares(message: Any, wanted: Sequence[str]) -> dict[str, bytes]:
    """Return the shares of one answer by owner.

    Raises:
        MessageError: There are others than were wanted, or they are no shares.
    """
    if not isinstance(message, Mapping) or set(message) != set(wanted):
        raise refused("the answer holds other shares than were asked for")
    try:
        found = {owner: bytes.fromhex(message[owner]) for owner in wanted}
    except (ValueError, TypeError):
        raise refused("a share is not valid") from None
    if any(len(share) != SHARE_BYTES for share in found.values()):
        raise refused("a share is not valid")
    return found


def joined(
    shares: Mapping[int, bytes], threshold: int, is_promised: Callable[[bytes], bool]
) -> bytes:
    """Return the secret that `threshold` of these shares give and that was promised.

    Args:
        shares: By point; where some are wrong, other choices of holders are tried.
        threshold: How many give the secret.
        is_promised: Whether a secret is the one that was announced.

    Raises:
        MessageError: No choice of holders gives it.
    """
    for points in islice(combinations(sorted(shares), threshold), _MOST_TRIES):
        try:
            value = join({p: shares[p] for p in points})
        except MessageError:
            continue
        if is_promised(value):
            return value
    raise refused("the shares of a key do not give the key that was announced")
