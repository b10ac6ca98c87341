"""Fit a private algorithm over several parties' arrays, with the noise of a run."""

from collections.abc import Mapping, Sequence

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fl_plugin.algorithms.base import Design, Fitted, Task, solve
from fl_plugin.algorithms.private import PrivateAlgorithm
from fl_plugin.privacy.dp.guard import Guard
from fl_plugin.privacy.dp.noise import Noise
from fl_plugin.privacy.encoding import decode, pack, unpack
from fl_plugin.privacy.masking import PairwiseMasks
from fl_plugin.summand import Array, Arrays, Summand


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
    names = [f"p{i}" for i in range(len(designs))]
    keys = {name: X25519PrivateKey.generate() for name in names}
    publics = {n: k.public_key().public_bytes_raw() for n, k in keys.items()}
    hide = len(designs) > 2
    masks = [PairwiseMasks(n, "run", k, publics) for n, k in keys.items() if hide]
    asked = 0

    def total(question: Arrays, expected: Mapping[str, Summand]) -> Arrays:
        nonlocal asked
        asked += 1
        told = algorithm.releases(question, task)
        sent: list[dict[str, Array]] = []
        for i, (worker, guard) in enumerate(zip(workers, guards, strict=True)):
            words = guard.words(expected, worker.answer(question), told)
            if hide:
                words = {n: masks[i].mask(w, f"{asked}/{n}") for n, w in words.items()}
            sent.append({n: pack(w, expected[n].width) for n, w in words.items()})
        return {
            name: decode(summand, _added([s[name] for s in sent], summand))
            for name, summand in expected.items()
        }

    return solve(algorithm, task, total)


def _added(parts: Sequence[Array], summand: Summand) -> Array:
    words = [unpack(part, summand.shape, summand.width) for part in parts]
    return np.asarray(np.sum(words, axis=0, dtype=np.uint64))
