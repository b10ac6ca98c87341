"""Parties over arrays: a fit's real sums and masks without a mesh around.

Each party proves and encodes its part in fixed point, masks it and cuts it to what is
sent; the coordinator checks, adds, unmasks and decodes: the product's own code, in the
order of a run whose lost parties stop it. The parties take turns in one process
(`Together`), or each has a process of its own and answers over a pipe (`Apart`). Left
out are reading tables, decisions, ledgers and the bytes of messages: `bench.reading`
and `bench.engine` measure those.
"""

import hashlib
import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.pipes import ArrayPipe
from fl_plugin.algorithms.base import Algorithm, Design, Fitted, Task, solve
from fl_plugin.privacy.aggregator import Aggregator
from fl_plugin.privacy.encoding import decode, encode
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.terms import TWO_PARTIES, Terms, Trust
from fl_plugin.summand import Arrays, Summand

RUN = "bench"
_DONE, _FAILED, _END = "done", "failed", "end"
# Signatures are checked once a run; two domains are accepted so that they are measured.
TRUST = Trust(unsigned=True, two_parties=TWO_PARTIES)


class Party:
    """One party of a fit.

    Args:
        name: Unique; of lower-case letters, digits, `_`, `.` and `-`.
        algorithm: What is fitted.
        task: The public facts.
        design: Its rows.
    """

    def __init__(
        self, name: str, algorithm: Algorithm, task: Task, design: Design
    ) -> None:
        self._algorithm = algorithm
        self._task = task
        self._name = name
        self._worker = algorithm.worker(task, design)
        self._masks: PartyMasks | None = None
        self._number = -1

    def announce(self, cohort: Sequence[str]) -> dict[str, Any]:
        """Return its public key for this run."""
        terms = Terms.stopping(RUN, cohort)
        self._masks = PartyMasks(self._name, terms, TRUST)
        return self._masks.announce()

    def share(self, announcements: Any) -> None:
        """Take everybody's keys."""
        assert self._masks is not None
        self._masks.share(announcements)

    def answer(self, question: Arrays) -> Arrays:
        """Return its part as it is sent."""
        self._number += 1
        expected = self._algorithm.answers(question, self._task)
        part = self._worker.answer(question)
        if self._algorithm.sees == "each":
            return part
        words = {
            name: encode(summand, part[name]) for name, summand in expected.items()
        }
        context = context_of(question, self._number)
        assert self._masks is not None
        return self._masks.hide(words, expected, self._number, context)


def names_of(task: Task) -> tuple[str, ...]:
    """Return the parties' names, in order."""
    return tuple(f"p{place:02d}" for place in range(task.parties))


def context_of(question: Arrays, number: int) -> str:
    """Return what binds masks to a question, so that no two are told different ones."""
    digest = hashlib.sha256(str(number).encode())
    for name in sorted(question):
        digest.update(name.encode())
        digest.update(question[name].tobytes())
    return digest.hexdigest()


class Team(ABC):
    """All parties of a fit, as its coordinator reaches them."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The parties' names, in the order of all answers."""

    @abstractmethod
    def all(self, verb: str, body: Any) -> dict[str, Any]:
        """Tell every party the same; return their answers by name.

        Args:
            verb: A method of `Party`.
            body: What it is called with.
        """

    def ask(self, question: Arrays) -> Sequence[Arrays]:
        """Return every party's answer, in the order of their names."""
        return list(self.all("answer", question).values())


class Together(Team):
    """Parties that take turns in this process."""

    def __init__(self, parties: Mapping[str, Party]) -> None:
        self._parties = dict(parties)

    @property
    def names(self) -> tuple[str, ...]:
        """The parties' names, in the order of all answers."""
        return tuple(self._parties)

    def all(self, verb: str, body: Any) -> dict[str, Any]:
        """Tell one after the other."""
        return {name: getattr(p, verb)(body) for name, p in self._parties.items()}


class PartyFailedError(Exception):
    """A party's process could not answer; the message is its error."""


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
        self._pipes: dict[str, ArrayPipe] = {}
        self._processes: list[Any] = []
        for place, name in enumerate(names):
            here, there = context.Pipe()
            process = context.Process(
                target=_serve, args=(there, loading, place), daemon=True
            )
            process.start()
            there.close()
            self._pipes[name] = ArrayPipe(here)
            self._processes.append(process)
        for pipe in self._pipes.values():
            pipe.receive()  # its rows are loaded

    @property
    def names(self) -> tuple[str, ...]:
        """The parties' names, in the order of all answers."""
        return tuple(self._pipes)

    def all(self, verb: str, body: Any) -> dict[str, Any]:
        """Tell all at once; they work at the same time."""
        for pipe in self._pipes.values():
            pipe.send(verb, body)
        answers = {name: pipe.receive() for name, pipe in self._pipes.items()}
        for name, (told, answer) in answers.items():
            if told == _FAILED:
                raise PartyFailedError(f"{name}: {answer}")
        return {name: answer for name, (_, answer) in answers.items()}

    def close(self) -> None:
        """End the parties' processes."""
        for pipe in self._pipes.values():
            pipe.send(_END)
        for process in self._processes:
            process.join()
        for pipe in self._pipes.values():
            pipe.close()


def _serve(
    connection: Any, loading: Callable[[int], Callable[[], Party]], place: int
) -> None:
    """Answer over a pipe until told to end."""
    making = loading(place)
    pipe = ArrayPipe(connection)
    pipe.send(_DONE)
    party: Party | None = None
    while True:
        verb, body = pipe.receive()
        if verb == _END:
            return
        try:
            party = party or making()
            pipe.send(_DONE, getattr(party, verb)(body))
        except Exception as error:  # not every error can be sent as it is
            pipe.send(_FAILED, f"{type(error).__name__}: {error}")


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


def fit(algorithm: Algorithm, task: Task, team: Team) -> Run:
    """Fit over a team; masked unless the algorithm must see each party's part."""
    coordinator = _Coordinator(algorithm, team)
    fitted = solve(algorithm, task, coordinator.total)
    return Run(
        fitted=fitted,
        asked=coordinator.asked,
        bytes_up=max(coordinator.up.values()),
        bytes_down=coordinator.down,
        masked=algorithm.sees == "sum",
    )


class _Coordinator:
    """Asks, adds, and counts what is sent."""

    def __init__(self, algorithm: Algorithm, team: Team) -> None:
        self._algorithm = algorithm
        self._team = team
        self._aggregator = Aggregator(Terms.stopping(RUN, team.names), TRUST)
        announced = team.all("announce", team.names)
        team.all("share", self._aggregator.collect(announced))
        self.asked = 0
        self.up = dict.fromkeys(team.names, 0)
        self.down = 0

    def total(self, question: Arrays, expected: Mapping[str, Summand]) -> Arrays:
        """Return the sums that answer a question."""
        answers = self._team.ask(question)
        parts = dict(zip(self.up, answers, strict=True))
        context, number = context_of(question, self.asked), self.asked
        self.asked += 1
        self.down += _size(question)
        for name, part in parts.items():
            self.up[name] += _size(part)
        if self._algorithm.sees == "each":
            return self._algorithm.combine(list(parts.values()))
        masked = self._aggregator.add(parts, expected, number, context)
        totals = masked.unmask({})
        return {name: decode(s, totals[name]) for name, s in expected.items()}


def _size(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays.values())
