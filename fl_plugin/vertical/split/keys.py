"""Where draws come from: orders that all know, first weights that one party knows.

Every party makes the order of batches from the seed and the epoch, so no row number is
ever sent. A domain's first weights, its dropout and the noise on labels are drawn from
a key that is a digest of the seed and of its own rows, and of a secret where it makes
noise: the same for the same rows, so that a run repeats, and unknown to whoever lacks
the rows. Were first weights public,
the first activations would be a known function of a customer's values.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Block
from fl_plugin.summand import Array

ORDER, WEIGHTS, DROPOUT, NOISE, CHOICE = range(5)
_FEWEST, _MOST, _BATCHES = 32, 1024, 100


@dataclass(frozen=True)
class Secret:
    """A party's own key.

    Args:
        digest: 32 bytes.
    """

    digest: bytes

    @classmethod
    def of(cls, seed: int, party: str, block: Block, own: bytes = b"") -> "Secret":
        """Return the key of a party's rows.

        Args:
            seed: Of the study.
            party: Whose rows, and what for.
            block: They.
            own: The domain's own secret, for noise: whoever knows all labels but one
                could make the key of both guesses, and take the noise off.
        """
        digest = hashlib.sha256(f"split network {seed} {party}".encode())
        for array in (block.x, block.y):
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array, dtype="<f8").data)
        digest.update(own)
        return cls(digest.digest())

    @classmethod
    def public(cls, seed: int) -> "Secret":
        """Return the coordinator's, which anyone may know."""
        return cls(hashlib.sha256(f"split network {seed}".encode()).digest())

    def rng(self, use: int, *more: int) -> np.random.Generator:
        """Return the generator of one use."""
        words = np.frombuffer(self.digest, dtype="<u4").tolist()
        return np.random.default_rng([use, *more, *words])


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Which rows a step is about.

    Args:
        seed: Of the study.
        rows: Of the matched table.
        batch_size: Rows of a batch, about; 0 for one chosen from the table's size:
            about a hundred batches an epoch, of 32 to 1,024 rows.
        epochs: Passes over the table.
    """

    seed: int
    rows: int
    batch_size: int
    epochs: int

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        size = self.batch_size
        if not size:
            power = 2 ** round(np.log2(max(self.rows / _BATCHES, 1.0)))
            size = int(min(max(power, _FEWEST), _MOST))
        return max(1, round(self.rows / size))

    @property
    def steps(self) -> int:
        """Batches of the whole fit."""
        return self.batches * self.epochs

    def epoch(self, step: int) -> int:
        """Return a step's epoch, from 0."""
        return step // self.batches

    def orders(self) -> "Orders":
        """Return what gives a step's rows."""
        return Orders(self)


class Orders:
    """Gives each step's rows; remembers the order of one epoch.

    Args:
        schedule: Of the fit.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._epoch = -1
        self._parts: list[Array] = []

    def rows(self, step: int) -> Array:
        """Return the places of a step's rows; batches differ by one row at most."""
        epoch = self._schedule.epoch(step)
        if epoch != self._epoch:
            rng = np.random.default_rng([self._schedule.seed, ORDER, epoch])
            order = rng.permutation(self._schedule.rows)
            self._parts = np.array_split(order, self._schedule.batches)
            self._epoch = epoch
        return self._parts[step % self._schedule.batches]
