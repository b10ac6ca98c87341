"""One round's masked sum, and how the coordinator lifts the masks that did not cancel.

Of the masks on the sum over the parties that answered, those between two of them have
cancelled. Left are their own masks, whose seeds come back from shares, and those shared
with lost parties, whose mask keys of this round come back from shares.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fl_plugin.errors import MessageError
from fl_plugin.privacy.announcement import Announcement, public
from fl_plugin.privacy.derivation import agree, digest_of, seal
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.privacy.masks import MaskUse
from fl_plugin.privacy.shares import joined, read_shares
from fl_plugin.privacy.streams import Mask, apply
from fl_plugin.privacy.survivors import is_signatures, survivors_statement
from fl_plugin.privacy.terms import Terms, Trust, refused
from fl_plugin.summand import Summand


@dataclass(frozen=True, kw_only=True)
class Round:
    """What is public of one round.

    Args:
        terms: The run's.
        number: Of the round.
        context: What all parties were asked alike.
        told: The announcement of every party that was to answer.
        alive: Who has answered.
    """

    terms: Terms
    number: int
    context: str
    told: Mapping[str, Announcement]
    alive: tuple[str, ...]

    @property
    def lost(self) -> tuple[str, ...]:
        """Who was to answer and did not."""
        return tuple(p for p in sorted(self.told) if p not in self.alive)

    @property
    def use(self) -> MaskUse:
        """What the masks of this round hang on."""
        return MaskUse(self.number, digest_of(sorted(self.told), self.context))

    def mask_key(self, party: str) -> bytes:
        """Return a party's public mask key of this round."""
        told = self.told[party]
        return told.masks[self.number - told.first]

    def seal(self, party: str) -> bytes:
        """Return the commitment to a party's seed of this round."""
        told = self.told[party]
        return told.seals[self.number - told.first]


class MaskedSum:
    """The sum of one round's messages.

    Args:
        round_: What is public of the round.
        expected: The summand of every array.
        words: The sums; they are still masked under "recover".
        trust: Which identities the coordinator knows.
    """

    def __init__(
        self,
        round_: Round,
        expected: Mapping[str, Summand],
        words: Mapping[str, Words],
        trust: Trust,
    ) -> None:
        self.round = round_
        self._expected = expected
        self._words = words
        self._trust = trust
        self.left_out: dict[str, str] = {}  # whose shares were not used, and why

    @property
    def is_masked(self) -> bool:
        """Whether the parties must be asked to unmask it."""
        return self.round.terms.recovers

    @property
    def needs_endorsement(self) -> bool:
        """Whether the parties must first sign who was lost."""
        return self.is_masked and bool(self.round.lost)

    @property
    def lists(self) -> dict[str, list[str]]:
        """The lists `alive` and `lost`, as every party is told them."""
        return {"alive": list(self.round.alive), "lost": list(self.round.lost)}

    def endorsed(self, received: Mapping[str, Any]) -> dict[str, str]:
        """Return the signatures under the lists, to be sent along with `unmask`.

        Raises:
            MessageError: Too few parties have signed.
        """
        here = self.round
        said = survivors_statement(here.terms, here.number, here.alive, here.lost)

        def signature(party: str, message: Any) -> str:
            if not is_signatures({party: message}):
                raise refused(f"the signature of {party} is not valid")
            self._trust.check_signature(party, said, message)
            return str(message)

        return self._of_enough(received, signature)

    def unmask(self, received: Mapping[str, Any]) -> dict[str, Words]:
        """Return the sums over the parties that are alive.

        Args:
            received: The parties' shares; nothing is needed under "stop".

        Raises:
            MessageError: Too few shares came, or they do not fit what was announced.
        """
        if not self.is_masked:
            return dict(self._words)
        wanted = {"seeds": self.round.alive, "masks": self.round.lost}

        def shares(party: str, message: Any) -> dict[str, dict[str, bytes]]:
            if not isinstance(message, Mapping) or set(message) != set(wanted):
                raise refused(f"the shares of {party} are not complete")
            return {k: read_shares(message[k], names) for k, names in wanted.items()}

        answers = self._of_enough(received, shares)
        seeds = [
            self._own_mask(p, self._column(answers, "seeds", p))
            for p in self.round.alive
        ]
        pairs = [
            mask
            for p in self.round.lost
            for mask in self._lost_masks(p, self._column(answers, "masks", p))
        ]
        unmasked = apply(self._words, self._expected, [*seeds, *pairs])
        return {n: w.astype(np.uint64, copy=False) for n, w in unmasked.items()}

    def _own_mask(self, party: str, shares: Mapping[int, bytes]) -> Mask:
        """Return what takes a party's own mask off."""
        promised = self.round.seal(party)
        threshold = self.round.terms.threshold
        seed = joined(shares, threshold, lambda value: seal(value) == promised)
        return self.round.use.own(party, seed).taken_off

    def _lost_masks(self, party: str, shares: Mapping[int, bytes]) -> list[Mask]:
        """Return what takes off the masks that the others share with a lost party."""
        promised = self.round.mask_key(party)

        def is_promised(value: bytes) -> bool:
            return public(X25519PrivateKey.from_private_bytes(value)) == promised

        raw = joined(shares, self.round.terms.threshold, is_promised)
        key, here = X25519PrivateKey.from_private_bytes(raw), self.round
        return [
            # The lost party would have put on what cancels the other's mask.
            here.use.between(party, p, agree(key, here.mask_key(p), here.terms.run))
            for p in here.alive
        ]

    def _column(
        self, answers: Mapping[str, Any], kind: str, owner: str
    ) -> dict[int, bytes]:
        """Return one owner's shares by the points of who holds them."""
        point = self.round.terms.point
        return {point(holder): given[kind][owner] for holder, given in answers.items()}

    def _of_enough(
        self, received: Mapping[str, Any], read: Callable[[str, Any], Any]
    ) -> dict[str, Any]:
        found = {}
        for party in self.round.alive:
            try:
                if party in received:
                    found[party] = read(party, received[party])
            except MessageError as error:
                self.left_out[party] = error.problem
        if len(found) < self.round.terms.threshold:
            raise refused("too few parties of the round are left to unmask its sum")
        return found
