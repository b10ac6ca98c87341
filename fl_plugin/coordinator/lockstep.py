"""Many procedures at once, round by round: one message asks for all of them.

A procedure is a generator that yields questions and takes sums: a preparation, or the
coordinator's half of an algorithm. Cross-validation is then no slower in rounds than
one fit.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fl_plugin.algorithms.base import Question
from fl_plugin.coordinator.answers import Answers
from fl_plugin.coordinator.federation import Federation
from fl_plugin.summand import Array, Arrays, Summand

T = TypeVar("T")
# A message carries answers of about this size: more would only cost memory.
MESSAGE_BYTES = 64 * 2**20
MESSAGE_JOBS = 256


@dataclass
class Procedure(Generic[T]):
    """One of the things that are worked out side by side.

    Args:
        rounds: Yields questions, takes sums, returns what came out.
        answers: What an answer to a question looks like.
        combine: What to make of the parties' own parts; None: their sum.
        progress: (round, figures) of every question that told some.
    """

    rounds: Generator[Question, Arrays, T]
    answers: Callable[[Arrays], Mapping[str, Summand]]
    combine: Callable[[Sequence[Arrays]], Arrays] | None = None
    progress: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)


def lockstep(
    kind: str,
    procedures: Sequence[Procedure[T]],
    body: Callable[[Sequence[int]], Mapping[str, Any]],
    federation: Federation,
) -> list[T]:
    """Run all procedures to their ends.

    Args:
        kind: The work that the parties are asked for.
        procedures: What to run.
        body: What to say to the parties, given the places of those asked about.
        federation: The run.

    Raises:
        MeshError: A procedure or a party gives up.
    """
    results: dict[int, T] = {}
    waiting: dict[int, Question] = {}
    for place, procedure in enumerate(procedures):
        _advance(place, procedure, None, waiting, results)
    while waiting:
        sums: dict[int, Arrays] = {}
        for places in _portions(waiting, procedures):
            asking = [(procedures[place], waiting[place]) for place in places]
            arrays, expected = _message(asking)
            answers = federation.ask(kind, body(places), arrays, expected=expected)
            for i, (procedure, question) in enumerate(asking):
                if question.progress:
                    told = (federation.round, question.progress)
                    procedure.progress.append(told)
                sums[places[i]] = _mine(answers, i, procedure)
        waiting.clear()
        for place in sorted(sums):
            _advance(place, procedures[place], sums[place], waiting, results)
    return [results[place] for place in range(len(procedures))]


def _advance(
    place: int,
    procedure: Procedure[T],
    sums: Arrays | None,
    waiting: dict[int, Question],
    results: dict[int, T],
) -> None:
    try:
        if sums is None:
            waiting[place] = next(procedure.rounds)
        else:
            waiting[place] = procedure.rounds.send(sums)
    except StopIteration as end:
        results[place] = end.value


def _message(
    asking: Sequence[tuple[Procedure[T], Question]],
) -> tuple[dict[str, Array], dict[str, Summand]]:
    arrays: dict[str, Array] = {}
    expected: dict[str, Summand] = {}
    for i, (procedure, question) in enumerate(asking):
        looks = procedure.answers(question.arrays)
        arrays |= {f"{i}.{name}": a for name, a in question.arrays.items()}
        expected |= {f"{i}.{name}": summand for name, summand in looks.items()}
    return arrays, expected


def _mine(answers: Answers, i: int, procedure: Procedure[Any]) -> Arrays:
    start = f"{i}."
    if procedure.combine is not None:
        parts = [
            {n.removeprefix(start): a for n, a in part.items() if n.startswith(start)}
            for part in answers.parts
        ]
        return procedure.combine(parts)
    return {
        n.removeprefix(start): a for n, a in answers.sums.items() if n.startswith(start)
    }


def _portions(
    waiting: Mapping[int, Question], procedures: Sequence[Procedure[T]]
) -> list[list[int]]:
    """Return the places that are asked about, in messages of a bearable size."""
    portions: list[list[int]] = [[]]
    room = MESSAGE_BYTES
    for place in sorted(waiting):
        looks = procedures[place].answers(waiting[place].arrays)
        size = sum(_bytes(summand) for summand in looks.values())
        if portions[-1] and (size > room or len(portions[-1]) >= MESSAGE_JOBS):
            portions.append([])
            room = MESSAGE_BYTES
        portions[-1].append(place)
        room -= size
    return portions


def _bytes(summand: Summand) -> int:
    count = summand.width
    for length in summand.shape:
        count *= length
    return count
