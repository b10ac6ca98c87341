"""The first two rounds: what is counted, and how far the numbers spread.

Counts and sums give the means, then squared deviations from those means give the
variances. The second pass avoids the cancellation of sums of squares (Chan, Golub &
LeVeque 1983).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import TrainingError
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.raw import Codes, Mask, RawBlock, RawRows
from fl_plugin.preparation.recipe import Recipe
from fl_plugin.privacy.fixed_point import LIMB_RANGE
from fl_plugin.summand import Array, Arrays, Floats, Summand

Counts = npt.NDArray[np.int64]

MOST_ROWS = 2**40
MOST_NAMES = 5
# Of two figures that sums of the same rows give.
ROUNDING = 1e-9
CLASSED = frozenset({"binary", "multiclass"})
NUMBERED = frozenset({"regression", "count"})


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the first round tells about the training rows of all parties.

    Args:
        rows: How many there are.
        class_counts: Of a target with classes, rows per class.
        target_mean: Of the target's numbers, or of the classes' indices.
        target_mean_square: Likewise.
        present: Per numeric feature, how many rows have a value.
        means: Per numeric feature, of the values present; zeros where not asked.
        category_counts: Per vocabulary, rows per category; empty where not asked.
    """

    rows: int
    class_counts: tuple[int, ...]
    target_mean: float
    target_mean_square: float
    present: Counts
    means: Floats
    category_counts: tuple[Counts, ...]


def wanted(recipe: Recipe, schema: Schema) -> dict[str, Counts]:
    """Return the first question: whether sums and category counts are needed."""
    sums = recipe.impute == "mean" or needs_spread(recipe, schema)
    return {
        "sums": np.array([sums], dtype=np.int64),
        "categories": np.array([needs_categories(recipe, schema)], dtype=np.int64),
    }


def needs_spread(recipe: Recipe, schema: Schema) -> bool:
    """Whether the variances are needed."""
    matrix = schema.prepares == "matrix" or recipe.numeric == "standard"
    return bool(schema.numbers) and matrix


def needs_categories(recipe: Recipe, schema: Schema) -> bool:
    """Whether rows per category are: to merge rare ones, or to find constant ones."""
    binned = schema.prepares == "bins" and recipe.categorical == "onehot"
    return bool(schema.vocabularies) and (recipe.min_count is not None or binned)


def count_answers(question: Arrays, schema: Schema) -> dict[str, Summand]:
    """Return what an answer of the first round looks like."""
    numbers = len(schema.numbers)
    answers = {
        "rows": Summand.count((1,), MOST_ROWS),
        "present": Summand.count((numbers,), MOST_ROWS),
    }
    if schema.target.kind in CLASSED:
        classes = len(schema.target.classes)
        answers["classes"] = Summand.count((classes,), MOST_ROWS)
    elif schema.target.kind in NUMBERED:
        answers["target"] = Summand(shape=(2,), bound=None)
    if question["sums"][0]:
        answers["sums"] = Summand(shape=(numbers,), bound=None)
    if question["categories"][0]:
        answers["categories"] = Summand.count((sum(schema.sizes),), MOST_ROWS)
    return answers


def count_part(
    question: Arrays, schema: Schema, rows: RawRows, chosen: Mask
) -> dict[str, Array]:
    """A party's part of the first round."""
    shapes = count_answers(question, schema)
    total: dict[str, Array] = {
        name: np.zeros(s.shape, dtype=np.int64 if s.integer else np.float64)
        for name, s in shapes.items()
    }
    for block in rows.blocks(chosen=chosen):
        total["rows"] += block.rows
        _add_numbers(total, block, schema)
        if "classes" in total:
            indices = block.target.astype(np.int64)
            total["classes"] += _tally(indices, len(schema.target.classes))
        if "target" in total:
            y = block.target
            with np.errstate(over="ignore"):  # refused below
                total["target"] += np.array([y.sum(), y @ y])
        if "categories" in total:
            tallies = map(_tally, block.codes, schema.sizes)
            total["categories"] += np.concatenate(list(tallies))
    names = [feature.name for feature in schema.numbers]
    _check_size(total.get("sums", np.zeros(0)), names)
    _check_size(total.get("target", np.zeros(0)), ["that is predicted"] * 2)
    return total


def scatter_part(
    question: Arrays, schema: Schema, rows: RawRows, chosen: Mask
) -> dict[str, Floats]:
    """A party's part of the second: summed squared deviations from the means."""
    means = question["means"]
    total = np.zeros(len(means))
    for block in rows.blocks(chosen=chosen):
        for i, values in enumerate(block.numeric):
            away = values - means[i]
            with np.errstate(over="ignore"):  # refused below
                square = away @ away
                total[i] += np.nansum(away * away) if np.isnan(square) else square
    _check_size(total, [feature.name for feature in schema.numbers])
    return {"squares": total}


def counted(sums: Arrays, schema: Schema) -> Counted:
    """Return what the first round told.

    Raises:
        TrainingError: There are no rows, a class has none, a feature has no value, or
            no rows can have these sums.
    """
    rows = int(sums["rows"][0])
    _check_agreement(sums, schema)
    if rows < 1:
        raise TrainingError(
            "The domains together have no training rows.",
            remedy="Check the row filters and the share held out.",
        )
    _check_classes(sums, schema)
    _check_present(sums["present"], schema)
    present = sums["present"]
    borders = np.cumsum(schema.sizes)[:-1]
    mean, square = _target(sums, rows)
    return Counted(
        rows=rows,
        class_counts=tuple(int(c) for c in sums.get("classes", ())),
        target_mean=mean,
        target_mean_square=square,
        present=present,
        means=sums["sums"] / present if "sums" in sums else np.zeros(len(present)),
        category_counts=(
            tuple(np.split(sums["categories"], borders)) if "categories" in sums else ()
        ),
    )


def _add_numbers(total: dict[str, Array], block: RawBlock, schema: Schema) -> None:
    for i, values in enumerate(block.numeric):
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            count, added = len(values), values.sum()
            if np.isnan(added):  # rare: only then look value by value
                count = int((~np.isnan(values)).sum())
                added = np.nansum(values)
        if not np.isfinite(added):
            raise _too_large(schema.numbers[i].name)
        total["present"][i] += count
        if "sums" in total:
            total["sums"][i] += added


def _check_size(sums: Array, names: Sequence[str]) -> None:
    """Refuse sums that fixed point cannot carry, while it is known whose they are."""
    for total, name in zip(sums, names, strict=False):
        if not abs(total) < LIMB_RANGE:
            raise _too_large(name)


def _too_large(name: str) -> TrainingError:
    return TrainingError(
        f"The column {name} has infinite or absurdly large values.",
        remedy="Offer it in another unit or as a logarithm; or give it `bounds` "
        "in its contract and a test on it, and leave out rows with such values.",
    )


def _tally(codes: Codes, size: int) -> Counts:
    return np.bincount(codes[codes >= 0], minlength=size)[:size].astype(np.int64)


def _target(sums: Arrays, rows: int) -> tuple[float, float]:
    if "target" in sums:
        mean, square = sums["target"] / rows
        return float(mean), float(square)
    counts = sums.get("classes")
    if counts is None:
        return 0.0, 0.0
    places = np.arange(len(counts))
    return float(places @ counts / rows), float(places**2 @ counts / rows)


def _check_agreement(sums: Arrays, schema: Schema) -> None:
    """Check that the sums can be of so many rows: parts behind masks cannot be."""
    rows = sums["rows"][0]
    counts = {n: a for n, a in sums.items() if a.dtype.kind == "i"}
    fits = all(((a >= 0) & (a <= rows)).all() for a in counts.values())
    if "classes" in sums:
        fits &= bool(sums["classes"].sum() == rows)
    if "categories" in sums:
        each = np.split(sums["categories"], np.cumsum(schema.sizes)[:-1])
        fits &= all(of_one.sum() <= rows for of_one in each)
    if "target" in sums and rows > 0:
        mean, square = sums["target"] / rows
        fits &= bool(square >= mean**2 * (1.0 - ROUNDING))
    if not fits:
        raise TrainingError(
            "The sums of the training rows contradict each other: a domain's rows "
            "changed, or it counted wrongly.",
            remedy="Train again while no domain rebuilds its products, then without "
            "one domain after the other.",
        )


def _check_classes(sums: Arrays, schema: Schema) -> None:
    # Classes are words of the contracts; how many rows each has is not told.
    counts = zip(schema.target.classes, sums.get("classes", ()), strict=False)
    missing = [str(name) for name, rows in counts if rows < 1]
    if missing:
        shown = ", ".join(missing[:MOST_NAMES])
        more = f" and {len(missing) - MOST_NAMES} more" * (len(missing) > MOST_NAMES)
        raise TrainingError(
            "The training rows of all domains together have none of these classes of "
            f"the target: {shown}{more}.",
            remedy="Take them out of the accepted values, or check the target, the row "
            "filters and the share held out.",
        )


def _check_present(present: Counts, schema: Schema) -> None:
    if (present < 1).any():
        name = schema.numbers[int(np.argmax(present < 1))].name
        raise TrainingError(
            f"The feature {name} has no value in any training row.",
            remedy="Leave it out of the study, or fill it at its source.",
        )
