"""The domain's own pinned settings: `node.yml`, read with caps."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from fl_plugin.errors import ContractError
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import Attributes, Fingerprint, Name, PublicKey
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.policy.permissions.permission import (
    PERMISSIONS_FILE,
    Permission,
    PermissionsFile,
)
from fl_plugin.policy.principals import (
    Principals,
    load_principals,
    principals_digest,
)
from fl_plugin.policy.types import MatchingLimits, Node, QueryLimits

NODE_FILE = "node.yml"
DatabasePath = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\.duckdb\z")
]


Range = tuple[float, float]
InWords = Literal["", "we accept that two parties can derive each other's sums"]
Memory = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}[MG]B\z")]
LEAST_MEMORY = 128 * 2**20  # DuckDB reads in a quarter, and not in less
Words = Annotated[
    tuple[bool, ...] | tuple[Annotated[str, Field(max_length=64)], ...],
    Field(min_length=1, max_length=64),
]
Limits = Range | Words
# A user as the operating system names it, also one of a directory service.
User = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?\z")
]
Callers = Annotated[tuple[User | PublicKey, ...], Field(max_length=1000)]


class QuerySettings(ContractBlock):
    """Bounds of one query: a domain may only make them tighter than these."""

    max_rows: Annotated[int, Field(ge=1, le=1_000)] = 1_000
    seconds: Annotated[float, Field(gt=0, le=10)] = 10.0


class MatchingSettings(ContractBlock):
    """What others may learn by matching their rows with this domain's."""

    largest_list: Annotated[int, Field(ge=1, le=2**26)] = 2_000_000
    largest_ratio: Annotated[float, Field(ge=1, le=1_000_000)] = 10.0
    per_day: Annotated[int, Field(ge=0, le=10_000)] = 100


class NodeSettings(ContractBlock):
    """The words of `node.yml`.

    Args:
        principals: Digest of the mesh's `principals.yml` that the domain has looked at.
        consumers: The domain's own list instead, where it pins none.
        exact_quantiles: Whether medians and bin edges may be values of single rows.
        two_parties: In these words, that sums over two domains are accepted.
        memory: What the party may take for the rows of one run, "512MB" or "2GB"; the
            rows of a larger table are spooled to the domain's own folder.
        colluding: Under differential privacy, how many other domains may tell their
            noise, or add none: the noise of the rest is enough by itself.
        matching: Of vertical studies: the longest list of another domain, how much
            longer than the own it may be, and how many matchings a day.
        callers: Consumer to who may speak for it at the domain's node: users of the
            operating system, and keys of coordinators on other machines. Where it is
            not named, the node's own user, and the coordinator whose invitation the
            node accepted.
        algorithms: Name to parameter to what it may be: [lowest, highest] of a number,
            the allowed words or truth values of others. "any" allows all that the
            algorithm itself takes.
    """

    domain: Name
    database: DatabasePath
    principals: Fingerprint | None = None
    consumers: dict[Name, Attributes] = Field(default_factory=dict)
    algorithms: dict[Name, Literal["any"] | dict[Name, Limits]] = Field(
        default_factory=dict
    )
    secure_aggregation: Literal["required", "optional"] = "required"
    require_signatures: tuple[Literal["grants", "contracts"], ...] = ()
    query: QuerySettings = QuerySettings()
    exact_quantiles: bool = False
    two_parties: InWords = ""
    memory: Memory = "2GB"
    colluding: Annotated[int, Field(ge=0, le=1_000)] = 1
    matching: MatchingSettings = MatchingSettings()
    callers: dict[Name, Callers] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_list_of_consumers(self) -> Self:
        if self.principals is not None and self.consumers:
            raise ValueError("name principals or consumers, not both")
        return self

    @model_validator(mode="after")
    def _enough_memory(self) -> Self:
        if memory_bytes(self.memory) < LEAST_MEMORY:
            raise ValueError("memory is at least 128MB")
        return self

    @model_validator(mode="after")
    def _low_to_high(self) -> Self:
        for ranges in self.algorithms.values():
            for limits in ranges.values() if isinstance(ranges, dict) else ():
                low, high = limits[0], limits[-1]
                if not isinstance(low, (bool, str)) and low > high:  # type: ignore[operator]
                    raise ValueError("a range in algorithms runs from low to high")
        return self


def load_node(folder: Path) -> Node:
    """Return the settings of the domain in this folder.

    Where `principals.yml` is another one than was pinned, nobody is known and no key
    counts, until the domain has pinned the new one.

    Raises:
        ContractError: A file is missing or not valid, or the database lies outside
            the folder.
        StorageError: A file cannot be read.
    """
    file = folder / NODE_FILE
    found = validated(NodeSettings, read_yaml(file), str(file))
    place = (folder / found.database).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise ContractError(
            f"{file}: the database lies outside the domain's folder.",
            remedy=f"Use `database: data/{found.domain}.duckdb`.",
        )
    settings = found.model_dump(exclude={"principals", "query", "matching"})
    settings["memory"] = memory_bytes(found.memory)
    settings["query"] = QueryLimits(**found.query.model_dump())
    settings["matching"] = MatchingLimits(**found.matching.model_dump())
    if found.principals is not None:
        root = folder.parent.parent
        pinned = principals_digest(root) == found.principals
        principals = load_principals(root) if pinned else Principals()
        settings |= {
            "principals": principals,
            "principals_pinned": pinned,
            "consumers": {n: c.attributes for n, c in principals.consumers.items()},
        }
    return Node(**settings, permissions=_permissions(folder))


def memory_bytes(words: str) -> int:
    """Return the bytes that "512MB" or "2GB" names."""
    return int(words[:-2]) * {"MB": 2**20, "GB": 2**30}[words[-2:]]


def _permissions(folder: Path) -> tuple[Permission, ...] | None:
    file = folder / PERMISSIONS_FILE
    if not file.exists():
        return None
    where = f"{folder.name}/{PERMISSIONS_FILE}"
    return validated(PermissionsFile, read_yaml(file), where).permissions
