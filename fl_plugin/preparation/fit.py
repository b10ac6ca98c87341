"""Fit a preparation over all parties' training rows, from sums alone.

The coordinator's half is a generator that yields what to ask and gets back the sums;
the party's half is `PreparationWorker`. Rounds: counts and sums; squared deviations,
where something needs a variance; then a search for medians, where missing numbers are
filled with them, and one for quartiles and bin edges.
"""

from collections.abc import Generator

import numpy as np

from fl_plugin.algorithms.base import Question
from fl_plugin.errors import ContractError
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.counting import (
    Counted,
    counted,
    needs_spread,
    wanted,
)
from fl_plugin.preparation.edges import (
    anonymous_edges,
    edge_ranks,
    exact_edges,
    median,
    median_ranks,
    quartile_ranks,
    quartiles,
)
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.quantiles import Leaves, Wanted, search
from fl_plugin.preparation.raw import Mask, RawRows
from fl_plugin.preparation.recipe import MAX_CATEGORIES, Recipe
from fl_plugin.preparation.spread import (
    Spread,
    robust_scales,
    spread,
    standard_scales,
)
from fl_plugin.preparation.worker import PreparationWorker, answers
from fl_plugin.summand import Arrays, Floats

__all__ = ["PreparationWorker", "Preparing", "answers", "prepare_alone", "preparing"]

Preparing = Generator[Question, Arrays, Prepared]
_NOTHING = np.zeros(0, dtype=np.int64)


def preparing(schema: Schema, plan: PreparationPlan) -> Preparing:
    """The coordinator's half: yield questions, get sums, return the preparation.

    Deterministic: the same sums give the same questions.

    Raises:
        ContractError: The plan contradicts itself, the algorithm or the schema.
        TrainingError: The sums allow no preparation: no rows, a class without rows, a
            feature without a value.
    """
    recipe = Recipe.of(plan, schema)
    first = counted((yield Question(arrays=wanted(recipe, schema))), schema)
    squares = np.zeros(len(schema.numbers))
    if needs_spread(recipe, schema):
        sums = yield Question(arrays={"means": first.means})
        squares = sums["squares"]
    fills = yield from _fills(recipe, schema, first)
    found = yield from _found(recipe, schema, first, fills)
    of = spread(first, squares, None if recipe.impute == "none" else fills)
    centers, scales = _scaling(recipe, of, found)
    prepared = Prepared(
        schema=schema,
        recipe=recipe,
        rows=first.rows,
        class_counts=first.class_counts,
        target_mean=first.target_mean,
        target_mean_square=first.target_mean_square,
        present=first.present,
        fills=fills,
        means=of.means,
        variances=of.variances,
        centers=centers,
        scales=scales,
        edges=_edges(schema, recipe, found, (centers, scales)),
        category_counts=first.category_counts,
    )
    _check_width(prepared)
    return prepared


def prepare_alone(
    schema: Schema, plan: PreparationPlan, rows: RawRows, chosen: Mask
) -> Prepared:
    """Fit a preparation on one party's rows, in process."""
    worker = PreparationWorker(schema, rows, chosen)
    rounds = preparing(schema, plan)
    try:
        question = next(rounds)
        while True:
            question = rounds.send(worker.answer(question.arrays))
    except StopIteration as end:
        prepared: Prepared = end.value
        return prepared


Finding = list[tuple[Wanted, Leaves]]


def _fills(
    recipe: Recipe, schema: Schema, first: Counted
) -> Generator[Question, Arrays, Floats]:
    """Return what fills each numeric feature; a median needs a search."""
    size = len(schema.numbers)
    if recipe.impute == "mean":
        return first.means
    if recipe.impute == "constant":
        return np.full(size, recipe.fill_value)
    if recipe.impute == "none":
        return np.zeros(size)
    present = first.present.tolist()
    sought = [Wanted(rows=n, ranks=median_ranks(n)) for n in present]
    leaves = yield from search(schema, sought, first.rows)
    return np.array([median(at, n) for at, n in zip(leaves, present, strict=True)])


def _found(
    recipe: Recipe, schema: Schema, first: Counted, fills: Floats
) -> Generator[Question, Arrays, Finding]:
    """Search for what quartiles and edges are made of, after filling."""
    robust, bins = recipe.numeric == "robust", schema.prepares == "bins"
    if not (robust or bins) or not schema.numbers:
        return []
    sought = []
    for present, fill in zip(first.present.tolist(), fills.tolist(), strict=True):
        filled = 0 if recipe.impute == "none" else first.rows - present
        rows = present + filled
        ranks = [_NOTHING]
        if robust:
            ranks += [median_ranks(rows), quartile_ranks(rows)]
        if bins:
            ranks.append(edge_ranks(rows, recipe.max_bins))
        sought.append(
            Wanted(
                rows=rows,
                ranks=np.unique(np.concatenate(ranks)),
                distinct=recipe.max_bins if bins else 0,
                fill=fill,
                filled=filled,
            )
        )
    leaves = yield from search(schema, sought, first.rows)
    return list(zip(sought, leaves, strict=True))


def _scaling(recipe: Recipe, of: Spread, found: Finding) -> tuple[Floats, Floats]:
    if recipe.numeric == "standard":
        return of.means, standard_scales(of)
    if recipe.numeric == "none":
        return np.zeros(len(of.means)), np.ones(len(of.means))
    middles = [median(leaves, w.rows) for w, leaves in found]
    pairs = np.array([quartiles(leaves.at, w.rows) for w, leaves in found])
    low, high = pairs.reshape(-1, 2).T
    return np.array(middles), robust_scales(low, high)


def _edges(
    schema: Schema, recipe: Recipe, found: Finding, scaling: tuple[Floats, Floats]
) -> tuple[Floats, ...]:
    if schema.prepares != "bins":
        return tuple(np.zeros(0) for _ in schema.numbers)
    edges = []
    for (w, leaves), center, scale in zip(found, *scaling, strict=True):
        if recipe.edges == "exact":
            here = (float(center), float(scale))
            edges.append(exact_edges(leaves, w.rows, recipe.max_bins, here))
        else:
            least = max(schema.min_cohort, 1)
            plain = anonymous_edges(leaves, w, recipe.max_bins, least)
            edges.append(np.unique((plain - center) / scale))
    return tuple(edges)


def _check_width(prepared: Prepared) -> None:
    layout = prepared.layout
    wide = [v.name for v in layout.vocabularies if v.width > MAX_CATEGORIES]
    if layout.binned and layout.ordinal and wide:
        raise ContractError(
            f"The feature {wide[0]} has more than {MAX_CATEGORIES} categories, which "
            "is more than bins can hold.",
            remedy="Set min_count in the study's preparation, so that rare categories "
            "are joined.",
        )
