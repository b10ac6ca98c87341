"""A preparation as scikit-learn's own fitted transformers.

They are fitted on a few made-up rows, so that scikit-learn itself sets its
bookkeeping; then every learned number is replaced. A test compares the result,
attribute by attribute, with transformers that were fitted on pooled rows.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from fl_plugin.preparation.columns import Vocabulary
from fl_plugin.preparation.design import UNKNOWN
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.recipe import Recipe
from fl_plugin.summand import Array

# Made-up rows hold a frequent category twice and an infrequent one at most once.
_MADE_UP_COUNT = 2


def unfitted(prepared: Prepared) -> ColumnTransformer:
    """Return the transformers before learning: what a pooled fit would start from."""
    return _transformer(prepared, prepared.recipe.min_count)


def fitted(prepared: Prepared) -> ColumnTransformer:
    """Return the fitted transformers."""
    recipe = prepared.recipe
    made_up = None if recipe.min_count is None else _MADE_UP_COUNT
    transformer = _transformer(prepared, made_up).fit(_made_up_rows(prepared))
    found = transformer.named_transformers_
    if "numeric" in found:
        _set_numeric(found["numeric"], prepared)
    if "categorical" in found:
        found["categorical"].min_frequency = recipe.min_count
        for name, encoder, _ in transformer.transformers:
            if name == "categorical":
                encoder.min_frequency = recipe.min_count
    return transformer


def _transformer(prepared: Prepared, min_count: int | None) -> ColumnTransformer:
    schema, recipe = prepared.schema, prepared.recipe
    steps: list[tuple[str, Any, list[str]]] = []
    if schema.numbers:
        steps.append(("numeric", _numeric(recipe), [f.name for f in schema.numbers]))
    if schema.vocabularies:
        categories = [list(f.categories or ()) for f in schema.vocabularies]
        encoder = _onehot if recipe.categorical == "onehot" else _ordinal
        names = [f.name for f in schema.vocabularies]
        made = encoder(categories, min_count, bins=schema.prepares == "bins")
        steps.append(("categorical", made, names))
    return ColumnTransformer(steps)


def _numeric(recipe: Recipe) -> Pipeline:
    steps: list[tuple[str, Any]] = []
    if recipe.impute != "none":
        imputer = SimpleImputer(
            strategy=recipe.impute,
            fill_value=recipe.fill_value if recipe.impute == "constant" else None,
            add_indicator=recipe.indicators,
        )
        steps.append(("impute", imputer))
    if recipe.numeric == "standard":
        steps.append(("scale", StandardScaler()))
    if recipe.numeric == "robust":
        steps.append(("scale", RobustScaler()))
    if not steps:  # "passthrough" does not take an Arrow table; this does nothing
        steps.append(("scale", StandardScaler(with_mean=False, with_std=False)))
    return Pipeline(steps)


def _onehot(
    categories: list[list[Any]], min_count: int | None, *, bins: bool
) -> OneHotEncoder:
    del bins  # zeros stand for what is unknown in either design
    return OneHotEncoder(
        categories=categories,
        handle_unknown="ignore" if min_count is None else "infrequent_if_exist",
        min_frequency=min_count,
        sparse_output=False,
    )


def _ordinal(
    categories: list[list[Any]], min_count: int | None, *, bins: bool
) -> OrdinalEncoder:
    unknown = np.nan if bins else int(UNKNOWN)
    return OrdinalEncoder(
        categories=categories,
        handle_unknown="use_encoded_value",
        unknown_value=unknown,
        encoded_missing_value=unknown,
        min_frequency=min_count,
    )


def _made_up_rows(prepared: Prepared) -> pa.Table:
    """Return rows with the same features missing and the same categories rare."""
    layout, schema = prepared.layout, prepared.schema
    codes = {v.name: _made_up_codes(v) for v in layout.vocabularies}
    rows = max([3, *map(len, codes.values())])
    missing = {i.number for i in layout.indicators}
    columns: dict[str, Any] = {}
    for i, feature in enumerate(schema.numbers):
        last = None if i in missing else 0.0
        values = [0.0, 1.0, *[0.0] * (rows - 3), last]
        columns[feature.name] = pa.array(values, pa.float64())
    for feature in schema.vocabularies:
        mine = codes[feature.name]
        # Where all are rare, the rest of the rows has none.
        padded = (mine + (mine[:1] or [None]) * rows)[:rows]
        known = pa.array(feature.categories)
        columns[feature.name] = known.take(pa.array(padded, pa.int64()))
    return pa.table({f.name: columns[f.name] for f in schema.features})


def _made_up_codes(vocabulary: Vocabulary) -> list[int | None]:
    every = set(range(len(vocabulary.categories)))
    frequent = sorted(every - set(vocabulary.infrequent))
    return [code for code in frequent for _ in range(_MADE_UP_COUNT)]


def _set_numeric(numeric: Pipeline, prepared: Prepared) -> None:
    steps, recipe = numeric.named_steps, prepared.recipe
    if recipe.impute in {"mean", "median"}:
        steps["impute"].statistics_ = prepared.fills.copy()
    if "scale" not in steps:
        return
    scaler, tail = steps["scale"], prepared.layout.indicators
    if recipe.numeric != "robust":
        seen = _seen(prepared)
        # scikit-learn counts in floats where it takes means.
        scaler.n_samples_seen_ = seen if recipe.numeric == "none" else seen * 1.0
    if recipe.numeric == "none":
        return
    scaler.scale_ = np.append(prepared.scales, [i.scale for i in tail])
    centers = np.append(prepared.centers, [i.center for i in tail])
    if recipe.numeric == "robust":
        scaler.center_ = centers
        return
    scaler.mean_ = centers
    scaler.var_ = np.append(prepared.variances, [i.scale**2 for i in tail])


def _seen(prepared: Prepared) -> Array | np.int64:
    """Return how many values a scaler saw: one number where it saw equally many."""
    if prepared.recipe.impute != "none":
        return np.int64(prepared.rows)
    present = prepared.present
    return np.int64(present[0]) if (present == present[0]).all() else present.copy()
