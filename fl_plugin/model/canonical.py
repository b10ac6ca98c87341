"""A model's canonical bytes and digest: the same numbers give the same bytes.

Layout: a magic line, the header's length (8 bytes, little endian), the header (JSON
with sorted keys, ASCII, no spaces), then the arrays that the header lists, in its
order, as little-endian float64. Independent of library versions and of the file
format that the model is kept in.
"""

import hashlib
import json
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from fl_plugin.model.pipeline import inverse_strength, spec_of
from fl_plugin.model.spec import ModelSpec

MAGIC = b"data-mesh-model/1\n"


@dataclass(frozen=True)
class _Part:
    name: str
    values: NDArray[np.float64]


def model_digest(spec: ModelSpec) -> str:
    """Return "sha256:" and the digest of the spec's canonical bytes."""
    return _digest(canonical_bytes(spec))


def pipeline_digest(pipeline: Pipeline) -> str:
    """Return the digest of a pipeline's numbers: equal to its spec's digest."""
    strength = pipeline.named_steps["model"].C
    return _digest(_encode(spec_of(pipeline), float(strength)))


def canonical_bytes(spec: ModelSpec) -> bytes:
    """Return the bytes that the digest is taken of."""
    return _encode(spec, inverse_strength(spec))


def _encode(spec: ModelSpec, strength: float) -> bytes:
    parts = _parts(spec, strength)
    header = _header(spec, parts)
    arrays = b"".join(part.values.astype("<f8").tobytes() for part in parts)
    return MAGIC + len(header).to_bytes(8, "little") + header + arrays


def _parts(spec: ModelSpec, strength: float) -> list[_Part]:
    # An infinite C is written as 0 so that the bytes hold finite numbers only.
    finite = 0.0 if math.isinf(strength) else strength
    return [
        _part("coef", *spec.coef),
        _part("intercept", spec.intercept),
        _part("inverse_strength", finite),
        _part("mean", *(c.mean for c in spec.numeric)),
        _part("scale", *(c.scale for c in spec.numeric)),
        _part("variance", *(c.spread for c in spec.numeric)),
    ]


def _part(name: str, *values: float) -> _Part:
    # Adding zero turns -0.0 into 0.0: equal numbers must give equal bytes.
    return _Part(name, np.array(values, dtype=np.float64) + 0.0)


def _header(spec: ModelSpec, parts: list[_Part]) -> bytes:
    header = {
        "arrays": [[part.name, int(part.values.size)] for part in parts],
        "categorical": [[c.name, list(c.categories)] for c in spec.categorical],
        "classes": list(spec.classes),
        "estimator": "logistic_regression",
        "numeric": [c.name for c in spec.numeric],
        "rounds": spec.n_rounds,
        "rows": spec.rows if spec.numeric else 0,
    }
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii")


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
