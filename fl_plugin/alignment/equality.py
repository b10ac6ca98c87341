"""Two domains find out whether they hold the same set, and tell nothing else of it.

A hash of the matched keys would do between honest domains. But where the coordinator
has told one domain a single wrong row, its hash is that of one key, and the other
could try keys against it. So both blind their hash with a fresh secret, and
compare what the other has blinded once more: each learns one bit, and a guess costs a
whole matching.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence

from fl_plugin.alignment.blinding import Blinder, checked_points
from fl_plugin.alignment.curve import Points, points
from fl_plugin.alignment.terms import MatchingTerms, refused
from fl_plugin.privacy.randomness import RandomBytes


class SameSet:
    """One domain's side of the comparison with one other.

    Args:
        terms: Of the matching.
        salt: Of the domains; empty where there is none.
        hashes: Of the matched keys, as `Way.hashes` makes them.
        source: Where its secret is drawn from.
    """

    def __init__(
        self,
        terms: MatchingTerms,
        salt: bytes,
        hashes: Sequence[bytes],
        source: RandomBytes = os.urandom,
    ) -> None:
        key = terms.secret("same set", salt)
        digest = hashlib.sha512(len(hashes).to_bytes(8, "big"))
        for one in sorted(hashes):
            digest.update(one)
        self._point = points([hmac.digest(key, digest.digest(), "sha512")])
        self._blinder = Blinder(source)
        self._offered = self._blinder.blind(self._point)
        self._expected = b""

    def offer(self) -> Points:
        """Return the own set, blinded: (1, 32)."""
        return self._offered

    def answer(self, theirs: Points) -> Points:
        """Return the other's set, blinded once more.

        Raises:
            MessageError: It is no point, or the own one sent back.
        """
        theirs = checked_points(theirs, 1)
        if theirs.tobytes() == self._offered.tobytes():
            raise refused("a domain has sent back what it was sent")
        answer = self._blinder.blind(theirs)
        self._expected = answer.tobytes()
        return answer

    def check(self, peer: str, back: Points) -> None:
        """Compare what the other made of the own set with what this one made of its.

        Raises:
            MessageError: The two sets differ.
        """
        if not hmac.compare_digest(checked_points(back, 1).tobytes(), self._expected):
            raise refused(
                f"this domain and {peer} were told different rows",
                "Do not use the rows. Either a domain or the coordinator did not keep "
                "to the protocol: compare the ledgers, then match again.",
            )
