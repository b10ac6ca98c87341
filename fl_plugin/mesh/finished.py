"""A run that has ended, and the model in it."""

from dataclasses import dataclass

from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.run import Trained
from fl_plugin.manifest.types import Manifest, Study
from fl_plugin.model.spec import CategoricalColumn, ModelSpec, NumericColumn
from fl_plugin.plan.types import Plan


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run that has ended: its plan, its results and its traffic."""

    plan: Plan
    study: Study
    manifest: Manifest
    trained: Trained
    federation: Federation
    engine: str


def spec_of_run(done: Finished) -> ModelSpec:
    """Return the hold-out's model as numbers."""
    best = done.trained.fits.fits[0]
    counted = best.moments.counted
    numbers = [f for f in done.trained.features if f.kind == "numeric"]
    return ModelSpec(
        numeric=tuple(
            NumericColumn(
                name=feature.name,
                mean=float(counted.means[i]),
                scale=float(best.moments.scales[i]),
                n_seen=int(counted.present[i]),
                variance=float(best.moments.variances[i]),
            )
            for i, feature in enumerate(numbers)
        ),
        categorical=tuple(
            CategoricalColumn(name=f.name, categories=f.categories or ())
            for f in done.trained.features
            if f.kind == "categorical"
        ),
        coef=best.fitted.coefficients,
        intercept=best.fitted.intercept,
        l2=float(done.plan.parameters.get("l2", 1.0)),
        n_rounds=best.fitted.rounds,
        rows=counted.rows,
    )
