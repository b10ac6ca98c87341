"""Noise on what is sent back, so that a row's gradient does not tell its label.

The gradient of a row is its residual times the last weights: its sign and its length
are the label. Li et al. (2022), "Label Leakage and Protection in Two-party Split
Learning" (arXiv:2102.08504), add noise to each gradient: `max_norm` makes all as long
as the longest (section 4.1), `marvell` finds the noise of a given power that makes the
two classes' gradients least unlike (section 4.2). Both draw anew each time a row comes
by, so who adds up a row's gradients over the epochs sees through them.

`noisy_labels` draws once: a second head learns from labels to which noise was added,
and only its gradients are sent. All that leaves is then a function of the noisy labels,
however often it is looked at, and a Gaussian mechanism bounds what any attack can find
(label differential privacy: Ghazi et al. 2021, arXiv:2102.06062).

`fixed` sends zeros: the domains' nets stay as they were drawn, as random features
(Rahimi & Recht 2008) do, and the layers beside the labels do all the learning.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from fl_plugin.privacy.dp.accountant import GaussianEvent, composed, epsilon_of
from fl_plugin.summand import Array, Floats

NONE, MAX_NORM, MARVELL, NOISY_LABELS = "none", "max_norm", "marvell", "noisy_labels"
FIXED = "fixed"
DEFENCES = (NONE, MAX_NORM, MARVELL, NOISY_LABELS, FIXED)
_SMALLEST = 1e-18
_GRID, _ZOOMS, _SHRINK = 33, 8, 4.0


@dataclass(frozen=True)
class Defence:
    """Which noise, and how much.

    Args:
        name: One of `DEFENCES`.
        noise: Of `noisy_labels` the standard deviation, in units of the label (0 to 1
            of classes, the target's own deviation of numbers). Of `marvell` the power
            of the noise over the squared distance of the classes' mean gradients.
    """

    name: str
    noise: float

    def gradients(
        self, sent: Floats, positive: Array, rng: np.random.Generator
    ) -> Floats:
        """Return a batch's gradients (rows, units) as they may be sent."""
        if self.name == MAX_NORM:
            return max_norm(sent, rng)
        if self.name == FIXED:
            return np.zeros_like(sent)
        if self.name == MARVELL:
            return marvell(sent, positive, self.noise, rng)
        return sent


def label_guarantee(
    noise: float, delta: float, outputs: int = 1
) -> tuple[float, float]:
    """Return epsilon for one label, and the largest AUC of any attack on the noise."""
    moved = float(np.sqrt(2.0)) if outputs > 1 else 1.0
    event = GaussianEvent(sensitivity=moved, sigma=noise)
    return epsilon_of(composed([event]), delta), float(ndtr(moved / noise / np.sqrt(2)))


def max_norm(sent: Floats, rng: np.random.Generator) -> Floats:
    """Stretch every gradient along itself, to the longest one's length in the mean."""
    squares = np.square(sent).sum(axis=1)
    more = squares.max(initial=0.0) / np.maximum(squares, _SMALLEST) - 1.0
    along = rng.standard_normal(len(sent)) * np.sqrt(np.maximum(more, 0.0))
    return np.asarray(sent * (1.0 + along[:, None]))


def marvell(
    sent: Floats, positive: Array, power: float, rng: np.random.Generator
) -> Floats:
    """Add the noise of `best_noise`; a batch of one class is sent as zeros."""
    if positive.all() or not positive.any():
        return np.zeros_like(sent)
    means = [sent[positive == label].mean(axis=0) for label in (False, True)]
    gap = means[1] - means[0]
    length = float(np.linalg.norm(gap))
    if length**2 <= _SMALLEST:
        return sent
    spreads = [
        float(np.square(sent[positive == label] - mean).mean())
        for label, mean in zip((False, True), means, strict=True)
    ]
    facts = Classes(
        gap=length**2,
        spreads=(spreads[0], spreads[1]),
        share=float(positive.mean()),
        units=sent.shape[1],
    )
    found = best_noise(facts, power * length**2)
    along, around = (found[:, place][positive.astype(np.int64)] for place in (0, 1))
    ahead = rng.standard_normal(len(sent)) * np.sqrt(np.maximum(along - around, 0.0))
    spread = rng.standard_normal(sent.shape) * np.sqrt(around)[:, None]
    return np.asarray(sent + ahead[:, None] * gap / length + spread)


@dataclass(frozen=True, kw_only=True)
class Classes:
    """What Marvell's optimum depends on.

    Args:
        gap: Squared distance of the two mean gradients.
        spreads: Variance of each class's gradients in a unit, the negative first.
        share: Of positives.
        units: Of a gradient.
    """

    gap: float
    spreads: tuple[float, float]
    share: float
    units: int

    def unlike(self, along: tuple[Array, Array], around: tuple[Array, Array]) -> Array:
        """Return the sum of both Kullback-Leibler divergences (theorem 2).

        Args:
            along: Noise variance along the gap, of negatives and of positives.
            around: The same in every other direction.
        """
        a = [noise + spread for noise, spread in zip(along, self.spreads, strict=True)]
        b = [noise + spread for noise, spread in zip(around, self.spreads, strict=True)]
        a, b = ([np.maximum(x, _SMALLEST) for x in pair] for pair in (a, b))
        ahead = a[0] / a[1] + a[1] / a[0] + self.gap * (1.0 / a[0] + 1.0 / a[1])
        aside = (self.units - 1) * (b[0] / b[1] + b[1] / b[0])
        return np.asarray(0.5 * (ahead + aside) - self.units)


def best_noise(facts: Classes, power: float) -> Floats:
    """Return noise variances [[along, around] of negatives, the same of positives].

    They make `unlike` smallest among those with the expected squared length `power`.
    Only the class that spreads less needs noise around the gap, and all power is used:
    so two numbers are left to find, the share of the power that goes around and the
    share of the rest that negatives get. Both are found on a grid that zooms in.
    """
    narrow = int(facts.spreads[1] < facts.spreads[0])
    chances = np.array([1.0 - facts.share, facts.share])
    centre, half = np.array([0.5, 0.5]), 0.5
    best = np.zeros((2, 2))
    for _ in range(_ZOOMS):
        steps = np.linspace(-half, half, _GRID)
        aside, first = (np.clip(c + steps, 0.0, 1.0) for c in centre)
        aside, first = (g.ravel() for g in np.meshgrid(aside, first, indexing="ij"))
        rest = power * (1.0 - aside)
        along = [rest * first / chances[0], rest * (1.0 - first) / chances[1]]
        around = [np.zeros_like(rest), np.zeros_like(rest)]
        if facts.units > 1:
            around[narrow] = power * aside / chances[narrow] / (facts.units - 1)
        value = facts.unlike((along[0], along[1]), (around[0], around[1]))
        value[along[narrow] < around[narrow]] = np.inf
        place = int(value.argmin())
        best = np.array([[along[c][place], around[c][place]] for c in (0, 1)])
        centre, half = np.array([aside[place], first[place]]), half / _SHRINK
    return best
