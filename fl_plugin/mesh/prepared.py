"""How columns were prepared, and what weighs how much, as a record keeps it."""

from collections.abc import Iterator

from fl_plugin.coordinator.fitting import Fit
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.registry import run_record as rec


def preparation_of(
    prepared: Prepared, features: tuple[Feature, ...]
) -> rec.Preparation:
    """Return what was learned about the columns.

    Args:
        prepared: The model's own.
        features: Those of the plan: categories that it knows stand in the contracts.
    """
    by_contract = {f.name for f in features if f.categories is not None}
    schema = prepared.schema
    numbers = tuple(f.name for f in schema.numbers)
    binned = schema.prepares == "bins"
    return rec.Preparation(
        numeric=tuple(
            rec.NumericPrepared(
                name=name,
                mean=float(prepared.centers[i]),
                scale=float(prepared.scales[i]),
            )
            for i, name in enumerate(() if binned else numbers)
        ),
        categorical=tuple(
            rec.CategoricalPrepared(
                name=f.name,
                categories=f.categories or (),
                source="contract" if f.name in by_contract else "union",
            )
            for f in schema.vocabularies
        ),
        columns=tuple(
            rec.ColumnPrepared(name=name, steps=tuple(_steps(prepared, i)))
            for i, name in enumerate(numbers)
        ),
    )


def coefficients_of(fit: Fit) -> tuple[rec.Coefficient, ...]:
    """Return a linear model's coefficients by design column; () of any other."""
    weights = fit.fitted.model.get("coefficients")
    if weights is None or weights.ndim not in (1, 2):
        return ()
    rows = weights.reshape(-1, weights.shape[-1])
    if rows.shape[1] != fit.task.width:
        return ()
    classes = fit.task.target.classes
    several = len(rows) > 1
    return tuple(
        rec.Coefficient(
            name=f"{column.name} ({classes[k]})" if several else column.name,
            value=float(value),
        )
        for k, row in enumerate(rows)
        for column, value in zip(fit.task.columns, row, strict=True)
    )


def _steps(prepared: Prepared, i: int) -> Iterator[str]:
    recipe = prepared.recipe
    if recipe.impute != "none":
        yield f"missing: {recipe.impute} {prepared.fills[i]:.6g}"
    if recipe.numeric != "none":
        yield (
            f"{recipe.numeric} scaling: less {prepared.centers[i]:.6g}, over "
            f"{prepared.scales[i]:.6g}"
        )
    if prepared.schema.prepares == "bins":
        kind = "k-anonymous" if recipe.edges == "k_anonymous" else "exact"
        yield f"{len(prepared.edges[i]) + 1} bins, {kind} edges"
    if recipe.indicators:
        yield "a column says where it was missing"
