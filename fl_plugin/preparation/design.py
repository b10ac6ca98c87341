"""From raw rows to a design: a matrix of numbers, or bins."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.preparation.columns import Indicator, Vocabulary
from fl_plugin.preparation.raw import RawBlock
from fl_plugin.summand import Floats

Bins = npt.NDArray[np.uint8]

MISSING_BIN = 255  # of 256, as in scikit-learn's `_BinMapper`
UNKNOWN = -1.0  # an ordinal code, where there is no bin for it


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """What a design consists of: numbers, indicators, then categories.

    Args:
        names: Of the numeric features.
        fills: Per numeric feature; None where missing values stay missing.
        centers: Per numeric feature.
        scales: Per numeric feature.
        edges: Per numeric feature; empty ones of a matrix.
        indicators: Those that there are.
        vocabularies: Of the categorical features.
        ordinal: Whether these become one column each.
        binned: Whether the design is one of bins.
        monotonic: Per numeric feature, -1, 0 or 1.
    """

    names: tuple[str, ...]
    fills: Floats | None
    centers: Floats
    scales: Floats
    edges: tuple[Floats, ...]
    indicators: tuple[Indicator, ...]
    vocabularies: tuple[Vocabulary, ...]
    ordinal: bool
    binned: bool
    monotonic: tuple[int, ...]

    def columns(self) -> tuple[DesignColumn, ...]:
        """Return the columns in order."""
        columns = [
            self._column((name, name), edges, monotonic)
            for name, edges, monotonic in zip(
                self.names, self.edges, self.monotonic, strict=True
            )
        ]
        for indicator in self.indicators:
            name = self.names[indicator.number]
            edge = np.array([indicator.values]).mean(axis=1)
            columns.append(self._column((f"{name} is missing", name), edge))
        for vocabulary in self.vocabularies:
            if self.ordinal:
                columns.append(_codes(vocabulary))
            else:
                for name, splits in zip(
                    vocabulary.names(), vocabulary.splits, strict=True
                ):
                    edge = np.array([0.5] * splits)
                    columns.append(self._column((name, vocabulary.name), edge))
        return tuple(columns)

    def matrix(self, raw: RawBlock) -> Floats:
        """Return (columns, rows) numbers."""
        numbers = len(self.names)
        x = np.zeros((len(self.columns()), raw.rows))
        for i in range(numbers):
            x[i] = self.scaled(raw, i)
        for i, indicator in enumerate(self.indicators, start=numbers):
            missing = np.isnan(raw.numeric[indicator.number])
            x[i] = np.where(missing, *reversed(indicator.values))
        begin = numbers + len(self.indicators)
        for vocabulary, codes in zip(self.vocabularies, raw.codes, strict=True):
            places = vocabulary.places[codes]
            if self.ordinal:
                x[begin] = places  # UNKNOWN is the place of what has none
                begin += 1
            else:
                known = np.flatnonzero(places >= 0)
                x[begin + places[known], known] = 1.0
                begin += vocabulary.width
        return x

    def bins(self, raw: RawBlock) -> Bins:
        """Return (columns, rows) bins; the last is for what is missing or unknown."""
        columns: list[npt.NDArray[np.generic]] = []
        for i, edges in enumerate(self.edges):
            values = self.scaled(raw, i)
            found = np.searchsorted(edges, values, side="left")
            columns.append(np.where(np.isnan(values), MISSING_BIN, found))
        columns += [np.isnan(raw.numeric[i.number]) for i in self.indicators]
        for vocabulary, codes in zip(self.vocabularies, raw.codes, strict=True):
            places = vocabulary.places[codes]
            if self.ordinal:
                columns.append(np.where(places < 0, MISSING_BIN, places))
            else:
                columns += [
                    (places == place) & splits
                    for place, splits in enumerate(vocabulary.splits)
                ]
        shape = (len(columns), raw.rows)
        x = np.empty(shape, dtype=np.uint8)
        for i, column in enumerate(columns):
            x[i] = column
        return x

    def scaled(self, raw: RawBlock, number: int) -> Floats:
        """Return a numeric feature's values, filled and scaled; a copy."""
        values = raw.numeric[number] - self.centers[number]
        values /= self.scales[number]
        if self.fills is not None and np.isnan(values.sum()):
            fill = (self.fills[number] - self.centers[number]) / self.scales[number]
            values[np.isnan(values)] = fill
        return np.asarray(values)

    def _column(
        self, names: tuple[str, str], edges: Floats, monotonic: int = 0
    ) -> DesignColumn:
        return DesignColumn(
            name=names[0],
            feature=names[1],
            edges=edges if self.binned else None,
            bins=len(edges) + 1 if self.binned else 0,
            monotonic=monotonic,
        )


def _codes(vocabulary: Vocabulary) -> DesignColumn:
    return DesignColumn(
        name=vocabulary.name,
        feature=vocabulary.name,
        categorical=True,
        bins=vocabulary.width,
    )
