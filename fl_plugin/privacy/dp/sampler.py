"""Draws from the discrete Gaussian, exact, from a source of uniform random bits.

Canonne, Kamath & Steinke (2020), "The Discrete Gaussian for Differential Privacy",
algorithms 1 to 3, over whole blocks at once. Every decision compares integers drawn
uniformly with integers, so no floating-point rounding enters: the law of a draw is
exactly  P(k) proportional to exp(-k^2 / (2 sigma^2)),  given uniform random bits.
Standard deviations are whole numbers; `noise` chooses its grid to make them so.

A block is drawn until it is full, so the time of a draw tells nothing about a single
value of it, only about how many proposals the whole block needed.
"""

import os

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import TrainingError
from fl_plugin.privacy.randomness import RandomBytes

Integers = npt.NDArray[np.int64]
Naturals = npt.NDArray[np.uint64]
Chances = npt.NDArray[np.bool_]

# Squares of draws stay inside 64 bits: (2^30)^2 for 64 standard deviations.
MOST_SIGMA = 2**24
_TAIL = 64
_BLOCK = 1 << 17


def discrete_gaussian(
    sigma: int, size: int, random_bytes: RandomBytes = os.urandom
) -> Integers:
    """Return `size` independent draws with mean 0 and parameter `sigma`.

    Args:
        sigma: Whole, 1 to 2^24.
        size: How many.
        random_bytes: Where bits come from; in a run, its own stream (`randomness`).

    Raises:
        TrainingError: `sigma` is not a whole number in that range.
    """
    if type(sigma) is not int or not 1 <= sigma <= MOST_SIGMA:
        raise TrainingError(
            "Noise was asked for on a scale that this program cannot draw exactly.",
            remedy="This is a defect of the program: report it.",
        )
    drawn = np.empty(size, dtype=np.int64)
    filled = 0
    while filled < size:
        # About one proposal in two is kept.
        proposals = min(_BLOCK, 2 * (size - filled) + 64)
        kept = _gaussian_block(sigma, proposals, random_bytes)[: size - filled]
        drawn[filled : filled + len(kept)] = kept
        filled += len(kept)
    return drawn


def _gaussian_block(sigma: int, proposals: int, source: RandomBytes) -> Integers:
    """Rejection from the discrete Laplace of scale sigma (algorithm 3, t = sigma)."""
    y = _laplace_block(sigma, proposals, source)
    # |y| - sigma^2 / t  with  t = sigma;  gamma = that squared over 2 sigma^2.
    offset = np.abs(y) - sigma
    # Beyond 64 sigma a proposal (chance below e^-64) is refused: its acceptance is
    # below 2^-2800, less than any bit source can tell from 0.
    y, offset = y[offset < _TAIL * sigma], offset[offset < _TAIL * sigma]
    numerator = (offset * offset).astype(np.uint64)
    return y[_bernoulli_exp(numerator, 2 * sigma * sigma, source)]


def _laplace_block(scale: int, proposals: int, source: RandomBytes) -> Integers:
    """Draws with P(k) proportional to exp(-|k| / scale) (algorithm 2)."""
    low = uniform(scale, proposals, source)
    low = low[_bernoulli_exp(low, scale, source)]
    high = _geometric(len(low), source)
    size = low.astype(np.int64) + scale * high
    negative = uniform(2, len(size), source).astype(np.bool_)
    once = ~(negative & (size == 0))  # zero has no sign: count it once
    signed = np.where(negative, -size, size)
    return np.asarray(signed[once])


def _geometric(size: int, source: RandomBytes) -> Integers:
    """Return how often exp(-1) came true in a row."""
    counts = np.zeros(size, dtype=np.int64)
    going = np.arange(size)
    one = np.ones(size, dtype=np.uint64)
    while len(going):
        going = going[_bernoulli_exp(one[: len(going)], 1, source)]
        counts[going] += 1
    return counts


def _bernoulli_exp(
    numerator: Naturals, denominator: int, source: RandomBytes
) -> Chances:
    """Return coins that are true with chance exp(-numerator / denominator).

    Algorithm 1: exp(-gamma) is exp(-1) to the whole part of gamma, times the rest.
    """
    whole, rest = np.divmod(numerator, np.uint64(denominator))
    alive = _bernoulli_exp_small(rest, denominator, source)
    going = np.flatnonzero(alive & (whole > 0))
    left = whole[going].astype(np.int64)
    while len(going):
        ones = np.ones(len(going), dtype=np.uint64)
        coin = _bernoulli_exp_small(ones, 1, source)
        alive[going[~coin]] = False
        left -= 1
        further = coin & (left > 0)
        going, left = going[further], left[further]
    return alive


def _bernoulli_exp_small(
    numerator: Naturals, denominator: int, source: RandomBytes
) -> Chances:
    """For gamma at most 1: the first k with Bernoulli(gamma / k) false is odd."""
    odd = np.zeros(len(numerator), dtype=np.bool_)
    going = np.arange(len(numerator))
    k = 1
    while len(going):
        drawn = uniform(k * denominator, len(going), source)
        true = drawn < numerator[going]
        odd[going[~true]] = k % 2 == 1
        going = going[true]
        k += 1
    return odd


def uniform(below: int, size: int, source: RandomBytes = os.urandom) -> Naturals:
    """Return whole numbers 0 to below - 1, all equally likely, by rejection."""
    bits = (below - 1).bit_length()
    octets = 4 if bits <= 32 else 8  # noqa: PLR2004
    cut = np.uint64(2**bits - 1)
    found = np.empty(size, dtype=np.uint64)
    filled = 0
    while filled < size:
        raw = source(octets * (size - filled))
        words = np.frombuffer(raw, dtype=f"<u{octets}").astype(np.uint64) & cut
        words = words[words < below]
        found[filled : filled + len(words)] = words
        filled += len(words)
    return found
