"""Fit models over the parties: each one's preparation, then its algorithm."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fl_plugin.algorithms.base import Algorithm, Fitted, Task
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.lockstep import Procedure, lockstep
from fl_plugin.coordinator.opening import splits_json
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.fit import answers, preparing
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.splits import Split
from fl_plugin.summand import Array


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a fit stood after one round: what its algorithm tells about the point."""

    round: int
    figures: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A fit that is wanted.

    Args:
        split: Its training rows.
        parameters: Of the algorithm.
        portion: Share of the training rows that are used.
    """

    split: Split
    parameters: Mapping[str, Any]
    portion: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One model.

    Args:
        place: Under which number the parties know it.
        progress: How it converged.
    """

    place: int
    candidate: Candidate
    algorithm: Algorithm
    prepared: Prepared
    task: Task
    fitted: Fitted
    progress: tuple[Progress, ...] = field(default=(), compare=False)


def prepare(
    splits: Sequence[Split],
    schema: Schema,
    plan: PreparationPlan,
    federation: Federation,
    portion: float = 1.0,
) -> list[Prepared]:
    """Return what the training rows of each split, or a portion of them, say.

    Raises:
        TrainingError: A split has only one class, or a feature no value.
    """
    procedures = [
        Procedure(
            rounds=preparing(schema, plan),
            answers=lambda question: answers(question, schema),
        )
        for _ in splits
    ]
    return lockstep(
        "prepare",
        procedures,
        lambda places: {
            "splits": splits_json(splits[i] for i in places),
            "portion": portion,
        },
        federation,
    )


@dataclass
class Fitting:
    """The fits of one run, as they are assigned to the parties one after another.

    Args:
        algorithm: Its class.
        prepared: Each split's preparation.
        seed: Of the study.
        federation: The run.
        mu: How private each fit is; infinite without noise.
        undersample: At most so many rows of a class for one of the rarest.
        assigned: How many fits the parties know of.
        portioned: The preparation of each portion of a split that is learned from by
            itself: what a fit knows of its rows is then of these rows.
    """

    algorithm: type[Algorithm]
    prepared: Mapping[Split, Prepared]
    seed: int
    federation: Federation
    mu: float = math.inf
    undersample: float | None = None
    assigned: int = 0
    portioned: Mapping[tuple[Split, float], Prepared] = field(default_factory=dict)

    def task(self, candidate: Candidate) -> Task:
        """Return what both halves of a fit know."""
        parties = len(self.federation.transport.parties)
        task = self.of(candidate).task(parties=parties, seed=self.seed)
        return replace(task, mu=self.mu)

    def of(self, candidate: Candidate) -> Prepared:
        """Return the preparation over a candidate's training rows."""
        found = self.portioned.get((candidate.split, candidate.portion))
        return found or self.prepared[candidate.split]

    def assign(self, candidates: Sequence[Candidate]) -> int:
        """Tell the parties of fits to come; return the number of the first."""
        first = self.assigned
        jobs: list[dict[str, Any]] = []
        arrays: dict[str, Array] = {}
        for i, candidate in enumerate(candidates):
            facts, own = self.of(candidate).to_wire()
            jobs.append(
                {
                    "split": asdict(candidate.split),
                    "parameters": dict(candidate.parameters),
                    "portions": self._portions(candidate),
                    "prepared": facts,
                }
            )
            arrays |= {f"{i}.{name}": array for name, array in own.items()}
        self.federation.ask("assign", {"jobs": jobs}, arrays)
        self.assigned += len(candidates)
        return first

    def _portions(self, candidate: Candidate) -> list[float]:
        """Return the share of training rows that are used, class by class."""
        counts = self.of(candidate).class_counts
        if self.undersample is None or not counts:
            return [candidate.portion] * max(len(counts), 1)
        most = self.undersample * min(counts)
        return [candidate.portion * min(1.0, most / n) for n in counts]

    def fit(self, candidates: Sequence[Candidate]) -> list[Fit]:
        """Fit all candidates side by side.

        Raises:
            TrainingError: A fit did not converge.
        """
        first = self.assign(candidates)
        made = [self.algorithm.of(c.parameters) for c in candidates]
        tasks = [self.task(c) for c in candidates]
        procedures = [_procedure(a, t) for a, t in zip(made, tasks, strict=True)]
        fitted = lockstep(
            "step",
            procedures,
            lambda places: {"jobs": [first + i for i in places]},
            self.federation,
        )
        return [
            Fit(
                place=first + i,
                candidate=candidate,
                algorithm=made[i],
                prepared=self.of(candidate),
                task=tasks[i],
                fitted=fitted[i],
                progress=tuple(
                    Progress(round=number, figures=figures)
                    for number, figures in procedures[i].progress
                ),
            )
            for i, candidate in enumerate(candidates)
        ]


def _procedure(algorithm: Algorithm, task: Task) -> Procedure[Fitted]:
    return Procedure(
        rounds=algorithm.rounds(task),
        answers=lambda question: algorithm.answers(question, task),
        combine=algorithm.combine if algorithm.sees == "each" else None,
    )
