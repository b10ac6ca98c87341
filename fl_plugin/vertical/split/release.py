"""Activations as they may leave a domain: clipped, with noise, if the study asks.

Every row's activation is cut to a Euclidean length and gets discrete Gaussian noise on
a fine grid, from the operating system's random source. What one message says of the
row it is about is then a Gaussian mechanism over that row's values, and all messages of
a fit compose. The guarantee is for these values given the weights; the weights
themselves were learnt from all rows without noise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fl_plugin.privacy.dp.accountant import GaussianEvent, composed, epsilon_of
from fl_plugin.privacy.dp.sampler import Integers, discrete_gaussian
from fl_plugin.summand import Floats

_STEPS = 2**20  # of the grid in one standard deviation
_SMALLEST = 1e-18

Draw = Callable[[int, int], Integers]


@dataclass(frozen=True, kw_only=True)
class Release:
    """What is done to an activation before it is sent.

    Args:
        clip: Largest Euclidean length of a row's activation; 0 for any.
        noise: Standard deviation of the noise over `clip`; 0 for none.
        draw: Where noise comes from; a test may give another.
    """

    clip: float = 0.0
    noise: float = 0.0
    draw: Draw = discrete_gaussian

    def epsilon(self, messages: int, delta: float) -> float:
        """Return epsilon of all that is sent about one row's values."""
        event = GaussianEvent(
            sensitivity=2.0 * self.clip, sigma=self.noise * self.clip, count=messages
        )
        return epsilon_of(composed([event]), delta)

    def sent(self, given: Floats) -> Floats:
        """Return the activations (rows, units) as they leave."""
        if not self.clip:
            return given
        cut = given * self._share(given)[:, None]
        if not self.noise:
            return np.asarray(cut)
        step = self.noise * self.clip / _STEPS
        drawn = self.draw(_STEPS, given.size).reshape(given.shape)
        return np.asarray((np.rint(cut / step) + drawn) * step)

    def backward(self, given: Floats, slope: Floats) -> Floats:
        """Return the slope by what was given, through the clipping."""
        if not self.clip:
            return slope
        share = self._share(given)
        square = np.maximum(np.square(given).sum(axis=1), _SMALLEST)
        along = (given * slope).sum(axis=1) / square
        inner = slope - np.where(share < 1.0, along, 0.0)[:, None] * given
        return np.asarray(share[:, None] * inner)

    def _share(self, given: Floats) -> Floats:
        lengths = np.sqrt(np.square(given).sum(axis=1))
        return np.asarray(np.minimum(1.0, self.clip / np.maximum(lengths, _SMALLEST)))
