"""Fit a private algorithm over several parties' arrays, with the noise of a run."""

from collections.abc import Mapping, Sequence

from fl_plugin.algorithms.base import Design, Fitted, Task, solve
from fl_plugin.algorithms.private.releases import PrivateAlgorithm
from fl_plugin.privacy.dp.guard import Guard
from fl_plugin.privacy.dp.noise import Noise
from fl_plugin.summand import Arrays, Summand
from tests.masked_sums import MaskedSums


def guards_for(task: Task, *, masked: bool = True) -> list[Guard]:
    """Return one guard per party of the task."""
    masked = masked and task.parties > 2
    noise = Noise(mu=task.mu, parties=task.parties, masked=masked)
    return [Guard(noise) for _ in range(task.parties)]


def private_fit_over(
    algorithm: PrivateAlgorithm,
    task: Task,
    designs: Sequence[Design],
    guards: Sequence[Guard] | None = None,
) -> Fitted:
    """Fit over these parties: noise, masks (of three or more), cut, add, decode."""
    guards = guards or guards_for(task)
    workers = [algorithm.worker(task, design) for design in designs]
    sums = MaskedSums(len(designs))

    def total(question: Arrays, expected: Mapping[str, Summand]) -> Arrays:
        told = algorithm.releases(question, task)
        words = [
            guard.words(expected, worker.answer(question), told)
            for worker, guard in zip(workers, guards, strict=True)
        ]
        return sums.add_words(words, expected)

    return solve(algorithm, task, total)
