"""A fitted scikit-learn pipeline, assembled from federated numbers.

No estimator sees a row. Beside its steps the pipeline carries one line of JSON, its
`mesh_facts_`: which study's words it was made by, and what was counted. From both
together comes the same model again.
"""

from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from fl_plugin.model.fitted import FittedModel, facts_text, no_model, read_facts
from fl_plugin.model.transformers import fitted, unfitted

PREPARE, MODEL = "prepare", "model"


def build_pipeline(model: FittedModel) -> Pipeline:
    """Return the fitted pipeline; it takes a pyarrow table or a data frame.

    Raises:
        MeshError: The algorithm is not installed, or the arrays are not its model.
    """
    estimator = model.learner().estimator(model.arrays, model.task)
    pipeline = Pipeline([(PREPARE, fitted(model.prepared)), (MODEL, estimator)])
    pipeline.mesh_facts_ = facts_text(model)
    return pipeline


def unfitted_pipeline(model: FittedModel) -> Pipeline:
    """Return the same pipeline before learning: what a pooled fit would start from."""
    estimator: Any = model.learner().estimator(model.arrays, model.task)
    return Pipeline([(PREPARE, unfitted(model.prepared)), (MODEL, clone(estimator))])


def model_of(pipeline: Pipeline) -> FittedModel:
    """Return the model that `build_pipeline` would make this pipeline from.

    Raises:
        RegistryError: It is not a pipeline of this package.
        UsageError: Its algorithm is not installed here.
    """
    text = getattr(pipeline, "mesh_facts_", None)
    if not isinstance(text, str) or list(pipeline.named_steps) != [PREPARE, MODEL]:
        raise no_model()
    bare = read_facts(text, {})
    arrays = bare.learner().model_of(pipeline.named_steps[MODEL])
    return read_facts(text, arrays)
