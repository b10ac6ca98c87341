"""What the label party asks of others while trees grow, and its checks of answers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.algorithms.boosting.compiled import MISSING_BIN, N_BINS
from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.summand import Array, Arrays
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.boosting.draws import small
from fl_plugin.vertical.boosting.joint import Numbers
from fl_plugin.vertical.boosting.lattice import Message, Opener, Public
from fl_plugin.vertical.boosting.parameters import DEGREE, MESSAGE_BITS
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

MOST_SUMS = 2**16  # that hints open: 32 kB each, and as much again while they come
MOST_BYTES = 2**28  # of one message's encrypted vectors


@dataclass
class SealedPeers:
    """The feature parties of a strict fit.

    Args:
        task: Of the fit.
        places: Whose columns are where.
        public: The polynomials that encryption starts from.
        source: Where secrets and errors are drawn from.
    """

    task: VerticalTask
    places: Places
    public: Public
    source: RandomBytes = os.urandom
    _openers: dict[str, Opener] = field(default_factory=dict)

    def hints(self) -> Talk[None]:
        """Ask for what opens sums, column by column."""
        widths = {p: self.task.widths[p] for p in peers_of(self.task)}
        self._require_room()
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

    def _require_room(self) -> None:
        """Refuse more hints than a node holds, whatever a peer says of its columns."""
        columns = [
            column
            for party in peers_of(self.task)
            for column in self.places.of_party(party, self.task)
        ]
        sums = sum(column.bins + 1 for column in columns)
        if sums > MOST_SUMS:
            raise TrainingError(
                f"The other domains' columns have {sums:,} bins together; a strict fit "
                f"takes {MOST_SUMS:,}.",
                remedy="Choose fewer features, or a smaller `max_bins`.",
            )

    def sums(self, nodes: list[Numbers]) -> Talk[list[Array]]:
        """Return others' sums and counts per node, (kinds + 1, columns, N_BINS) int64.

        Args:
            nodes: What is to be summed.
        """
        each = len(nodes[0].kinds) + 1
        at_once = max(1, MOST_BYTES // (8 * each * (self.task.rows + DEGREE)))
        found: list[Array] = []
        for begin in range(0, len(nodes), at_once):
            found += yield from self._sums(nodes[begin : begin + at_once])
        return found

    def _sums(self, nodes: list[Numbers]) -> Talk[list[Array]]:
        messages = words_of(nodes, self.task.rows)
        keys = small(len(messages), self.source)
        words = self.public.encrypt(messages, keys, self.source)
        asks: Arrays = {"kind": number(SUMS), "words": words}
        told = yield dict.fromkeys(self._openers, asks)
        shape = (len(nodes), len(nodes[0].kinds) + 1, len(self.places.columns), N_BINS)
        whole = np.zeros(shape, dtype=np.int64)
        for party, opener in self._openers.items():
            sealed = array_of(
                told[party], "sums", np.uint64, (opener.size, len(messages))
            )
            opened = apart(opener.open(sealed, keys), nodes, self.task.rows)
            columns = self.places.of_party(party, self.task)
            begin = self.places.begins[party]
            for node, sums, place in zip(nodes, opened, whole, strict=True):
                mine = place[:, begin : begin + len(columns)]
                for kind, flat in zip(mine, sums, strict=True):
                    kind[:] = spread(flat, columns)
                require_sums(mine, node.totals)
        return list(whole)

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


def words_of(nodes: list[Numbers], rows: int) -> list[Message]:
    """Return what is encrypted: a word for each kind, and counts, several in a word.

    Args:
        nodes: What is to be summed.
        rows: Of the fit; no count is larger.
    """
    found: list[Message] = [
        [(node.rows, kind)] for node in nodes for kind in node.kinds
    ]
    bits, together = _shared(rows)
    for begin in range(0, len(nodes), together):
        counts = [
            (node.rows, np.full(len(node.rows), 1 << (i * bits), dtype=np.int64))
            for i, node in enumerate(nodes[begin : begin + together])
        ]
        found.append(counts)
    return found


def apart(opened: Array, nodes: list[Numbers], rows: int) -> list[Array]:
    """Return per node its opened sums, counts last: (kinds + 1, sums) int64.

    Args:
        opened: Sums of the words of `words_of`, (sums, words).
        nodes: As they were told to it.
        rows: Of the fit.
    """
    kinds = len(nodes[0].kinds)
    bits, together = _shared(rows)
    found = []
    for i in range(len(nodes)):
        word, place = divmod(i, together)
        counts = opened[:, kinds * len(nodes) + word] >> (place * bits)
        if place + 1 < min(together, len(nodes) - word * together):
            counts &= (1 << bits) - 1  # the highest keeps what is beyond, to be found
        sums = opened[:, i * kinds : (i + 1) * kinds].T
        found.append(np.concatenate([sums, counts[None]]))
    return found


def _shared(rows: int) -> tuple[int, int]:
    """Return how many bits a count takes, and how many counts a word holds."""
    bits = rows.bit_length()
    return bits, (MESSAGE_BITS - 1) // bits


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
