"""How a row's mean comes from its parties' parts of z, without anybody having it.

z is the sum of the parties' parts. A pass begins with the label party's part encrypted,
takes in each other party's part, and is closed by the last of them with a blind. The
label party opens the result, which gives it one share of the row's mean; the blind
gives the feature parties the other. Both shares together are the mean,

    identity:  r + s,       r = z + blind,                  s = -blind,
    log:       r s,         r = blind exp(z - last),        s = exp(last) / blind,
    logit:     r s,         r = 1 / (s (1 + exp(z))),       s = blind / (1 + exp(last)),

with `last` the closing party's part of z. Of a logit it is the chance of the first
class, 1 - c, that is shared: so c - y is (1 - y) minus it.
"""

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.summand import Floats
from fl_plugin.vertical.glm.ciphertexts import Chunks, Lock

# The most that a part of z counts where its exponential is taken: a chance is then
# within 3e-7 of 1, unless other parts outweigh it.
FARTHEST = 15.0
SPREAD = 12.0 * math.log(2.0)  # of the logarithm of a blind that multiplies
ADDED = 32.0  # of a blind that is added, in standard deviations of the target
MOST_MEAN = 1e4  # of counts
FAINTEST = 1e-6  # what is opened and smaller is rounding


class Link(ABC):
    """What tells the three families apart.

    Class attributes:
        sign: Of the shared mean in the derivative of a row's loss by z.
        curvature: About the second derivative, where columns are brought to size.
        reach: About the largest entry of a row's product with a share.
    """

    sign: ClassVar[float] = 1.0
    curvature: ClassVar[float] = 1.0
    reach: ClassVar[float] = 4.0
    multiplies: ClassVar[bool] = True

    def bounded(self, z: Floats) -> Floats:
        """Return a part of z, no larger than its exponential may be."""
        return np.minimum(z, FARTHEST) if self.multiplies else z

    def begin(self, z: Floats) -> Floats:
        """Return what the label party encrypts."""
        return np.exp(z)

    def take_in(self, lock: Lock, vectors: list[Any], z: Floats) -> Chunks:
        """Return a pass with one more party's part in it."""
        return lock.times(vectors, np.exp(z))

    @abstractmethod
    def close(
        self, lock: Lock, vectors: list[Any], z: Floats, blind: Floats
    ) -> tuple[Chunks, Floats]:
        """Return a pass closed by the last part, and the feature parties' shares.

        Args:
            lock: Of the label party.
            vectors: The pass so far.
            z: The last part.
            blind: Between -1 and 1 for every row.
        """

    @abstractmethod
    def share(self, opened: Floats) -> Floats:
        """Return the label party's shares out of what it opened."""

    def weigh(self, columns: Floats, own: Floats) -> tuple[Floats, Floats]:
        """Return what own columns become by own shares.

        Args:
            columns: (size, rows).
            own: Shares of the one whose columns they are.

        Returns:
            Columns whose products with the other's shares, plus the numbers beside
            them (size,), are the products of the columns with the means.
        """
        return columns * own, np.zeros(len(columns))

    @abstractmethod
    def mean(self, z: Floats) -> Floats:
        """Return what is predicted."""

    @abstractmethod
    def target(self, y: Floats) -> Floats:
        """Return the target of the shared means."""

    @abstractmethod
    def offset(self, y: Floats, weights: Floats) -> float:
        """Return the intercept without features.

        Raises:
            TrainingError: The target allows none.
        """

    def level(self, y: Floats) -> tuple[float, float]:  # noqa: ARG002
        """Return what is taken from the target before the fit, and its unit."""
        return 0.0, 1.0


class Identity(Link):
    """The mean is z: linear regression."""

    multiplies: ClassVar[bool] = False
    reach: ClassVar[float] = 4.0 * ADDED

    def begin(self, z: Floats) -> Floats:
        """Return z."""
        return z

    def take_in(self, lock: Lock, vectors: list[Any], z: Floats) -> Chunks:
        """Add it."""
        return lock.plus(vectors, z)

    def close(
        self, lock: Lock, vectors: list[Any], z: Floats, blind: Floats
    ) -> tuple[Chunks, Floats]:
        """Add the last part and the blind."""
        own = -ADDED * blind
        return lock.plus(vectors, z - own), own

    def share(self, opened: Floats) -> Floats:
        """Return what was opened."""
        return opened

    def weigh(self, columns: Floats, own: Floats) -> tuple[Floats, Floats]:
        """Shares are added: own ones are multiplied where they are."""
        return columns, columns @ own

    def mean(self, z: Floats) -> Floats:
        """Return z."""
        return z

    def target(self, y: Floats) -> Floats:
        """Return it as it is."""
        return y

    def offset(self, y: Floats, weights: Floats) -> float:  # noqa: ARG002
        """Return 0: the target's mean is taken off."""
        return 0.0

    def level(self, y: Floats) -> tuple[float, float]:
        """Return the mean and the standard deviation.

        Raises:
            TrainingError: The target does not vary.
        """
        unit = float(y.std())
        if not unit > 0.0:
            raise TrainingError(
                "The target does not vary.",
                remedy="Check the study's target and filters.",
            )
        return float(y.mean()), unit


class Log(Link):
    """The mean is exp(z): Poisson regression."""

    def close(
        self, lock: Lock, vectors: list[Any], z: Floats, blind: Floats
    ) -> tuple[Chunks, Floats]:
        """Put the blind in the last part's place."""
        factor = np.exp(SPREAD * blind)
        closed = lock.times_plus(vectors, factor, np.zeros(len(z)))
        return closed, np.exp(z) / factor

    def share(self, opened: Floats) -> Floats:
        """Return what was opened."""
        return opened

    def mean(self, z: Floats) -> Floats:
        """Return exp(z)."""
        return np.exp(z)

    def target(self, y: Floats) -> Floats:
        """Return it as it is.

        Raises:
            TrainingError: A number is below 0.
        """
        if not ((y >= 0.0) & np.isfinite(y)).all():
            raise TrainingError(
                "A target is below 0; Poisson regression learns from counts.",
                remedy="Filter such rows, or choose another algorithm in the study.",
            )
        return y

    def offset(self, y: Floats, weights: Floats) -> float:
        """Return the logarithm of the mean."""
        mean = float(np.average(y, weights=weights))
        if not 0.0 < mean <= MOST_MEAN:
            raise TrainingError(
                f"The target's mean is not above 0 and at most {MOST_MEAN:g}.",
                remedy="Check the study's target, filters and unit.",
            )
        return math.log(mean)


class Logit(Link):
    """The mean is 1 / (1 + exp(-z)): logistic regression."""

    sign: ClassVar[float] = -1.0
    curvature: ClassVar[float] = 0.25

    def close(
        self, lock: Lock, vectors: list[Any], z: Floats, blind: Floats
    ) -> tuple[Chunks, Floats]:
        """Blind 1 + exp(z), in units of the last part's own."""
        own = np.exp(SPREAD * blind) / (1.0 + np.exp(z))
        return lock.times_plus(vectors, own * np.exp(z), own), own

    def share(self, opened: Floats) -> Floats:
        """Return the inverse."""
        return 1.0 / np.maximum(opened, FAINTEST)

    def mean(self, z: Floats) -> Floats:
        """Return the chance of the second class."""
        small = np.exp(-np.abs(z))  # never overflows
        return np.where(z >= 0.0, 1.0, small) / (1.0 + small)

    def target(self, y: Floats) -> Floats:
        """Return 1 for the first class, 0 for the second.

        Raises:
            TrainingError: There are others.
        """
        if not np.isin(y, (0.0, 1.0)).all():
            raise TrainingError(
                "A target is of neither class.",
                remedy="Check the study's target.",
            )
        return 1.0 - y

    def offset(self, y: Floats, weights: Floats) -> float:
        """Return the log-odds."""
        chance = float(np.average(y, weights=weights))
        if not 0.0 < chance < 1.0:
            raise TrainingError(
                "All training rows are of one class.",
                remedy="Check the study's target and filters.",
            )
        return math.log(chance / (1.0 - chance))
