"""Rounds over a transport: ask every party, add what comes back, count the bytes."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from fl_plugin import messages
from fl_plugin.coordinator.secure_sums import SecureSums
from fl_plugin.errors import MeshError, MessageError, PolicyError
from fl_plugin.ledger.record import Head
from fl_plugin.messages import Ask, Message, Refusal, Reply
from fl_plugin.privacy.encoding import decode
from fl_plugin.privacy.received import check_part, check_total
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.summand import Array, Arrays, Summand


class Transport(Protocol):
    """How messages travel; an engine."""

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""

    def exchange(self, asks: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Send each party its message; return each one's answer."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One message to one party and back, as it went over the wire."""

    round: int
    kind: str
    party: str
    bytes_down: int
    bytes_up: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What one round brought.

    Args:
        bodies: Each party's facts.
        sums: The arrays, added over the parties: masks have cancelled.
        parts: Each party's own arrays, where no masks hide them and each was asked
            for; else empty.
        raw: What a single party sent that is no sum.
    """

    bodies: Mapping[str, Mapping[str, Any]]
    sums: Mapping[str, Array] = field(default_factory=dict)
    parts: Sequence[Arrays] = ()
    raw: Mapping[str, Arrays] = field(default_factory=dict)


Listener = Callable[[str, int], None]


def _silent(kind: str, number: int) -> None:
    """Listen to nothing."""


@dataclass
class Federation:
    """One run's rounds, in order.

    Args:
        run: The run's id.
        transport: How messages travel.
        listener: Told the kind and number of each round, for progress.
        secure: How sums are masked; None where they come in the clear.
        lost: Who fell silent, where that is borne, and in which round.
        asked: To whom the newest messages went.
    """

    run: str
    transport: Transport
    listener: Listener = _silent
    secure: SecureSums | None = None
    lost: dict[str, int] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
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
        parties = self.parties
        number = self.secure.next() if self.secure and expected else None
        told = body if number is None else {**body, "mask": number}
        bodies = {p: told[p] if each else told for p in parties}
        raw = self._exchange(kind, bodies, arrays or {})
        replies = {p: self._reply(kind, p, raw) for p in self._heard(raw)}
        found = {p: r.body for p, r in replies.items()}
        parts = {p: r.arrays for p, r in replies.items()}
        if expected is None:
            return Answers(bodies=found, raw=parts)
        if self.secure is None:
            return self._added(found, parts, expected)
        context = self._context(kind, bodies[parties[0]], arrays or {})
        words = self.secure.total(parts, expected, context)
        sums = {n: decode(s, words[n]) for n, s in expected.items()}
        check_total(expected, sums, len(parties))
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
                found[party] = self._reply(kind, party, raw).body
            except MeshError as error:
                found[party] = error
        return found

    def _ask_some(
        self, kind: str, bodies: Mapping[str, Mapping[str, Any]]
    ) -> Mapping[str, Mapping[str, Any]]:
        raw = self._exchange(kind, bodies, {})
        heard = (p for p in self._heard(raw) if p in bodies)
        return {p: self._reply(kind, p, raw).body for p in heard}

    def _heard(self, raw: Mapping[str, bytes]) -> tuple[str, ...]:
        """Return who is to be listened to; who is silent may be lost from now on."""
        if self.secure is not None and self.secure.terms.recovers:
            silent = [p for p in self.asked if p not in raw]
            for party in silent:
                self.lost.setdefault(party, self.round)
        return tuple(p for p in self.asked if p not in self.lost)

    def _added(
        self,
        found: Mapping[str, Mapping[str, Any]],
        parts: Mapping[str, Arrays],
        expected: Mapping[str, Summand],
    ) -> Answers:
        """Return the sums of parts that nothing hides."""
        words = {
            p: check_part(p, expected, arrays, masked=False)
            for p, arrays in parts.items()
        }
        own = [
            {n: decode(s, w[n]) for n, s in expected.items()} for w in words.values()
        ]
        sums = {
            n: decode(
                s, np.sum([w[n] for w in words.values()], axis=0, dtype=np.uint64)
            )
            for n, s in expected.items()
        }
        return Answers(bodies=found, sums=sums, parts=own)

    def _context(
        self, kind: str, body: Mapping[str, Any], arrays: Mapping[str, Array]
    ) -> str:
        ask = Ask(kind=kind, run=self.run, round=0, party="", body=body, arrays=arrays)
        return messages.content_digest(ask)

    def _exchange(
        self,
        kind: str,
        bodies: Mapping[str, Mapping[str, Any]],
        arrays: Mapping[str, Array],
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
                    arrays=arrays,
                )
            )
            for party in bodies
        }
        self.asked = tuple(asks)
        begun = time.perf_counter()
        raw = self.transport.exchange(asks)
        seconds = time.perf_counter() - begun
        for party, sent in asks.items():
            self.traffic.append(
                Exchange(
                    round=self.round,
                    kind=kind,
                    party=party,
                    bytes_down=len(sent),
                    bytes_up=len(raw.get(party, b"")),
                    seconds=seconds,
                )
            )
        return raw

    def _reply(self, kind: str, party: str, raw: Mapping[str, bytes]) -> Reply:
        if party not in raw:
            raise MessageError(
                f"{party} did not answer in round {self.round}.",
                remedy="Look at the domain's node, then run the study again.",
            )
        reply = messages.decode(raw[party])
        if isinstance(reply, Refusal):
            raise refused(reply)
        expected = (kind, self.run, self.round, party)
        given = (reply.kind, reply.run, reply.round, reply.party)
        if not isinstance(reply, Reply) or given != expected:
            raise MessageError(
                f"{party} answered something else than round {self.round} asked.",
                remedy="Check that every node runs the same version of fl_plugin.",
            )
        head = reply.body.get("head")
        if isinstance(head, list) and len(head) == len(Head._fields):
            self.heads[party] = Head(int(head[0]), str(head[1]))
        return reply


def refused(refusal: Message) -> MeshError:
    """Return the error that a party's refusal stands for."""
    body = refusal.body
    problem = str(body.get("problem", "It gave no reason."))
    remedy = str(body.get("remedy", "Ask the domain's team."))
    if body.get("code") == PolicyError.code:
        return PolicyError(
            f"{refusal.party} refused: {problem}",
            remedy=remedy,
            reason=str(body.get("reason", "refused")),
            domain=refusal.party,
        )
    kinds = {c.code: c for c in MeshError.__subclasses__() if c is not PolicyError}
    kind = kinds.get(str(body.get("code")), MeshError)
    return kind(f"{refusal.party}: {problem}", remedy=remedy)


def _misfit(party: str) -> MessageError:
    return MessageError(
        f"{party} sent arrays that are not what was asked for.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
