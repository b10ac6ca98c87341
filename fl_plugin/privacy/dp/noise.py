"""Noise on one array of a party's answer: whole numbers, added before the masks.

The part is rounded to a grid, noise from the discrete Gaussian on the same grid is
added, and only then is it masked. What makes the figures safe:

- Rounding is inside the sensitivity. Of d entries, rounded twice, two neighbouring
  parts can move apart by another 2 sqrt(d) steps of the grid.
- The whole noise is that of the sum. With masks only the sum over all parties is seen,
  so each of n parties adds noise of variance sigma^2 / (n - c), c being how many may
  collude or fall silent: the others' noise together still has at least sigma^2. Plain,
  each party's own part is seen, so each adds sigma^2.
- A discrete Gaussian is at least as private as the continuous one that the accountant
  speaks of, less `SMOOTHING` of its variance. Rounding a normal draw x of variance
  sigma^2 - 4 by a discrete Gaussian of variance 4 around x gives, up to a factor
  1 +- 2 exp(-8 pi^2) < 1 +- 1e-33 for each value, the discrete Gaussian of variance
  sigma^2 (Peikert 2010, "An Efficient and Parallel Gaussian Sampler for Lattices",
  theorem 3.1), and rounding cannot lose privacy. The same covers the sum of several
  parties' draws (Kairouz, Liu & Steinke 2021, "The Distributed Discrete Gaussian
  Mechanism for Federated Learning").
"""

import math
import os
from dataclasses import dataclass

import numpy as np

from fl_plugin.errors import ContractError, TrainingError
from fl_plugin.privacy.dp.sampler import MOST_SIGMA, discrete_gaussian
from fl_plugin.privacy.encoding import encode
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.summand import Array, Summand

SMOOTHING = 4.0  # steps of the grid, squared
# So many standard deviations of noise must fit beside the bound: chance below 1e-80.
HEADROOM = 20.0
_MIN_MASKED = 3
_LEAST_SIGMA = 64
_WISHED_SIGMA = MOST_SIGMA / 4  # finer than that, the grid costs nothing any more


@dataclass(frozen=True, kw_only=True)
class Noise:
    """How much noise each party of one fit adds.

    Args:
        mu: What the whole fit may cost, see `accountant`.
        parties: How many take part.
        masked: Whether only the sum over all parties is seen.
        colluding: How many of them this domain expects to tell the coordinator their
            noise, or to fall silent. A domain's own setting.
        source: Where it is drawn from.

    Raises:
        ContractError: Nobody would be left to add noise, or mu is no positive number.
    """

    mu: float
    parties: int
    masked: bool
    colluding: int = 1
    source: RandomBytes = os.urandom

    def __post_init__(self) -> None:
        """Refuse what protects nobody."""
        if not (math.isfinite(self.mu) and self.mu > 0):
            raise ContractError(
                "A private fit has no finite privacy budget.",
                remedy="Set `privacy: {epsilon: ...}` in the study.",
            )
        if self.masked and not (
            self.parties >= _MIN_MASKED and 0 <= self.colluding < self.parties
        ):
            raise ContractError(
                "More parties are expected to collude than take part.",
                remedy="Train over more domains, or without secure aggregation: then "
                "every domain adds the whole noise.",
            )

    @property
    def sharers(self) -> int:
        """Among how many parties the noise is divided."""
        return self.parties - self.colluding if self.masked else 1

    def scale(self, summand: Summand, sensitivity: float, share: float) -> "Scale":
        """Return the grid and the noise of one party's part, from public facts only.

        Args:
            summand: Of the array; it must have one bound for all entries.
            sensitivity: Euclidean, of one row, before rounding.
            share: Of the square of mu, that this array may cost.

        Raises:
            TrainingError: The array's grid is too coarse or too small for the noise.
        """
        if summand.integer or summand.bound is None or np.ndim(summand.bound):
            raise _unfit("has no single bound")
        if not (sensitivity > 0 and 0 < share <= 1 and math.isfinite(sensitivity)):
            raise _unfit("declares no sensitivity")
        mu = self.mu * math.sqrt(share)
        step = math.ldexp(1.0, -int(summand.exponents))
        wished = sensitivity / (mu * math.sqrt(self.sharers)) / step / _WISHED_SIGMA
        shift = max(0, math.frexp(wished)[1])  # steps of the noise's grid: 2^shift
        unit = math.ldexp(step, shift)
        rounding = 2.0 * math.sqrt(math.prod(summand.shape))
        moved = sensitivity / unit + rounding
        variance = (moved / mu) ** 2 + SMOOTHING
        scale = Scale(shift=shift, sigma=math.ceil(math.sqrt(variance / self.sharers)))
        if not _LEAST_SIGMA <= scale.sigma <= MOST_SIGMA:
            raise _unfit("is on a grid that is too coarse for its noise")
        room = 2.0 * float(summand.bound)
        if HEADROOM * math.sqrt(self.parties) * scale.sigma * unit > room:
            raise _unfit("leaves no room for its noise")
        return scale

    def noised(
        self, summand: Summand, part: Array, sensitivity: float, share: float
    ) -> Words:
        """Return a party's part as words with noise, to be masked, cut and sent.

        Raises:
            TrainingError: The part is not what the summand promises, or see `scale`.
        """
        return self.scale(summand, sensitivity, share).add(
            encode(summand, part), self.source
        )


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Noise on a grid.

    Args:
        shift: The grid's step is 2^shift steps of the encoding's grid.
        sigma: Of one party's noise, in steps of its own grid.
    """

    shift: int
    sigma: int

    def add(self, words: Words, source: RandomBytes = os.urandom) -> Words:
        """Return words rounded to the grid, with noise."""
        signed = words.view(np.int64)
        if self.shift:
            half = np.int64(1) << np.int64(self.shift - 1)
            signed = (signed + half) >> np.int64(self.shift)
        noise = discrete_gaussian(self.sigma, signed.size, source)
        noised = (signed + noise.reshape(signed.shape)) << np.int64(self.shift)
        return noised.view(np.uint64)


def _unfit(how: str) -> TrainingError:
    return TrainingError(
        f"An array that noise is to be added to {how}.",
        remedy="Use an algorithm made for differential privacy, with a larger epsilon "
        "or fewer rounds.",
    )
