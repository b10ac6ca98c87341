"""What a federated training hands over: the numbers of a model, and no row."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from fl_plugin.algorithms.base import Algorithm, Target, Task
from fl_plugin.algorithms.described import Parameter
from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.errors import MeshError, RegistryError
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.summand import Array, Arrays


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedModel:
    """A fitted preparation and algorithm; the same model where digests are equal.

    Args:
        prepared: What turns raw rows into a design, with the study's schema.
        algorithm: Its name.
        parameters: Of the algorithm, all of them.
        arrays: The algorithm's own, as its `rounds` returned them.
        parties: How many there were.
        seed: Of the study.
    """

    prepared: Prepared
    algorithm: str
    parameters: Mapping[str, Parameter]
    arrays: Arrays
    parties: int = 1
    seed: int = field(default=0)

    @property
    def schema(self) -> Schema:
        """The features and the target."""
        return self.prepared.schema

    @property
    def target(self) -> Target:
        """What it predicts."""
        return self.schema.target

    @property
    def task(self) -> Task:
        """What the algorithm knew when it was fitted."""
        return self.prepared.task(parties=self.parties, seed=self.seed)

    @property
    def names(self) -> tuple[str, ...]:
        """The input columns, numeric first."""
        schema = self.schema
        return tuple(f.name for f in (*schema.numbers, *schema.vocabularies))

    def learner(self) -> Algorithm:
        """Return the algorithm with its parameters.

        Raises:
            UsageError: It is not installed here.
            ContractError: A parameter is not one of its own.
        """
        return find_algorithm(self.algorithm).of(self.parameters)

    def facts(self) -> dict[str, Any]:
        """Return everything but the algorithm's arrays, as JSON can hold it."""
        told, arrays = self.prepared.to_wire()
        return {
            "algorithm": self.algorithm,
            "parameters": dict(sorted(self.parameters.items())),
            "parties": self.parties,
            "seed": self.seed,
            "schema": _schema_facts(self.schema),
            **told,
            "prepared": {
                name: [array.dtype.str, array.tolist()]
                for name, array in sorted(arrays.items())
            },
        }


def facts_text(model: FittedModel) -> str:
    """Return the facts as one line; the same model gives the same line."""
    return json.dumps(model.facts(), sort_keys=True, separators=(",", ":"))


def read_facts(text: str, arrays: Arrays) -> FittedModel:
    """Return the model with these facts, and these arrays of its algorithm.

    Raises:
        RegistryError: They are not the facts of a model.
    """
    try:
        told = json.loads(text)
        schema = _schema_of(told["schema"])
        prepared = Prepared.from_wire(
            {"recipe": told["recipe"]},
            {name: _array(*pair) for name, pair in told["prepared"].items()},
            schema,
        )
        return FittedModel(
            prepared=prepared,
            algorithm=str(told["algorithm"]),
            parameters=dict(told["parameters"]),
            arrays=arrays,
            parties=int(told["parties"]),
            seed=int(told["seed"]),
        )
    except (MeshError, KeyError, TypeError, ValueError, AttributeError):
        raise no_model() from None


def no_model() -> RegistryError:
    """Return the error for a pipeline that holds no model of this package."""
    return RegistryError(
        "The pipeline does not hold what this package writes down with a model.",
        remedy="Take the model from the registry again, or train the study again.",
    )


def _schema_facts(schema: Schema) -> dict[str, Any]:
    return asdict(schema)


def _schema_of(told: Mapping[str, Any]) -> Schema:
    features = tuple(
        Feature(
            name=str(f["name"]),
            kind=str(f["kind"]),
            categories=None if f["categories"] is None else tuple(f["categories"]),
        )
        for f in told["features"]
    )
    target = Target(
        kind=str(told["target"]["kind"]), classes=tuple(told["target"]["classes"])
    )
    rest = {name: told[name] for name in ("prepares", "min_cohort", "edges")}
    return Schema(features=features, target=target, **rest)


def _array(dtype: str, values: list[Any]) -> Array:
    if dtype not in {"<f8", "<i8"}:
        raise no_model()
    return np.array(values, dtype=dtype)
