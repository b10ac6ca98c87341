"""What the label party asks of others while trees grow, and its checks of answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.algorithms.boosting.compiled import MISSING_BIN, N_BINS
from fl_plugin.errors import MessageError
from fl_plugin.summand import Array, Arrays
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.boosting.lattice import DEGREE, Opener, Public, small
from fl_plugin.vertical.boosting.table import Places, Splits
from fl_plugin.vertical.boosting.turns import (
    HINT,
    SIDES,
    SUMS,
    Talk,
    array_of,
    number,
    peers_of,
)

MOST_BYTES = 2**28  # of one message's encrypted vectors


@dataclass
class SealedPeers:
    """The feature parties of a strict fit.

    Args:
        task: Of the fit.
        places: Whose columns are where.
        public: The polynomials that encryption starts from.
    """

    task: VerticalTask
    places: Places
    public: Public
    _openers: dict[str, Opener] = field(default_factory=dict)

    def hints(self) -> Talk[None]:
        """Ask for what opens sums, column by column."""
        widths = {p: self.task.widths[p] for p in peers_of(self.task)}
        found: dict[str, list[Array]] = {p: [] for p in widths}
        for column in range(max(widths.values())):
            asked = [p for p in widths if column < widths[p]]
            told = yield {
                p: {"kind": number(HINT), "column": number(column)} for p in asked
            }
            for p in asked:
                bins = self.places.of_party(p, self.task)[column].bins
                shape = (bins + 1, DEGREE)
                found[p].append(array_of(told[p], "hint", np.uint64, shape))
        self._openers = {p: Opener.of(np.concatenate(h)) for p, h in found.items()}

    def sums(self, words: list[Array]) -> Talk[list[Array]]:
        """Return others' sums per histogram, (words, columns, N_BINS) int64.

        Args:
            words: Per histogram, (words, rows) int64; the last word counts.
        """
        each = len(words[0])
        at_once = max(1, MOST_BYTES // (8 * each * (self.task.rows + DEGREE)))
        found: list[Array] = []
        for begin in range(0, len(words), at_once):
            some = words[begin : begin + at_once]
            flat = [numbers for histogram in some for numbers in histogram]
            keys = small(len(flat))
            pairs = zip(flat, keys, strict=True)
            sent = np.stack([self.public.encrypt(n, key) for n, key in pairs])
            asks: Arrays = {"kind": number(SUMS), "words": sent}
            told = yield dict.fromkeys(self._openers, asks)
            opened = {
                p: opener.open(
                    array_of(told[p], "sums", np.uint64, (opener.size, len(flat))), keys
                )
                for p, opener in self._openers.items()
            }
            for i, histogram in enumerate(some):
                at = slice(i * each, (i + 1) * each)
                found.append(
                    self._placed({p: s[:, at] for p, s in opened.items()}, histogram)
                )
        return found

    def _placed(self, opened: Mapping[str, Array], words: Array) -> Array:
        """Return all columns' histograms of one node; zeros for the label party's."""
        whole = np.zeros((len(words), len(self.places.columns), N_BINS), dtype=np.int64)
        for party, sums in opened.items():
            columns = self.places.of_party(party, self.task)
            begin = self.places.begins[party]
            mine = whole[:, begin : begin + len(columns)]
            for word, flat in zip(mine, sums.T, strict=True):
                word[:] = spread(flat, columns)
            require_sums(mine, words.sum(axis=1))
        return whole

    def sides(
        self, asked: Mapping[str, tuple[Splits, list[Array]]]
    ) -> Talk[list[Array]]:
        """Return, per party and split, which of a node's rows go left.

        Args:
            asked: Per party its splits, and the rows of the nodes, ascending.
        """
        asks = {}
        for party, (splits, nodes) in asked.items():
            inside = np.zeros((len(nodes), self.task.rows), dtype=bool)
            for row, rows in zip(inside, nodes, strict=True):
                row[rows] = True
            bits = np.packbits(inside, axis=1, bitorder="little")
            asks[party] = {"kind": number(SIDES), "rows": bits, **splits.arrays()}
        told = yield asks
        found = []
        for party, (_, nodes) in asked.items():
            sizes = [-(-len(rows) // 8) for rows in nodes]
            left = array_of(told[party], "left", np.uint8, (sum(sizes),))
            pieces = np.split(left, np.cumsum(sizes)[:-1])
            for rows, piece in zip(nodes, pieces, strict=True):
                bits = np.unpackbits(piece, count=len(rows), bitorder="little")
                found.append(bits.astype(bool))
        return found


def spread(flat: Array, columns: tuple[DesignColumn, ...]) -> Array:
    """Return sums by bin as histograms, (columns, N_BINS).

    Args:
        flat: Column after column, missing values behind each one's bins.
        columns: Theirs.
    """
    found = np.zeros((len(columns), N_BINS), dtype=np.int64)
    used = 0
    for row, column in zip(found, columns, strict=True):
        end = used + column.bins
        row[: column.bins], row[MISSING_BIN] = flat[used:end], flat[end]
        used = end + 1
    return found


def counts_of(told: Arrays, columns: tuple[DesignColumn, ...], rows: int) -> Array:
    """Return a peer's counts of rows by bin, (columns, N_BINS).

    Raises:
        MessageError: They do not count these rows.
    """
    size = sum(column.bins + 1 for column in columns)
    found = spread(array_of(told, "counts", np.int64, (size,)), columns)
    require_sums(found[None], np.array([rows]))
    return found


def require_sums(found: Array, totals: Array) -> None:
    """Check that every column's sums add up to what was asked about.

    Args:
        found: (words, columns, N_BINS); the last word counts.
        totals: Of each word, (words,).

    Raises:
        MessageError: They do not.
    """
    right = (found.sum(axis=2) == totals[:, None]).all()
    if not right or (found[-1] < 0).any():
        raise MessageError(
            "A domain's sums are not those of the rows that it was asked about.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
