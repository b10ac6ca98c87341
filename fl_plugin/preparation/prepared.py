"""What a preparation comes to: everything learned from training rows, and no row."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import Block, DesignColumn, Task
from fl_plugin.preparation.checking import floats, malformed, whole, wholes
from fl_plugin.preparation.columns import Vocabulary, indicators
from fl_plugin.preparation.counting import CLASSED, MOST_ROWS, ROUNDING
from fl_plugin.preparation.design import Layout
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.raw import RawBlock
from fl_plugin.preparation.recipe import Recipe
from fl_plugin.summand import Array, Arrays, Floats

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """Everything that turns raw rows into a design.

    Args:
        schema: Of the study.
        recipe: How it is prepared.
        rows: Training rows of all domains together.
        class_counts: Of a target with classes, rows per class.
        target_mean: Of `y` over the training rows.
        target_mean_square: Likewise.
        present: Per numeric feature, training rows that have a value.
        fills: What replaces a missing value; zeros where it stays missing.
        means: Of the values after filling; zeros where nothing asks for them.
        variances: Likewise, divisor n.
        centers: Subtracted first.
        scales: Divided by then.
        edges: Of a binned design, per numeric feature its upper edges, after scaling.
        category_counts: Per vocabulary, training rows per category, where asked.
    """

    schema: Schema
    recipe: Recipe
    rows: int
    class_counts: tuple[int, ...]
    target_mean: float
    target_mean_square: float
    present: Counts
    fills: Floats
    means: Floats
    variances: Floats
    centers: Floats
    scales: Floats
    edges: tuple[Floats, ...]
    category_counts: tuple[Counts, ...]

    @cached_property
    def layout(self) -> Layout:
        """What its designs consist of."""
        recipe, schema = self.recipe, self.schema
        counts = self.category_counts or (None,) * len(schema.vocabularies)
        return Layout(
            names=tuple(f.name for f in schema.numbers),
            fills=None if recipe.impute == "none" else self.fills,
            centers=self.centers,
            scales=self.scales,
            edges=self.edges,
            indicators=indicators(self.present, self.rows, recipe),
            vocabularies=tuple(
                Vocabulary.of(feature, counted, self.rows, recipe)
                for feature, counted in zip(schema.vocabularies, counts, strict=True)
            ),
            ordinal=recipe.categorical == "ordinal",
            binned=schema.prepares == "bins",
            monotonic=tuple(recipe.monotonic.get(f.name, 0) for f in schema.numbers),
        )

    @cached_property
    def columns(self) -> tuple[DesignColumn, ...]:
        """The columns of its designs."""
        return self.layout.columns()

    @property
    def mean_square(self) -> float:
        """The largest mean square of a column of a matrix over the training rows."""
        layout = self.layout
        away = self.means - self.centers
        squares = [1.0, *((self.variances + away**2) / self.scales**2).tolist()]
        for indicator in layout.indicators:
            share = 1.0 - int(self.present[indicator.number]) / self.rows
            there, missing = indicator.values
            squares.append((1.0 - share) * there**2 + share * missing**2)
        if layout.ordinal:
            squares += [float(v.width - 1) ** 2 for v in layout.vocabularies]
        return float(max(squares))

    def design_block(self, raw: RawBlock) -> Block:
        """Return these rows as the algorithm wants them."""
        layout = self.layout
        x = layout.bins(raw) if layout.binned else layout.matrix(raw)
        return Block(x, raw.target, raw.hashes)

    def task(self, *, parties: int, seed: int) -> Task:
        """Return what a fit's two halves know beforehand."""
        return Task(
            target=self.schema.target,
            columns=self.columns,
            rows=self.rows,
            parties=parties,
            seed=seed,
            mean_square=self.mean_square,
            target_mean=self.target_mean,
            target_mean_square=self.target_mean_square,
            class_counts=self.class_counts,
        )

    def to_wire(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return JSON facts and arrays, which `from_wire` reads."""
        lengths = [len(edges) for edges in self.edges]
        arrays: dict[str, Array] = {
            "rows": np.array([self.rows], dtype=np.int64),
            "classes": np.array(self.class_counts, dtype=np.int64),
            "target": np.array([self.target_mean, self.target_mean_square]),
            "present": self.present,
            "edges": np.concatenate([np.zeros(0), *self.edges]),
            "edge_counts": np.array(lengths, dtype=np.int64),
        }
        arrays |= {name: getattr(self, name) for name in _NUMBERS}
        if self.category_counts:
            arrays["categories"] = np.concatenate(self.category_counts)
        return {"recipe": asdict(self.recipe)}, arrays

    @classmethod
    def from_wire(
        cls, facts: Mapping[str, Any], arrays: Arrays, schema: Schema
    ) -> "Prepared":
        """Return what `to_wire` gave, of another node, perhaps an opponent's.

        Raises:
            MessageError: It is not a preparation of this schema.
        """
        recipe = facts.get("recipe")
        if not isinstance(recipe, Mapping):
            raise malformed("recipe")
        size = len(schema.numbers)
        rows = whole(arrays, "rows", MOST_ROWS)
        classes = schema.target.classes if schema.target.kind in CLASSED else ()
        numbers = {name: floats(arrays, name, (size,)) for name in _NUMBERS}
        if (numbers["scales"] <= 0).any() or (numbers["variances"] < 0).any():
            raise malformed("scales")
        present = wholes(arrays, "present", (size,), rows)
        if rows < 1 or (present < 1).any():
            raise malformed("present")
        counts = wholes(arrays, "classes", (len(classes),), rows)
        mean, square = floats(arrays, "target", (2,)).tolist()
        _check_target(counts, rows, (mean, square))
        return cls(
            schema=schema,
            recipe=Recipe.read(recipe, schema),
            rows=rows,
            class_counts=tuple(counts.tolist()),
            target_mean=mean,
            target_mean_square=square,
            present=present,
            edges=_edges_of(arrays, size),
            category_counts=_categories_of(arrays, schema, rows),
            **numbers,
        )


_NUMBERS = ("fills", "means", "variances", "centers", "scales")
_MOST_EDGES = 254


def _edges_of(arrays: Arrays, size: int) -> tuple[Floats, ...]:
    lengths = wholes(arrays, "edge_counts", (size,), _MOST_EDGES)
    edges = floats(arrays, "edges", (int(lengths.sum()),))
    parts = np.split(edges, np.cumsum(lengths))[:-1]
    if any((np.diff(part) <= 0).any() for part in parts):
        raise malformed("edges")
    return tuple(parts)


def _categories_of(arrays: Arrays, schema: Schema, rows: int) -> tuple[Counts, ...]:
    if "categories" not in arrays:
        return ()
    counts = wholes(arrays, "categories", (sum(schema.sizes),), rows)
    each = tuple(np.split(counts, np.cumsum(schema.sizes))[:-1])
    if any(of_one.sum() > rows for of_one in each):
        raise malformed("categories")
    return each


def _check_target(counts: Counts, rows: int, moments: tuple[float, float]) -> None:
    """Refuse what no target of so many rows has; nothing is told in a private run."""
    mean, square = moments
    if not counts.any() and moments == (0.0, 1.0):
        return
    if len(counts) and counts.sum() != rows:
        raise malformed("classes")
    places = np.arange(len(counts))
    told = [float(places @ counts / rows), float(places**2 @ counts / rows)]
    if len(counts) and not np.allclose([mean, square], told, rtol=ROUNDING, atol=0.0):
        raise malformed("target")
    if square < mean**2 * (1.0 - ROUNDING):
        raise malformed("target")
