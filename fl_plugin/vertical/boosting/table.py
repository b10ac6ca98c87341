"""What each party says of its columns, and all columns behind one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.algorithms.boosting.compiled import BITSET_WORDS, MISSING_BIN, N_BINS
from fl_plugin.algorithms.checks.arrays import malformed
from fl_plugin.summand import Array, Arrays
from fl_plugin.vertical.base import VerticalTask

# Columns of a split as it is said between parties.
COLUMN, BINS, MISSING_LEFT, IN_SET = range(4)
MOST_COLUMNS = 1 << 14


def facts(columns: Sequence[DesignColumn]) -> Array:
    """Return bins, whether categorical, and how monotonic: (columns, 3) int64."""
    told = [(max(c.bins, 1), int(c.categorical), c.monotonic) for c in columns]
    return np.array(told, dtype=np.int64).reshape(-1, 3)


def columns_of(told: Array | None, width: int, party: str) -> tuple[DesignColumn, ...]:
    """Return a peer's columns as trees need them; edges only count the bins.

    Raises:
        MessageError: They are not `width` columns.
    """
    if told is None or told.dtype != np.int64 or told.shape != (width, 3):
        raise malformed("columns")
    bins, categorical, monotonic = told.T
    good = (bins >= 1) & (bins <= MISSING_BIN) & np.isin(categorical, (0, 1))
    if not (good & np.isin(monotonic, (-1, 0, 1))).all():
        raise malformed("columns")
    if (categorical & (monotonic != 0)).any():
        raise malformed("columns")
    return tuple(
        DesignColumn(
            name=f"{party}.{i}",
            feature=f"{party}.{i}",
            categorical=bool(row[1]),
            edges=None if row[1] else np.arange(row[0] - 1) + 0.5,
            bins=int(row[0]),
            monotonic=int(row[2]),
        )
        for i, row in enumerate(told.tolist())
    )


@dataclass(frozen=True)
class Places:
    """Where the columns of each party stand among all.

    Args:
        begins: Of each party, the place of its first column.
        columns: All of them, parties sorted.
    """

    begins: Mapping[str, int]
    columns: tuple[DesignColumn, ...]

    @classmethod
    def of(
        cls, task: VerticalTask, columns: Mapping[str, tuple[DesignColumn, ...]]
    ) -> "Places":
        """Return the places of these columns."""
        begins: dict[str, int] = {}
        joined: list[DesignColumn] = []
        for party in task.parties:
            begins[party] = len(joined)
            joined += list(columns[party])
        return cls(begins, tuple(joined))

    def of_party(self, party: str, task: VerticalTask) -> tuple[DesignColumn, ...]:
        """Return a party's columns."""
        begin = self.begins[party]
        return self.columns[begin : begin + task.widths[party]]

    def owner(self, column: int) -> tuple[str, int]:
        """Return whose a column is, and which one of theirs."""
        # Parties without columns begin where the next one does: the last one has it.
        party = max(
            (p for p, begin in self.begins.items() if begin <= column),
            key=lambda p: (self.begins[p], p),
        )
        return party, column - self.begins[party]


def require_bins(x: Array, columns: Sequence[DesignColumn], rows: int) -> None:
    """Check that a party's rows are binned.

    Raises:
        MessageError: They are not, or there are too many columns.
    """
    if x.dtype != np.uint8 or x.shape != (len(columns), rows):
        raise malformed("x")
    if len(columns) > MOST_COLUMNS:
        raise malformed("x")
    for column, values in zip(columns, x, strict=True):
        if (np.where(values == MISSING_BIN, 0, values) >= max(column.bins, 1)).any():
            raise malformed("x")


@dataclass(frozen=True)
class Splits:
    """Splits by one party's columns.

    Args:
        numbers: Per split column, last bin that goes left, whether missing values do,
            whether a set decides: (splits, 4) int64.
        members: Per split the (8,) words of the bins that go left, where a set does.
    """

    numbers: Array
    members: Array

    @classmethod
    def of(cls, arrays: Arrays, width: int) -> "Splits":
        """Return splits out of a message or a part.

        Raises:
            MessageError: They are not splits of `width` columns.
        """
        numbers, members = arrays.get("splits"), arrays.get("members")
        if numbers is None or numbers.dtype != np.int64 or numbers.ndim != 2:  # noqa: PLR2004
            raise malformed("splits")
        if numbers.shape[1] != IN_SET + 1:
            raise malformed("splits")
        ends = np.array([width, N_BINS, 2, 2])
        if not ((numbers >= 0) & (numbers < ends)).all():
            raise malformed("splits")
        if members is None or members.dtype != np.int64:
            raise malformed("members")
        if members.shape != (len(numbers), BITSET_WORDS):
            raise malformed("members")
        if not ((members >= 0) & (members < 1 << 32)).all():
            raise malformed("members")
        return cls(numbers, members)

    def arrays(self) -> dict[str, Array]:
        """Return what `of` reads."""
        return {"splits": self.numbers, "members": self.members}

    def left(self, split: int, x: Array) -> Array:
        """Return which rows go left, (rows,) bool.

        Args:
            split: Which one.
            x: Bins, (columns, rows).
        """
        column, last, missing, in_set = self.numbers[split].tolist()
        if in_set:
            words = self.members[split].astype("<u4").view(np.uint8)
            goes = np.unpackbits(words, bitorder="little").astype(bool)
        else:
            goes = np.arange(N_BINS) <= last
        goes[MISSING_BIN] = bool(missing)
        return np.asarray(goes[x[column]])
