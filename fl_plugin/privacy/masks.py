"""Which streams hide one party's message: its own, and one with each peer."""

from dataclasses import dataclass

from fl_plugin.privacy.derivation import key_for
from fl_plugin.privacy.streams import Mask


@dataclass(frozen=True)
class MaskUse:
    """The one message that masks are for.

    Args:
        number: Of the round.
        digest: Of the cohort and of what was asked (`derivation.digest_of`).
    """

    number: int
    digest: str

    def between(self, party: str, peer: str, secret: bytes) -> Mask:
        """Return the mask that `party` puts on and that cancels against `peer`'s."""
        first, second = sorted((party, peer))
        facts = (first, second, self.number, self.digest)
        # One of the two adds and the other subtracts: the names' order decides.
        return Mask(key_for(secret, "pair mask", facts), adds=party < peer)

    def own(self, party: str, seed: bytes) -> Mask:
        """Return the mask that hides a party's message until its seed is found."""
        facts = (party, self.number, self.digest)
        return Mask(key_for(seed, "own mask", facts), adds=True)
