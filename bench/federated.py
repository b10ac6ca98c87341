"""Parties over arrays: a fit's real sums and masks without a mesh around.

Each party encodes its part in fixed point, masks it and cuts it to what is sent; the
coordinator adds and decodes: the product's own code, in the same order as in a run. The
parties take turns in one process (`Together`), or each has a process of its own and
answers over a pipe (`Apart`). Reading tables, decisions, ledgers and the encoding of
messages are left out; `bench.reading` and `bench.engine` measure those.
"""

import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fl_plugin.algorithms.base import Algorithm, Design, Fitted, Task, solve
from fl_plugin.privacy.encoding import decode, encode, pack, unpack, words_shape
from fl_plugin.privacy.masking import MIN_PARTIES, PairwiseMasks
from fl_plugin.summand import Arrays, Summand

RUN = "bench"


class Party:
    """One party of a fit.

    Args:
        name: Unique.
        algorithm: What is fitted.
        task: The public facts.
        design: Its rows.
    """

    def __init__(
        self, name: str, algorithm: Algorithm, task: Task, design: Design
    ) -> None:
        self._name = name
        self._algorithm = algorithm
        self._task = task
        self._worker = algorithm.worker(task, design)
        self._key = X25519PrivateKey.generate()
        self._masks: PairwiseMasks | None = None
        self._asked = 0

    @property
    def public(self) -> bytes:
        """Its public key for this run."""
        return self._key.public_key().public_bytes_raw()

    def meet(self, publics: Mapping[str, bytes]) -> None:
        """Agree on masks with the others."""
        self._masks = PairwiseMasks(self._name, RUN, self._key, publics)

    def answer(self, question: Arrays) -> Arrays:
        """Return its part as it is sent."""
        self._asked += 1
        expected = self._algorithm.answers(question, self._task)
        part = self._worker.answer(question)
        if self._algorithm.sees == "each":
            return part
        return {
            name: self._sent(name, summand, part) for name, summand in expected.items()
        }

    def _sent(self, name: str, summand: Summand, part: Arrays) -> Any:
        words = encode(summand, part[name])
        if self._masks is not None:
            words = self._masks.mask(words, f"{self._asked}/{name}")
        return pack(words, summand.width)


class Team(ABC):
    """All parties of a fit, as its coordinator reaches them."""

    @abstractmethod
    def publics(self) -> Mapping[str, bytes]:
        """Return every party's public key."""

    @abstractmethod
    def meet(self, publics: Mapping[str, bytes]) -> None:
        """Let all parties agree on masks."""

    @abstractmethod
    def ask(self, question: Arrays) -> Sequence[Arrays]:
        """Return every party's answer."""


class Together(Team):
    """Parties that take turns in this process."""

    def __init__(self, parties: Mapping[str, Party]) -> None:
        self._parties = dict(parties)

    def publics(self) -> Mapping[str, bytes]:
        """Return every party's public key."""
        return {name: party.public for name, party in self._parties.items()}

    def meet(self, publics: Mapping[str, bytes]) -> None:
        """Let all parties agree on masks."""
        for party in self._parties.values():
            party.meet(publics)

    def ask(self, question: Arrays) -> Sequence[Arrays]:
        """Return every party's answer."""
        return [party.answer(question) for party in self._parties.values()]


class Apart(Team):
    """Parties in processes of their own, each asked over a pipe.

    Args:
        names: Of the parties.
        loading: Called in each process with its party's place: loads its rows, and
            returns what makes the party of them. A function of a module, with plain
            arguments bound, as new processes demand. What it returns is called with
            the first question, so that preparing rows is work of the fit.
    """

    def __init__(
        self, names: Sequence[str], loading: Callable[[int], Callable[[], Party]]
    ) -> None:
        # Forked children would hold the coordinator's memory and its BLAS threads.
        context = multiprocessing.get_context("spawn")
        self._names = tuple(names)
        self._pipes: list[Any] = []
        self._processes: list[Any] = []
        for place in range(len(names)):
            here, there = context.Pipe()
            process = context.Process(
                target=_serve, args=(there, loading, place), daemon=True
            )
            process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()  # its rows are loaded

    def publics(self) -> Mapping[str, bytes]:
        """Return every party's public key."""
        return dict(zip(self._names, self._all("public", None), strict=True))

    def meet(self, publics: Mapping[str, bytes]) -> None:
        """Let all parties agree on masks."""
        self._all("meet", publics)

    def ask(self, question: Arrays) -> Sequence[Arrays]:
        """Return every party's answer; all work at the same time."""
        return self._all("ask", question)

    def close(self) -> None:
        """End the parties' processes."""
        for pipe in self._pipes:
            pipe.send(("end", None))
        for process in self._processes:
            process.join()

    def _all(self, verb: str, body: Any) -> list[Any]:
        for pipe in self._pipes:
            pipe.send((verb, body))
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def _serve(
    pipe: Any, loading: Callable[[int], Callable[[], Party]], place: int
) -> None:
    """Answer over a pipe until told to end."""
    making = loading(place)
    pipe.send(None)
    party: Party | None = None
    while True:
        verb, body = pipe.recv()
        if verb == "end":
            return
        try:
            party = party or making()
            pipe.send(_turn(party, verb, body))
        except Exception as error:  # the coordinator raises it
            pipe.send(error)


def _turn(party: Party, verb: str, body: Any) -> Any:
    if verb == "ask":
        return party.answer(body)
    if verb == "meet":
        party.meet(body)
    return party.public if verb == "public" else None


@dataclass(frozen=True, kw_only=True)
class Run:
    """A fit, and what was sent for it.

    Args:
        fitted: What came out.
        asked: Questions; each is one round.
        bytes_up: Sent by one party in the whole fit; the one that sent most.
        bytes_down: Sent to one party.
        masked: Whether the coordinator saw only masked parts.
    """

    fitted: Fitted
    asked: int
    bytes_up: int
    bytes_down: int
    masked: bool


def fit(
    algorithm: Algorithm, task: Task, team: Team, *, masked: bool | None = None
) -> Run:
    """Fit over a team; masked wherever there are enough parties for it."""
    publics = team.publics()
    hide = len(publics) >= MIN_PARTIES if masked is None else masked
    hide = hide and algorithm.sees == "sum"
    if hide:
        team.meet(publics)
    asked, up, down = 0, [0] * len(publics), 0

    def total(question: Arrays, expected: Mapping[str, Summand]) -> Arrays:
        nonlocal asked, up, down
        parts = team.ask(question)
        asked += 1
        down += _size(question)
        up = [sent + _size(part) for sent, part in zip(up, parts, strict=True)]
        if algorithm.sees == "each":
            return algorithm.combine(parts)
        return {
            name: _added(summand, [part[name] for part in parts])
            for name, summand in expected.items()
        }

    fitted = solve(algorithm, task, total)
    return Run(
        fitted=fitted, asked=asked, bytes_up=max(up), bytes_down=down, masked=hide
    )


def _added(summand: Summand, sent: Sequence[Any]) -> Any:
    shape = words_shape(summand)
    words = unpack(sent[0], shape, summand.width).copy()
    for other in sent[1:]:
        words += unpack(other, shape, summand.width)
    return decode(summand, words)


def _size(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays.values())
