"""Where nodes that run already are: `nodes.yml` of the mesh, the coordinator's file.

nodes:
consumer_banking: {socket: /run/mesh/consumer_banking.sock}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import Name
from fl_plugin.manifest.yaml_files import read_yaml

NODES_FILE = "nodes.yml"


class Address(ContractBlock):
    """Where one node is: the path of its Unix socket, absolute."""

    socket: Annotated[str, Field(pattern="^/", max_length=100)]


class Addresses(ContractBlock):
    """The words of `nodes.yml`."""

    nodes: dict[Name, Address] = Field(default_factory=dict)


def addresses(root: Path) -> Mapping[str, Path]:
    """Return domain to socket of every node that is named; none without the file.

    Raises:
        ContractError: The file is not valid.
    """
    file = root / NODES_FILE
    if not file.exists():
        return {}
    found = validated(Addresses, read_yaml(file), str(file))
    return {name: Path(address.socket) for name, address in found.nodes.items()}
