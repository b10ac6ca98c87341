"""A model's canonical bytes and digest: the same numbers give the same bytes.

Layout: a magic line, the header's length (8 bytes, little endian), the header (JSON
with sorted keys, ASCII, no spaces), then the algorithm's arrays that the header lists,
in its order, little endian. The header holds the study's words and what its
preparation learned. Independent of library versions and of the file format that the
model is kept in.
"""

import hashlib
import json

import numpy as np
from sklearn.pipeline import Pipeline

from fl_plugin.errors import MeshError
from fl_plugin.model.fitted import FittedModel, no_model
from fl_plugin.model.persistence import dump
from fl_plugin.model.pipeline import PREPARE, model_of
from fl_plugin.model.transformers import fitted
from fl_plugin.summand import Array

MAGIC = b"data-mesh-model/2\n"


def model_digest(model: FittedModel) -> str:
    """Return "sha256:" and the digest of the model's canonical bytes."""
    return "sha256:" + hashlib.sha256(canonical_bytes(model)).hexdigest()


def pipeline_digest(pipeline: Pipeline) -> str:
    """Return the digest of a pipeline's model.

    Raises:
        RegistryError: Its transformers are not those of its model.
    """
    model = model_of(pipeline)
    try:
        same = dump(fitted(model.prepared)) == dump(pipeline.named_steps[PREPARE])
    except MeshError:
        same = False
    if not same:
        raise no_model()
    return model_digest(model)


def canonical_bytes(model: FittedModel) -> bytes:
    """Return the bytes that the digest is taken of."""
    arrays = {name: _plain(array) for name, array in sorted(model.arrays.items())}
    facts = model.facts()
    header = {
        **facts,
        "arrays": [[n, a.dtype.str, list(a.shape)] for n, a in arrays.items()],
        "prepared": {n: [t, _zeros(v)] for n, (t, v) in facts["prepared"].items()},
    }
    told = json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii")
    body = b"".join(array.tobytes() for array in arrays.values())
    return MAGIC + len(told).to_bytes(8, "little") + told + body


def _plain(array: Array) -> Array:
    """Return little-endian numbers; equal numbers must give equal bytes."""
    array = np.asarray(array)
    if array.dtype.kind == "f":
        array = array + 0.0  # turns -0.0 into 0.0
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _zeros(values: list[float]) -> list[float]:
    return [value + 0 for value in values]
