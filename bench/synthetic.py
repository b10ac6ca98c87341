"""Synthetic rows of three unlike domains, for measuring time and exactness.

Domains differ in size (50, 30 and 20 %), in the features' means (covariate shift) and
in the share of positives, and the truth is not linear, so that a method that only
works where every domain looks alike shows it. The same arguments give the same rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, gammaincinv, ndtri
from scipy.stats import poisson

Floats = npt.NDArray[np.float64]

FEATURES = 30
SHARES: Mapping[str, float] = {"north": 0.5, "south": 0.3, "west": 0.2}
CLASSES = 3
_INTERCEPTS = (-0.8, 0.0, 0.9)
_BLOCK = 250_000


@dataclass(frozen=True, kw_only=True)
class Table:
    """One domain's rows: features (rows, 30) and target (rows,)."""

    x: Floats
    y: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Some rows, and what decides their targets.

    Args:
        x: Features, (rows, 30).
        odds: The truth about each row, (rows,): log-odds of a binary target.
        chance: Uniform on [0, 1), (rows,): the luck of each row.
    """

    x: Floats
    odds: Floats
    chance: Floats

    def target(self, kind: str) -> Floats:
        """Return `y` as a design has it: (rows,) float64.

        Args:
            kind: "binary", "multiclass" (three classes), "regression", "count",
                "positive" (a skewed amount above 0) or "none".
        """
        if kind == "binary":
            drawn: Floats = (self.chance < expit(self.odds)).astype(np.float64)
            return drawn
        if kind == "regression":
            noisy: Floats = self.odds + ndtri(self.chance)
            return noisy
        if kind == "none":
            return np.zeros(len(self.odds))
        if kind == "multiclass":
            cut = np.log(self.chance / (1.0 - self.chance)) + self.odds
            return (cut > -1.0).astype(np.float64) + (cut > 1.0)
        mean = np.exp(np.clip(0.3 * self.odds, -3.0, 3.0))
        if kind == "count":
            return np.asarray(poisson.ppf(self.chance, mean))
        return np.asarray(mean * gammaincinv(2.0, self.chance) / 2.0 + 1e-3)


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
        domain: _table(draw(place, int(rows * share), seed=seed))
        for place, (domain, share) in enumerate(SHARES.items())
    }


def shares(domains: int) -> tuple[float, ...]:
    """Return each domain's share of the rows; the first has most."""
    if domains == len(SHARES):
        return tuple(SHARES.values())
    weights = 1.0 / np.sqrt(np.arange(1.0, domains + 1.0))
    return tuple(float(w) for w in weights / weights.sum())


def draw(
    place: int, rows: int, *, domains: int = len(SHARES), seed: int = 7
) -> Iterator[Drawn]:
    """Yield one domain's rows in blocks; `place` counts from 0."""
    world = _world(place, domains, seed)
    noise = np.random.default_rng([seed, place])
    for begin in range(0, rows, _BLOCK):
        size = min(_BLOCK, rows - begin)
        drawn = noise.normal(size=(size, FEATURES)) @ world.mixing + world.shift
        yield Drawn(
            x=drawn * world.scales,
            odds=_log_odds(drawn, world),
            chance=noise.random(size),
        )


def _table(blocks: Iterator[Drawn]) -> Table:
    drawn = list(blocks)
    return Table(
        x=np.concatenate([b.x for b in drawn]),
        y=np.concatenate([b.target("binary") for b in drawn]) > 0,
    )


def _world(place: int, domains: int, seed: int) -> _World:
    shared = np.random.default_rng(seed)
    weights = shared.normal(0.0, 0.35, FEATURES)
    rotation = np.linalg.qr(shared.normal(size=(FEATURES, FEATURES)))[0]
    scales = np.exp(shared.normal(0.0, 0.6, FEATURES))
    intercepts = np.linspace(_INTERCEPTS[0], _INTERCEPTS[-1], domains)
    if domains == len(_INTERCEPTS):
        intercepts = np.array(_INTERCEPTS)
    return _World(
        weights=weights,
        mixing=rotation * np.linspace(1.4, 0.4, FEATURES),
        scales=scales,
        shift=shared.normal(0.0, 0.5, (domains, FEATURES))[place],
        intercept=float(intercepts[place]),
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
