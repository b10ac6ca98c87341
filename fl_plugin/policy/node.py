"""The domain's own pinned settings: `node.yml`, read with caps."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from fl_plugin.errors import ContractError
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import Attributes, Name
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.policy.types import Node

NODE_FILE = "node.yml"
DatabasePath = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\.duckdb\z")
]


class NodeSettings(ContractBlock):
    """The words of `node.yml`."""

    domain: Name
    database: DatabasePath
    consumers: dict[Name, Attributes] = Field(default_factory=dict)
    algorithms: dict[Name, dict[Name, tuple[float, float]]] = Field(
        default_factory=dict
    )
    secure_aggregation: Literal["required", "optional"] = "required"

    @model_validator(mode="after")
    def _low_to_high(self) -> Self:
        for ranges in self.algorithms.values():
            if any(low > high for low, high in ranges.values()):
                raise ValueError("a range in algorithms runs from low to high")
        return self


def load_node(folder: Path) -> Node:
    """Return the settings of the domain in this folder.

    Raises:
        ContractError: The file is missing or not valid, or the database lies outside
            the folder.
    """
    file = folder / NODE_FILE
    found = validated(NodeSettings, read_yaml(file), str(file))
    place = (folder / found.database).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise ContractError(
            f"{file}: the database lies outside the domain's folder.",
            remedy=f"Use `database: data/{found.domain}.duckdb`.",
        )
    return Node(**found.model_dump())
