"""Fit one model per split, all splits in the same rounds.

The hold-out's model and those of every fold of the cross-validation advance together:
a round asks for all of them at once, so 26 fits cost as many exchanges as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import Algorithm, Fitted, Iterate
from fl_plugin.coordinator.federation import Federation
from fl_plugin.preparation.moments import Counted, Moments, counted, moments
from fl_plugin.preparation.splits import Split
from fl_plugin.privacy.fixed_point import Grid, Words, decode_limbs

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One split's model: its preparation and its coefficients."""

    split: Split
    moments: Moments
    fitted: Fitted

    @property
    def point(self) -> Floats:
        """Coefficients, then the intercept."""
        return np.append(self.fitted.coefficients, self.fitted.intercept)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where the first split's fit stood after one round."""

    round: int
    loss: float
    gradient_norm: float
    step: float


@dataclass(frozen=True, kw_only=True)
class Fits:
    """Every split's model, and how the first one converged."""

    fits: tuple[Fit, ...]
    progress: tuple[Progress, ...]


def prepare(splits: Sequence[Split], federation: Federation) -> tuple[Moments, ...]:
    """Return the moments of each split's rows, from two rounds of sums.

    Raises:
        TrainingError: A split has only one class, or a feature no value.
    """
    firsts = count_rows(splits, federation)
    means = np.stack([f.means for f in firsts])
    answers = federation.ask("scatter", _splits(splits), {"means": means})
    squares = decode_limbs(answers.words["squares"])
    return tuple(moments(f, s) for f, s in zip(firsts, squares, strict=True))


def count_rows(splits: Sequence[Split], federation: Federation) -> tuple[Counted, ...]:
    """Return the counts and means of each split's rows, from one round of sums."""
    answers = federation.ask("count", _splits(splits))
    counts = answers.counts()
    sums = decode_limbs(answers.words["sum"])
    return tuple(
        counted(
            {n: counts[n][i] for n in ("rows", "positives", "present")},
            {"sum": sums[i]},
        )
        for i in range(len(splits))
    )


def fit(
    algorithm: Algorithm,
    splits: Sequence[Split],
    prepared: Sequence[Moments],
    width: int,
    federation: Federation,
) -> Fits:
    """Fit the algorithm on each split until all are finished.

    Args:
        algorithm: What to fit.
        splits: Training rows of each fit.
        prepared: The moments of each split, in the same order.
        width: Columns of the design.
        federation: The run.

    Raises:
        TrainingError: A fit did not converge.
    """
    states: list[Iterate] = [algorithm.start(width) for _ in splits]
    resolution = [0.0] * len(splits)
    progress: list[Progress] = []
    while not all(state.finished for state in states):
        active = [i for i, state in enumerate(states) if not state.finished]
        words = _step(
            [splits[i] for i in active],
            [prepared[i] for i in active],
            [states[i].point for i in active],
            federation,
        )
        for place, i in enumerate(active):
            bounds = algorithm.bounds(states[i].point, prepared[i].counted.rows)
            grids = {name: Grid.for_bound(bound) for name, bound in bounds.items()}
            sums = {name: grids[name].decode(w[place]) for name, w in words.items()}
            parties = len(federation.transport.parties)
            resolution[i] = parties * max(g.resolution for g in grids.values())
            states[i] = algorithm.update(states[i], sums)
        if active[0] == 0:
            progress.append(_progress(federation.round, states[0]))
    fits = tuple(
        Fit(
            split=split,
            moments=prepared[i],
            fitted=algorithm.result(states[i], resolution[i]),
        )
        for i, split in enumerate(splits)
    )
    return Fits(fits=fits, progress=tuple(progress))


def models_of(fits: Sequence[Fit]) -> dict[str, Floats]:
    """Return the arrays that carry models to the parties, one row per model."""
    return {
        "means": np.stack([f.moments.counted.means for f in fits]),
        "scales": np.stack([f.moments.scales for f in fits]),
        "points": np.stack([f.point for f in fits]),
    }


def _step(
    splits: Sequence[Split],
    prepared: Sequence[Moments],
    points: Sequence[Floats],
    federation: Federation,
) -> Mapping[str, Words]:
    body = {**_splits(splits), "rows": [p.counted.rows for p in prepared]}
    arrays = {
        "means": np.stack([p.counted.means for p in prepared]),
        "scales": np.stack([p.scales for p in prepared]),
        "points": np.stack(points),
    }
    return federation.ask("step", body, arrays).words


def _progress(number: int, state: Iterate) -> Progress:
    return Progress(
        round=number,
        loss=state.loss,
        gradient_norm=state.gradient_norm,
        step=state.step_length,
    )


def _splits(splits: Sequence[Split]) -> dict[str, list[dict[str, object]]]:
    return {"splits": [asdict(s) for s in splits]}
