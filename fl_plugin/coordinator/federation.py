"""Rounds over a transport: ask every party, add what comes back, count the bytes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import MeshError, MessageError, PolicyError
from fl_plugin.ledger.record import Head
from fl_plugin.messages import Ask, Message, Refusal, Reply, decode, encode
from fl_plugin.privacy.fixed_point import Words

Array = npt.NDArray[Any]


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
        words: The summed arrays, modulo 2^64: masks have cancelled.
    """

    bodies: Mapping[str, Mapping[str, Any]]
    words: Mapping[str, Words]

    def counts(self) -> dict[str, npt.NDArray[np.int64]]:
        """Return the summed arrays as integers."""
        return {n: w.view(np.int64) for n, w in self.words.items()}


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
    """

    run: str
    transport: Transport
    listener: Listener = _silent
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
    ) -> Answers:
        """Ask every party for one kind of work.

        Args:
            kind: The work.
            body: What to say; by party where `each` is true.
            arrays: What to send along, the same to all.
            each: Whether `body` differs between the parties.

        Raises:
            MeshError: A party refused, or sent something that does not fit.
        """
        parties = self.transport.parties
        raw = self._exchange(
            kind, {p: body[p] if each else body for p in parties}, arrays or {}
        )
        return self._add({p: self._reply(kind, p, raw) for p in parties})

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

    def _exchange(
        self,
        kind: str,
        bodies: Mapping[str, Mapping[str, Any]],
        arrays: Mapping[str, Array],
    ) -> Mapping[str, bytes]:
        self.round += 1
        self.listener(kind, self.round)
        messages = {
            party: encode(
                Ask(
                    kind=kind,
                    run=self.run,
                    round=self.round,
                    party=party,
                    body=bodies[party],
                    arrays=arrays,
                )
            )
            for party in self.transport.parties
        }
        begun = time.perf_counter()
        raw = self.transport.exchange(messages)
        seconds = time.perf_counter() - begun
        for party in self.transport.parties:
            self.traffic.append(
                Exchange(
                    round=self.round,
                    kind=kind,
                    party=party,
                    bytes_down=len(messages[party]),
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
        reply = decode(raw[party])
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

    def _add(self, replies: Mapping[str, Reply]) -> Answers:
        first, *rest = replies.values()
        words: dict[str, Words] = {}
        for name, array in first.arrays.items():
            total = np.array(array, dtype=np.uint64)
            for reply in rest:
                other = reply.arrays.get(name)
                if other is None or other.shape != total.shape:
                    raise _misfit(reply)
                total += other.astype(np.uint64, copy=False)
            words[name] = total
        for reply in rest:
            if set(reply.arrays) != set(words):
                raise _misfit(reply)
        return Answers(bodies={p: r.body for p, r in replies.items()}, words=words)


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


def _misfit(reply: Reply) -> MessageError:
    return MessageError(
        f"{reply.party} sent arrays that do not fit the others'.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
