"""The yardstick: scikit-learn on all domains' rows in one place."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fl_plugin.preparation.features import Category, Feature

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Much past this, its line search would stop on rounding error.
TIGHT = 1e-12


def tight_logistic(l2: float = 1.0) -> LogisticRegression:
    """Return scikit-learn's logistic regression, solved as far as it goes."""
    return LogisticRegression(
        C=1.0 / l2, solver="newton-cholesky", tol=TIGHT, max_iter=200
    )


def pipeline(features: Sequence[Feature], l2: float = 1.0) -> Pipeline:
    """Return imputation, standardisation, one-hot columns and the model, unfitted."""
    numbers = [f.name for f in features if f.kind == "numeric"]
    words: Mapping[str, Sequence[Category]] = {
        f.name: f.categories or () for f in features if f.kind == "categorical"
    }
    numeric = Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())])
    onehot = OneHotEncoder(
        categories=[list(c) for c in words.values()],
        handle_unknown="ignore",
        sparse_output=False,
    )
    prepare = ColumnTransformer(
        [("numeric", numeric, numbers), ("categorical", onehot, list(words))]
    )
    return Pipeline([("prepare", prepare), ("model", tight_logistic(l2))])


def fit(model: Pipeline, table: pa.Table, y: Mask, chosen: Mask) -> Pipeline:
    """Fit on the chosen rows."""
    with warnings.catch_warnings():
        # Asked for more digits than its line search can tell apart, it says so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(table.filter(pa.array(chosen)), y[chosen])


def chances(model: Any, table: pa.Table) -> Floats:
    """Return the probability of a true target, row by row."""
    found: Floats = model.predict_proba(table)[:, 1]
    return found


def point_of(model: Pipeline) -> Floats:
    """Return the coefficients, then the intercept."""
    last = model.named_steps["model"]
    return np.append(last.coef_[0], last.intercept_[0])
