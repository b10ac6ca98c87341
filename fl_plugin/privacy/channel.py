"""What one party says to another through a coordinator that cannot read it.

Each pair of parties agrees on a secret of its own (X25519, keys signed by the domains).
A message is encrypted by AES-256-GCM under a key that is made for its sender, its
receiver and its number, and used once, so a constant nonce is safe; a message that is
altered, doubled, left out or sent on to somebody else does not open.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fl_plugin import messages
from fl_plugin.errors import MessageError
from fl_plugin.messages import Ask
from fl_plugin.privacy.announcement import Secrets, read_all, unverified
from fl_plugin.privacy.derivation import agree, key_for
from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.privacy.terms import Terms, Trust, refused
from fl_plugin.summand import Array, Arrays

_NONCE = bytes(12)


class PeerChannel:
    """One party's end of its channels to all others, for one run.

    Args:
        party: Whose end it is.
        terms: The run and its cohort, as the coordinator proposes them.
        trust: Whom the domain knows.
        sign: Signs with the domain's own key.
        source: Where its keys are drawn from (`randomness`).
    """

    def __init__(
        self,
        party: str,
        terms: Terms,
        trust: Trust,
        sign: Callable[[bytes], str],
        source: RandomBytes = os.urandom,
    ) -> None:
        if party not in terms.parties:
            raise refused(f"{party} is not in the cohort")
        self._party = party
        self._terms = terms
        self._trust = trust
        self._secrets = Secrets.fresh(0, source)
        self._own = self._secrets.announced(party, 0, terms, sign)
        self._shared: dict[str, bytes] = {}
        self._sent: dict[str, int] = {}
        self._read: dict[str, int] = {}

    @property
    def peers(self) -> tuple[str, ...]:
        """The other parties, sorted."""
        return tuple(p for p in self._terms.parties if p != self._party)

    def announce(self) -> dict[str, Any]:
        """Return the party's public key for this run, signed by its domain."""
        return self._own.message

    def accept(self, announcements: Any) -> None:
        """Agree with every other party.

        Raises:
            MessageError: A key is missing, is signed by nobody who is known here, or
                the own one is not among them.
        """
        if self._shared:
            raise refused("the keys of a channel came twice")
        found = read_all(announcements, self._terms)
        if set(found) != set(self._terms.parties):
            raise refused("keys of a party are missing")
        if found[self._party].message != self._own.message:
            raise refused(f"the own keys of {self._party} came back changed")
        if any(told.masks for told in found.values()):
            raise refused("a channel has no masks")
        if unverified(found, self._terms, self._trust):
            raise refused("a key is signed by nobody who is known here")
        self._shared = {
            peer: agree(self._secrets.agreement, found[peer].agreement, self._terms.run)
            for peer in self.peers
        }

    def secret(self, peer: str, use: str) -> bytes:
        """Return 32 bytes that only this party and a peer know, for one use."""
        first, second = sorted((self._party, peer))
        return key_for(self._with(peer), f"channel {use}", (first, second))

    def seal(self, peer: str, arrays: Arrays) -> Array:
        """Return arrays encrypted for a peer: (bytes,) uint8."""
        number = self._sent.get(peer, 0)
        self._sent[peer] = number + 1
        facts = (self._party, peer, number)
        told = Ask(
            kind="sealed",
            run=self._terms.run,
            round=number,
            party=peer,
            arrays=dict(arrays),
        )
        cipher = AESGCM(key_for(self._with(peer), "channel", facts))
        sealed = cipher.encrypt(_NONCE, messages.encode(told), repr(facts).encode())
        return np.frombuffer(sealed, dtype=np.uint8)

    def open(self, peer: str, sealed: Array) -> Arrays:
        """Return what a peer sealed.

        Raises:
            MessageError: It is not from that peer, altered, or not the next one.
        """
        number = self._read.get(peer, 0)
        facts = (peer, self._party, number)
        if sealed.dtype != np.uint8 or sealed.ndim != 1:
            raise refused(f"a sealed message of {peer} is malformed")
        cipher = AESGCM(key_for(self._with(peer), "channel", facts))
        try:
            raw = cipher.decrypt(_NONCE, sealed.tobytes(), repr(facts).encode())
        except (InvalidTag, ValueError):
            raise refused(
                f"a sealed message of {peer} was altered, or is not the next one"
            ) from None
        told = messages.decode(raw)
        if told.kind != "sealed" or told.run != self._terms.run:
            raise MessageError(
                f"A sealed message of {peer} is for another run.",
                remedy="Start the run again.",
            )
        self._read[peer] = number + 1
        return told.arrays

    def _with(self, peer: str) -> bytes:
        if peer not in self._shared:
            raise refused(f"no channel to {peer} is open")
        return self._shared[peer]
