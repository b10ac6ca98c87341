"""What a party lets out of one private fit: never more than was paid for.

The algorithm declares, for each array of an answer, its sensitivity and which share of
the fit's budget it costs. The party adds up the shares itself, whatever the
coordinator asks and in whatever order, and answers nothing beyond the whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fl_plugin.errors import PolicyError, TrainingError
from fl_plugin.privacy.dp.accountant import GaussianEvent
from fl_plugin.privacy.dp.noise import Noise
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.summand import Array, Arrays, Summand

_ROUNDING = 1e-9  # of a sum of shares; the noise has more than that to spare


class Told(Protocol):
    """What an algorithm says of one array (`algorithms.private.Release`)."""

    @property
    def sensitivity(self) -> float:
        """Euclidean distance by which one row moves the array, at most."""

    @property
    def share(self) -> float:
        """Of the square of the fit's mu."""


@dataclass
class Guard:
    """Adds noise to one party's answers of one fit, and counts what they cost.

    One per fit and party; a repeated question must get the stored bytes again, not
    another draw.

    Args:
        noise: Of this fit.
    """

    noise: Noise
    events: list[GaussianEvent] = field(default_factory=list)
    _spent: float = 0.0

    def words(
        self,
        expected: Mapping[str, Summand],
        part: Arrays,
        releases: Mapping[str, Told],
    ) -> dict[str, Words]:
        """Return every array of an answer with its noise; nothing where one is unfit.

        Raises:
            PolicyError: `budget.exceeded`: the fit has used its budget up.
            TrainingError: An array has no declared sensitivity, or breaks its bound.
        """
        if not set(expected) == set(part) == set(releases):
            raise TrainingError(
                "An answer holds an array that no sensitivity is declared for.",
                remedy="Use an algorithm made for differential privacy.",
            )
        shares = [told.share for told in releases.values()]
        after = self._spent + sum(shares)
        if not all(share > 0 for share in shares) or not after <= 1.0 + _ROUNDING:
            raise PolicyError(
                "The coordinator asks for more than this fit's privacy budget allows.",
                remedy="Start the run again; each run is paid for on its own.",
                reason="budget.exceeded",
            )
        self._spent = after  # spent, even where a part turns out unfit below
        return {
            name: self._noised(expected[name], part[name], releases[name])
            for name in sorted(expected)
        }

    def _noised(self, summand: Summand, part: Array, told: Told) -> Words:
        words = self.noise.noised(summand, part, told.sensitivity, told.share)
        # In the units of one look at mu: what the accountant composes.
        sigma = told.sensitivity / (self.noise.mu * told.share**0.5)
        self.events.append(GaussianEvent(sensitivity=told.sensitivity, sigma=sigma))
        return words
