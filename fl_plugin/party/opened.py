"""What a run sees of a domain's rows, wherever they lie."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from fl_plugin.party.table import Codes
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.raw import RawRows
from fl_plugin.preparation.splits import Hashes
from fl_plugin.summand import Floats


@dataclass(frozen=True, kw_only=True)
class OpenRows(ABC):
    """One domain's rows of one product; never leaves the party.

    Args:
        target: (rows,): 0 or 1, the index of the class, or the number.
        hashes: (rows,), hash of each row's key: decides folds, names the cohort.
        groups: (rows,), hash of the group's value; the row's own where none is asked.
        times: (rows,), seconds since 1970; empty where time decides nothing.
        fingerprint: Digest of everything read, to pin the table for the run.
    """

    target: Floats
    hashes: Hashes
    groups: Hashes
    times: Floats
    fingerprint: str

    def __len__(self) -> int:
        return len(self.target)

    @abstractmethod
    def raw(self, features: Sequence[Feature]) -> RawRows:
        """Return the rows coded by the features' categories."""

    @abstractmethod
    def codes(self, features: Sequence[Feature]) -> tuple[Codes, ...]:
        """Return, for each column, the index of every row's category, or -1."""

    @abstractmethod
    def frequent(self, name: str, least: int) -> tuple[str, ...]:
        """Return the texts that at least so many rows of a column have, sorted."""
