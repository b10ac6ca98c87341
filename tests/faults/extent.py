"""How much is tried: a sample by default, all that is promised with `--long`."""

from dataclasses import dataclass
from random import Random

import pytest

FIXED_SEED = 6


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How often each fault is brought about, and from which seed.

    Args:
        seed: Of all dice.
        whole: Whether each moment is tried before and after, at its first, middle and
            last call, and not at one of these alone; and every algorithm.
        at_random: Runs that are killed at a random time.
        twice: Runs that are killed again while they are taken up.
        of_nodes: Runs in which a node is killed at a random time.
        vertical: Seeds of vertical runs that are killed again and again.
        flips: Bits flipped in a database, and as many in a ledger.
        cuts: Beginnings of a database.
        unnoticed: Bits flipped with the checksums put right.
        disks: Disks that fill up.
        racers: Runs that race for one budget.
        schedules: Of messages that are lost, doubled, late or cut.
    """

    seed: int = FIXED_SEED
    whole: bool = False
    at_random: int = 8
    twice: int = 4
    of_nodes: int = 3
    vertical: int = 1
    flips: int = 40
    cuts: int = 12
    unnoticed: int = 12
    disks: int = 3
    racers: int = 2
    schedules: int = 4_000

    def dice(self, name: str) -> Random:
        """Return the dice of one test."""
        return Random(f"{self.seed} {name}")  # noqa: S311 not for secrets

    def times(self, calls: int) -> list[int]:
        """Return at which calls of a function, which has so many, a run is killed."""
        middle = (calls + 1) // 2
        return sorted({1, middle, calls}) if self.whole else [middle]

    def sides(self, name: str) -> list[bool]:
        """Return on which sides of a moment a run is killed: before it, after it."""
        return [False, True] if self.whole else [self.dice(name).random() < 0.5]


WHOLE = {
    "at_random": 200,
    "twice": 50,
    "of_nodes": 50,
    "vertical": 20,
    "flips": 300,
    "cuts": 60,
    "unnoticed": 60,
    "disks": 12,
    "racers": 4,
    "schedules": 10_000,
}


def extent_of(config: pytest.Config) -> Extent:
    """Return how much was asked for; a sample where nobody named this folder."""
    seed = config.getoption("--seed", FIXED_SEED)
    if not config.getoption("--long", default=False):
        return Extent(seed=seed)
    return Extent(seed=seed, whole=True, **WHOLE)
