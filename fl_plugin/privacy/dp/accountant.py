"""What happened to a person's privacy, apart from what it costs.

Every answer of a private fit is a Gaussian mechanism. What it did is a `GaussianEvent`;
what all events together cost is one number, mu: the fit is as private as one look at
a normal draw of standard deviation 1 whose mean a row moves by mu,

    mu^2 = sum over events of (sensitivity / sigma)^2,

exactly, also where later questions depend on earlier answers (Dong, Roth & Su 2022,
"Gaussian Differential Privacy", corollary 3.3; Smith & Thakurta 2022, "Fully Adaptive
Composition for Gaussian Differential Privacy"). mu and (epsilon, delta) convert into
each other by the closed form of Balle & Wang (2018), "Improving the Gaussian Mechanism
for Differential Privacy", theorem 8: no looser than any numerical accountant, and in
no need of one. Answers are rounded up in the last digits, so a stated epsilon is never
below the exact one.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scipy.special import log_ndtr

from fl_plugin.errors import ContractError

# Relative error of log_ndtr and of the sums here is below 1e-13.
_SAFETY = 1e-11
_MOST_MU = 1e3
_LEAST_MU = 1e-12
_HALVINGS = 200


@dataclass(frozen=True, kw_only=True)
class GaussianEvent:
    """Normal noise was added to an array that one row can move.

    Args:
        sensitivity: Euclidean distance by which adding or removing one row can move
            the array, at most.
        sigma: Standard deviation of the noise of each entry.
        count: How often that happened.
    """

    sensitivity: float
    sigma: float
    count: int = 1

    @property
    def mu_squared(self) -> float:
        """What it adds to the square of mu."""
        return self.count * (self.sensitivity / self.sigma) ** 2


def composed(events: Iterable[GaussianEvent]) -> float:
    """Return mu of all events together, rounded up."""
    return math.sqrt(math.fsum(e.mu_squared for e in events)) * (1.0 + _SAFETY)


def delta_of(mu: float, epsilon: float) -> float:
    """Return the smallest delta for which mu gives (epsilon, delta)-privacy."""
    if mu <= 0:
        return 0.0
    first = float(log_ndtr(mu / 2.0 - epsilon / mu))
    second = epsilon + float(log_ndtr(-mu / 2.0 - epsilon / mu))
    # The difference of two nearly equal chances, without cancellation of their logs.
    return math.exp(first) * -math.expm1(min(second - first, 0.0))


def epsilon_of(mu: float, delta: float) -> float:
    """Return the smallest epsilon for this delta, rounded up.

    Raises:
        ContractError: `delta` is no chance, or mu is not finite.
    """
    _require_chance(delta)
    if not 0 <= mu <= _MOST_MU:
        raise _refused("noise", "too little noise to speak of privacy")
    if mu <= _LEAST_MU or delta_of(mu, 0.0) <= delta:
        return 0.0
    low, high = 0.0, mu * mu / 2.0 + mu * math.sqrt(2.0 * math.log(1.0 / delta)) + 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if delta_of(mu, middle) > delta:
            low = middle
        else:
            high = middle
    return high * (1.0 + _SAFETY)


def mu_for(epsilon: float, delta: float) -> float:
    """Return the largest mu that (epsilon, delta) allows, rounded down.

    Raises:
        ContractError: `epsilon` is not above 0, or `delta` is no chance.
    """
    _require_chance(delta)
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise _refused("epsilon", "not a positive number")
    low, high = 0.0, _MOST_MU
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if delta_of(middle, epsilon) > delta:
            high = middle
        else:
            low = middle
    return low * (1.0 - _SAFETY)


def _require_chance(delta: float) -> None:
    if not 0 < delta < 1:
        raise _refused("delta", "not between 0 and 1")


def _refused(what: str, why: str) -> ContractError:
    return ContractError(
        f"The study's {what} is {why}.",
        remedy="Correct `privacy` in the study: an epsilon of 0.1 to 10, and a delta "
        "far below one over the number of rows.",
    )
