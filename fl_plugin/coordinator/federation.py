"""Rounds over a transport: ask every party, add what comes back, count the bytes."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fl_plugin import messages
from fl_plugin.coordinator.answers import Answers, added
from fl_plugin.coordinator.journal import Journal
from fl_plugin.coordinator.losses import Loss, gone_silent, too_few, unusable
from fl_plugin.coordinator.replies import head_of, read_reply
from fl_plugin.coordinator.secure_sums import SecureSums
from fl_plugin.coordinator.traffic import (
    Exchange,
    Listener,
    Note,
    Transport,
    account,
    silent,
    unnoted,
)
from fl_plugin.errors import MeshError, MessageError
from fl_plugin.ledger.record import Head
from fl_plugin.manifest.study_rounds import USUAL, RoundsPlan
from fl_plugin.messages import Ask, Reply
from fl_plugin.privacy.encoding import decode
from fl_plugin.privacy.received import check_total
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.summand import Array, Arrays, Summand

# A party that is gone when all is done is not waited for as long as for its part.
CLOSE_SECONDS = 15.0
# What needs no sum: as many parties as the study wants are enough.
_NO_SUM = ("compare", "close")


@dataclass
class Federation:
    """One run's rounds, in order.

    Args:
        run: The run's id.
        transport: How messages travel.
        listener: Told the kind and number of each round, for progress.
        secure: How sums are masked; None where they come in the clear.
        lost: Who fell silent, or sent what nobody can use, where that is borne.
        asked: To whom the newest messages went.
        journal: What the run has asked and heard; None where it cannot go on after a
            crash.
        rounds: How long a round waits, and for how many parties.
        note: Told the messages of each round, once they are over.
    """

    run: str
    transport: Transport
    listener: Listener = silent
    secure: SecureSums | None = None
    lost: dict[str, Loss] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    journal: Journal | None = None
    rounds: RoundsPlan = USUAL
    note: Note = unnoted
    _known: dict[str, Mapping[str, Array]] = field(default_factory=dict)
    round: int = 0
    traffic: list[Exchange] = field(default_factory=list)
    heads: dict[str, Head] = field(default_factory=dict)

    def ask(
        self,
        kind: str,
        body: Mapping[str, Any] | Mapping[str, Mapping[str, Any]],
        arrays: Mapping[str, Array] | None = None,
        *,
        each: bool = False,
        expected: Mapping[str, Summand] | None = None,
    ) -> Answers:
        """Ask every party for one kind of work.

        Args:
            kind: The work.
            body: What to say; by party where `each` is true.
            arrays: What to send along, the same to all.
            each: Whether `body` differs between the parties.
            expected: The arrays that are summed over the parties; None where the
                answer is no sum.

        Raises:
            MeshError: A party refused, or sent something that does not fit.
        """
        context = self._context(kind, body, arrays or {}) if expected else ""
        if context in self._known:
            return Answers(bodies={}, sums=self._known[context])
        number = self._number(self.secure) if self.secure and expected else None
        parties = self.parties
        told = body if number is None else {**body, "mask": number}
        bodies = {p: told[p] if each else told for p in parties}
        raw = self._exchange(kind, bodies, dict.fromkeys(parties, arrays or {}))
        replies = self._replies(kind, raw)
        found = {p: r.body for p, r in replies.items()}
        parts = {p: r.arrays for p, r in replies.items()}
        if expected is None:
            return Answers(bodies=found, raw=parts)
        if self.secure is None:
            return added(found, parts, expected)
        with self._losing(self.secure):
            words = self.secure.total(parts, expected, context)
        sums = {n: decode(s, words[n]) for n, s in expected.items()}
        check_total(expected, sums, len(parties))
        if self.secure.terms.recovers:
            # Over fewer parties the same question would tell one part by itself, so
            # no party answers it again.
            self._known[context] = sums
        return Answers(bodies=found, sums=sums)

    def protect(self, terms: Terms, trust: Trust) -> None:
        """Have all sums masked from now on, under these terms.

        Args:
            terms: What was proposed to the parties when they opened.
            trust: Whose keys are known here.
        """
        self.secure = SecureSums(terms, trust, self._ask_some)

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties that have not been lost, sorted."""
        return tuple(p for p in self.transport.parties if p not in self.lost)

    def ask_all(
        self, kind: str, bodies: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Mapping[str, Any] | MeshError]:
        """Ask every party, and hear them all: each one's facts, or why it has none."""
        raw = self._exchange(kind, bodies, {})
        found: dict[str, Mapping[str, Any] | MeshError] = {}
        for party in self.transport.parties:
            try:
                reply = self._read(kind, party, raw)
            except MeshError as error:
                found[party] = error
                continue
            if isinstance(reply, Loss):
                found[party] = unusable(party, reply)
            else:
                found[party] = reply.body
        return found

    def ask_each(
        self,
        kind: str,
        bodies: Mapping[str, Mapping[str, Any]],
        arrays: Mapping[str, Arrays] | None = None,
    ) -> dict[str, Reply]:
        """Ask some parties, each for something of its own.

        Args:
            kind: The work.
            bodies: What to say, by party; who is not named is not asked.
            arrays: What to send along, by party.

        Raises:
            MeshError: A party refused, or sent something that does not fit.
        """
        raw = self._exchange(kind, bodies, arrays or {})
        return self._replies(kind, raw)

    def _ask_some(
        self, kind: str, bodies: Mapping[str, Mapping[str, Any]]
    ) -> Mapping[str, Mapping[str, Any]]:
        left = {p: body for p, body in bodies.items() if p not in self.lost}
        raw = self._exchange(kind, left, {})
        return {p: reply.body for p, reply in self._replies(kind, raw).items()}

    def _replies(self, kind: str, raw: Mapping[str, bytes]) -> dict[str, Reply]:
        """Return what came; who is silent, or not understood, may be lost for good."""
        found: dict[str, Reply] = {}
        for party in self.asked:
            reply = self._read(kind, party, raw)
            if isinstance(reply, Reply):
                found[party] = reply
            elif self._bears:
                self.lost.setdefault(party, reply)
            else:
                raise unusable(party, reply)
        if self.lost and len(self.parties) < (self.rounds.quorum or 0):
            raise too_few(self.lost, self.rounds.quorum or 0)
        return found

    def _read(self, kind: str, party: str, raw: Mapping[str, bytes]) -> Reply | Loss:
        """Return a party's answer; where it told its ledger's head, that is kept."""
        asked = Ask(kind=kind, run=self.run, round=self.round, party=party)
        try:
            reply = read_reply(asked, raw.get(party))
        except MeshError as error:
            if self.journal and error.passes:
                self.journal.forget()  # when the run goes on, it is asked again
            raise
        head = head_of(reply) if isinstance(reply, Reply) else None
        if head is not None:
            self.heads[party] = head
        return reply

    def _number(self, secure: SecureSums) -> int:
        """Return the next sum's number; there are keys for it then."""
        with self._losing(secure):
            return secure.next()

    @contextmanager
    def _losing(self, secure: SecureSums) -> Iterator[None]:
        """Note whom the protocol leaves out, and name them where too few are left."""
        try:
            yield
        except MessageError:
            self._leave_out(secure)
            fewest = secure.terms.fewest
            if len(self.parties) < fewest and self.lost:
                raise too_few(self.lost, fewest) from None
            raise
        self._leave_out(secure)

    def _leave_out(self, secure: SecureSums) -> None:
        for party in secure.left_out:
            why = "sent something that is not valid"
            self.lost.setdefault(party, Loss(round=self.round, why=why))

    def _context(
        self, kind: str, body: Mapping[str, Any], arrays: Mapping[str, Array]
    ) -> str:
        ask = Ask(kind=kind, run=self.run, round=0, party="", body=body, arrays=arrays)
        return messages.content_digest(ask)

    def _exchange(
        self,
        kind: str,
        bodies: Mapping[str, Mapping[str, Any]],
        arrays: Mapping[str, Arrays],
    ) -> Mapping[str, bytes]:
        self.round += 1
        self.listener(kind, self.round)
        asks = {
            party: messages.encode(
                Ask(
                    kind=kind,
                    run=self.run,
                    round=self.round,
                    party=party,
                    body=bodies[party],
                    arrays=arrays.get(party, {}),
                )
            )
            for party in bodies
        }
        self.asked = tuple(asks)
        heard = self.journal.next(asks) if self.journal else None
        raw, seconds = (
            (heard.replies, heard.seconds) if heard else self._sent(kind, asks)
        )
        sent = account(kind, self.round, asks, raw, seconds)
        self.traffic += sent
        self.note(sent)
        if heard is None:
            self._commit(kind, asks, raw, seconds)
        return raw

    def _sent(
        self, kind: str, asks: Mapping[str, bytes]
    ) -> tuple[Mapping[str, bytes], float]:
        """Return what the parties answer before the deadline, and the seconds."""
        begun, longest = time.perf_counter(), float(self.rounds.deadline_seconds)
        wait = min(CLOSE_SECONDS, longest) if kind == "close" else longest
        raw = self.transport.exchange(asks, wait)
        return raw, time.perf_counter() - begun

    def _commit(
        self,
        kind: str,
        asks: Mapping[str, bytes],
        raw: Mapping[str, bytes],
        seconds: float,
    ) -> None:
        """Keep a round whole; or abandon it: it is asked again when the run goes on.

        Raises:
            UnreachableError: Too few have answered where losses are borne.
        """
        gone = {p: gone_silent(self.round) for p in asks if p not in raw}
        if gone and not self._bears:
            return  # whoever reads the answers says who is missing
        if gone:
            self._insist_on_enough(kind, gone)
        if self.journal:
            self.journal.keep(asks, raw, seconds)

    def _insist_on_enough(self, kind: str, gone: Mapping[str, Loss]) -> None:
        terms = self.secure.terms if self.secure else None
        least = terms.fewest if terms and kind not in _NO_SUM else 0
        fewest = max(least, 0 if kind == "close" else self.rounds.quorum or 0)
        if sum(p not in gone for p in self.parties) < fewest:
            raise too_few({**gone, **self.lost}, fewest, abandoned=True)

    @property
    def _bears(self) -> bool:
        """Whether the run goes on without a party that falls silent."""
        return self.secure is not None and self.secure.terms.recovers
