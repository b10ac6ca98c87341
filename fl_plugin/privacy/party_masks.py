"""A party's half of secure aggregation: what it sends looks random; the sum does not.

After Bonawitz et al. (2017), "Practical Secure Aggregation for Privacy-Preserving
Machine Learning", section 4, the version for a coordinator that deviates. A message is
x + (own mask) + (masks shared with each peer, added by one and subtracted by the
other), modulo 2^64. Under "recover" the own mask of a party that answered, or the mask
key of one that was lost, is found again from shares; nobody ever gives both of one
party. Stages, in order, each once for a batch of rounds or for a round:

    announce -> share -> accept -> (hide -> [endorse] -> unmask), round after round

Under "stop" there are no shares: announce -> share -> hide, hide, ...
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fl_plugin.privacy.announcement import (
    MAX_ROUNDS,
    Announcement,
    Secrets,
    read_all,
    unverified,
)
from fl_plugin.privacy.derivation import agree, digest_of
from fl_plugin.privacy.encoding import check_room, pack, words_shape
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.privacy.masks import MaskUse
from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.privacy.shares import Envelope, Shares, split_all
from fl_plugin.privacy.streams import Mask, apply
from fl_plugin.privacy.survivors import Survivors
from fl_plugin.privacy.terms import Terms, Trust, refused
from fl_plugin.summand import Array, Summand


class PartyMasks:
    """One party in one run; asked the same again, it gives the same again.

    Args:
        me: This party's name.
        terms: What the coordinator proposes.
        trust: What this domain's own settings say.
        sign: Signs with the domain's identity; None where it has none.
        source: Where keys and shares are drawn from (`randomness`).
    """

    def __init__(
        self,
        me: str,
        terms: Terms,
        trust: Trust,
        sign: Callable[[bytes], str] | None = None,
        source: RandomBytes = os.urandom,
    ) -> None:
        trust.check_cohort(terms)
        if me not in terms.parties:
            raise refused("this party is not in the cohort")
        self._me = me
        self._terms = terms
        self._trust = trust
        self._sign = sign
        self._source = source
        self._secrets: Secrets | None = None
        self._mine: Announcement | None = None
        self._told: dict[str, Announcement] = {}
        self._pairs: dict[str, bytes] = {}
        self._held: dict[str, dict[int, Shares]] = {}
        self._last = -1  # the newest round whose masks were used
        self._survivors: Survivors | None = None
        self._answered: set[str] = set()  # digests of questions
        self.unverified: tuple[str, ...] = ()  # whose keys nobody vouches for

    def announce(self, first: int = 0, rounds: int = 0) -> dict[str, Any]:
        """Make fresh keys for `rounds` rounds from `first` on; return the public half.

        Under "stop" once for the whole run, with no rounds.

        Raises:
            MessageError: A round would be masked a second time.
        """
        again = self._secrets is not None and not self._terms.recovers
        if again or first <= self._last:
            raise refused("keys for these rounds were made already")
        if not (0 < rounds <= MAX_ROUNDS if self._terms.recovers else rounds == 0):
            raise refused("the number of rounds does not fit the mode")
        self._secrets = Secrets.fresh(rounds, self._source)
        self._mine = self._secrets.announced(self._me, first, self._terms, self._sign)
        self._told, self._pairs, self._held = {}, {}, {}
        self._survivors = None
        return self._mine.message

    def share(self, announcements: Any) -> dict[str, str]:
        """Check everybody's keys; return this party's shares, encrypted by holder.

        Raises:
            MessageError: A key is missing, swapped, doubled, unsigned or of low order,
                too few came, or keys came before.
        """
        if self._secrets is None or self._mine is None or self._told:
            raise refused("keys came twice, or before this party's own")
        told = read_all(announcements, self._terms)
        if told.get(self._me) != self._mine:
            raise refused("the keys do not hold this party's own")
        self.unverified = unverified(told, self._terms, self._trust)
        private, run = self._secrets.agreement, self._terms.run
        self._pairs = {
            p: agree(private, a.agreement, run)
            for p, a in told.items()
            if p != self._me
        }
        self._told = told
        if not self._terms.recovers:
            return {}
        parts = split_all(self._secrets, list(told), self._terms, self._source)
        self._held[self._me] = self._by_round(parts.pop(self._me))
        return {p: self._envelope(self._me, p).close(s) for p, s in parts.items()}

    def accept(self, sealed: Mapping[str, str]) -> None:
        """Take the others' shares; who sent none is out of this batch of rounds.

        Raises:
            MessageError: Shares are not valid, too few came, or they came twice.
        """
        if self._me not in self._held or len(self._held) > 1:
            raise refused("shares came twice, or before the keys")
        if not isinstance(sealed, Mapping) or not set(sealed) <= set(self._pairs):
            raise refused("shares came from a party that sent no keys")
        if len(sealed) + 1 < self._terms.fewest:
            raise refused("too few parties have sent shares")
        opened = {p: self._envelope(p, self._me).open(s) for p, s in sealed.items()}
        self._held |= {p: self._by_round(shares) for p, shares in opened.items()}

    def hide(
        self,
        words: Mapping[str, Words],
        expected: Mapping[str, Summand],
        number: int,
        context: str,
    ) -> dict[str, Array]:
        """Return one message's arrays, masked and cut to what is sent.

        Args:
            words: As `encoding.encode` made them.
            expected: The summand of every array.
            number: Of the round; each is above the last.
            context: What all parties are asked alike, a digest of the question among
                it. Where two were told different things the masks do not cancel. Under
                "recover" one question is answered once: two sums of it, over different
                parties, would give one party's part away.

        Raises:
            MessageError: The round was masked or the question answered before, or keys
                and shares are missing.
            TrainingError: The sum could overflow.
        """
        shapes = {n: words_shape(s) for n, s in expected.items()}
        if {n: w.shape for n, w in words.items()} != shapes:
            raise refused("the answer is not what was asked for")
        cohort = self._cohort
        check_room(expected, len(cohort))
        asked = digest_of(self._terms.parties, context)
        if asked in self._answered:
            raise refused("the same question came twice")
        masks = self._masks(self._begin(number, cohort), cohort, context)
        if self._terms.recovers:
            self._answered.add(asked)
        hidden = apply(words, expected, masks)
        return {n: pack(w, expected[n].width) for n, w in hidden.items()}

    def endorse(self, number: int, alive: Sequence[str], lost: Sequence[str]) -> str:
        """Sign who was lost in a round; only one such list for each round.

        Raises:
            MessageError: The lists are not allowed, or another was endorsed.
        """
        statement = self._of_round(number).endorse(alive, lost)
        return self._sign(statement) if self._sign else ""

    def unmask(
        self,
        number: int,
        alive: Sequence[str],
        lost: Sequence[str],
        endorsements: Mapping[str, str] | None = None,
    ) -> dict[str, dict[str, str]]:
        """Return shares: of the seeds of who answered, of the keys of who was lost.

        Args:
            number: Of the round, the newest.
            alive: Whose masked message counts.
            lost: All others of the cohort.
            endorsements: Where somebody was lost: what at least the threshold of
                parties, this one among them, have signed.

        Raises:
            MessageError: The lists are not allowed or not endorsed, or the round was
                unmasked before.
        """
        round_ = self._of_round(number)
        round_.release(alive, lost, endorsements or {}, self._trust)
        given = {
            "seeds": {p: self._held[p][number].seed.hex() for p in alive},
            "masks": {p: self._held[p][number].mask.hex() for p in lost},
        }
        for shares in self._held.values():  # what is gone nobody can be made to give
            for old in [n for n in shares if n <= number]:
                del shares[old]
        return given

    @property
    def _cohort(self) -> tuple[str, ...]:
        """Who takes part in the rounds of this batch."""
        return tuple(sorted(self._held if self._terms.recovers else self._told))

    def _begin(self, number: int, cohort: tuple[str, ...]) -> int:
        """Open a round that no mask was used for; return its index in the batch."""
        if len(cohort) < self._terms.fewest or self._mine is None:
            raise refused("keys or shares are missing")
        index = number - self._mine.first
        within = 0 <= index < len(self._mine.masks) or not self._terms.recovers
        if number <= self._last or not within:
            raise refused("a round came twice, or one that no keys were made for")
        self._last = number
        if self._terms.recovers:
            self._survivors = Survivors(self._me, self._terms, cohort, number)
        return index

    def _masks(self, index: int, cohort: tuple[str, ...], context: str) -> list[Mask]:
        if self._secrets is None:
            raise refused("keys are missing")
        use = MaskUse(self._last, digest_of(cohort, context))
        if not self._terms.recovers:
            return [use.between(self._me, p, s) for p, s in self._pairs.items()]
        key, run = self._secrets.masks[index], self._terms.run
        pairs = [
            use.between(self._me, p, agree(key, self._told[p].masks[index], run))
            for p in cohort
            if p != self._me
        ]
        return [*pairs, use.own(self._me, self._secrets.seeds[index])]

    def _of_round(self, number: int) -> Survivors:
        if self._survivors is None or self._survivors.number != number:
            raise refused("the round is not the one that was masked last")
        return self._survivors

    def _envelope(self, sender: str, holder: str) -> Envelope:
        peer = holder if sender == self._me else sender
        mine = self._told[self._me]
        return Envelope(self._pairs[peer], sender, holder, mine.first, len(mine.masks))

    def _by_round(self, shares: Sequence[Shares]) -> dict[int, Shares]:
        first = self._told[self._me].first
        return {first + i: share for i, share in enumerate(shares)}
