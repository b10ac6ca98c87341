"""A registered model as the coordinator's fit, to be evaluated again."""

import numpy as np

from fl_plugin.algorithms.base import Fitted
from fl_plugin.coordinator.fitting import Fit
from fl_plugin.model.spec import ModelSpec
from fl_plugin.plan.types import Plan
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.moments import Counted, Moments
from fl_plugin.preparation.splits import Split


def features_of(spec: ModelSpec, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    """Return a plan's features with the categories that the model was made with."""
    categories = {c.name: c.categories for c in spec.categorical}
    return tuple(
        Feature(
            name=f.name,
            kind=f.kind,
            categories=tuple(
                c if isinstance(c, bool) else str(c) for c in categories[f.name]
            )
            if f.name in categories
            else None,
        )
        for f in features
    )


def fit_of(spec: ModelSpec, plan: Plan) -> Fit:
    """Return the model as the fit of the hold-out's training rows."""
    moments = Moments(
        counted=Counted(
            rows=spec.rows,
            positives=0,
            present=np.array([c.n_seen for c in spec.numeric], dtype=np.int64),
            means=np.array([c.mean for c in spec.numeric]),
        ),
        variances=np.array([c.spread for c in spec.numeric]),
        scales=np.array([c.scale for c in spec.numeric]),
    )
    fitted = Fitted(
        coefficients=np.asarray(spec.coef),
        intercept=spec.intercept,
        loss=0.0,
        gradient_norm=0.0,
        smallest_eigenvalue=0.0,
        distance_bound=0.0,
        rounds=spec.n_rounds,
    )
    split = Split(name="holdout", part="train", share=plan.evaluation.holdout)
    return Fit(split=split, moments=moments, fitted=fitted)
