"""Synthetic rows of three unlike domains, for measuring time and exactness.

Domains differ in size (50, 30 and 20 %), in the features' means (covariate shift) and
in the share of positives, and the truth is not linear, so that a method that only
works where every domain looks alike shows it. The same arguments give the same rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FEATURES = 30
SHARES: Mapping[str, float] = {"north": 0.5, "south": 0.3, "west": 0.2}
_INTERCEPTS = (-0.8, 0.0, 0.9)
_BLOCK = 250_000


@dataclass(frozen=True, kw_only=True)
class Table:
    """One domain's rows: features (rows, 30) and target (rows,)."""

    x: Floats
    y: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class _World:
    """What all domains share, and one domain's shift and intercept."""

    weights: Floats
    mixing: Floats
    scales: Floats
    shift: Floats
    intercept: float


def make(rows: int, seed: int = 7) -> dict[str, Table]:
    """Return every domain's rows, about `rows` in all."""
    return {
        domain: _table(place, int(rows * share), seed)
        for place, (domain, share) in enumerate(SHARES.items())
    }


def _table(place: int, rows: int, seed: int) -> Table:
    world = _world(place, seed)
    noise = np.random.default_rng([seed, place])
    x = np.empty((rows, FEATURES))
    y = np.empty(rows, dtype=np.bool_)
    for begin in range(0, rows, _BLOCK):
        size = min(_BLOCK, rows - begin)
        drawn = noise.normal(size=(size, FEATURES)) @ world.mixing + world.shift
        chance = 1.0 / (1.0 + np.exp(-_log_odds(drawn, world)))
        y[begin : begin + size] = noise.random(size) < chance
        x[begin : begin + size] = drawn * world.scales
    return Table(x=x, y=y)


def _world(place: int, seed: int) -> _World:
    shared = np.random.default_rng(seed)
    weights = shared.normal(0.0, 0.35, FEATURES)
    rotation = np.linalg.qr(shared.normal(size=(FEATURES, FEATURES)))[0]
    scales = np.exp(shared.normal(0.0, 0.6, FEATURES))
    return _World(
        weights=weights,
        mixing=rotation * np.linspace(1.4, 0.4, FEATURES),
        scales=scales,
        shift=shared.normal(0.0, 0.5, (len(SHARES), FEATURES))[place],
        intercept=_INTERCEPTS[place],
    )


def _log_odds(drawn: Floats, world: _World) -> Floats:
    first, second, third, fourth, fifth = drawn[:, :5].T
    odds: Floats = (
        drawn @ world.weights
        + 0.8 * np.sin(2.0 * first)
        + 0.7 * second * third
        - 0.6 * (np.abs(fourth) > 1.0)
        + 0.4 * fifth**2
        - 0.4
        + world.intercept
    )
    return odds
