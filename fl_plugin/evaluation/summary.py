"""The spread of a figure over repeated cross-validation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.evaluation.interval import NORMAL_95

_MANY = 200
# By power of 1/df: the coefficient of each power of the normal quantile.
_EXPANSION: tuple[dict[int, float], ...] = (
    {1: 1.0},
    {3: 1 / 4, 1: 1 / 4},
    {5: 5 / 96, 3: 16 / 96, 1: 3 / 96},
    {7: 3 / 384, 5: 19 / 384, 3: 17 / 384, 1: -15 / 384},
)


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation and 95 % interval of the mean over `n` folds.

    With one fold alone there is a mean and nothing else.
    """

    mean: float
    sd: float | None
    low: float | None
    high: float | None
    n: int


def spread(
    values: Sequence[float | None], *, test_to_train: float = 0.25
) -> Spread | None:
    """Summarise one figure over the folds of repeated cross-validation.

    The folds' training rows overlap, so the plain standard error sd/sqrt(n) is far too
    small; Nadeau & Bengio (2003) correct it to sd * sqrt(1/n + test/train), used with
    Student's t of n - 1 degrees of freedom.

    Args:
        values: One figure for each fold; None, a fold where it is undefined, is left
            out.
        test_to_train: Test rows over training rows of a fold: 1/(k-1) for k folds,
            0.25 for five.

    Returns:
        The summary, or None when no fold has the figure.
    """
    known = np.array([value for value in values if value is not None])
    if not known.size:
        return None
    mean = float(known.mean())
    if known.size == 1:
        return Spread(mean, None, None, None, 1)
    sd = float(known.std(ddof=1))
    error = sd * math.sqrt(1.0 / known.size + test_to_train)
    half = student_95(known.size - 1) * error
    return Spread(mean, sd, mean - half, mean + half, known.size)


def student_95(df: int) -> float:
    """Return t with 95 % of Student's distribution in [-t, t], `df` whole and >= 1.

    Above 200 degrees of freedom by its expansion about the normal quantile
    (Abramowitz & Stegun 26.7.5), which is right to 1e-9 there.
    """
    if df > _MANY:
        z, t = NORMAL_95, 0.0
        for power, polynomial in enumerate(_EXPANSION):
            t += sum(c * z**k for k, c in polynomial.items()) / df**power
        return t
    low, high = 0.0, math.pi / 2.0
    for _ in range(80):
        middle = (low + high) / 2.0
        if _central_mass(middle, df) < 0.95:  # noqa: PLR2004 - the level in the name
            low = middle
        else:
            high = middle
    return math.tan(low) * math.sqrt(df)


def _central_mass(angle: float, df: int) -> float:
    """Return P(|T| < sqrt(df) tan(angle)): Abramowitz & Stegun 26.7.3 and 26.7.4."""
    odd = df % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for k in range(odd, df - 1, 2):
        if k > odd:
            term *= math.cos(angle) ** 2 * (k - 1) / k
        total += term
    mass = math.sin(angle) * total
    return (angle + mass) * 2.0 / math.pi if odd else mass
