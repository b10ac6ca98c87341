"""What a study chooses by name: a title, a paper, what it learns, and its options."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from fl_plugin.errors import ContractError

Parameter = float | int | bool | str


@dataclass(frozen=True, kw_only=True)
class Described(ABC):
    """Base of every algorithm; its fields are the parameters, each with a default."""

    # "horizontal": domains have other rows; "vertical": other columns of the same.
    partitioning: ClassVar[str] = "horizontal"
    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    targets: ClassVar[tuple[str, ...]]  # kinds of target it can learn
    prepares: ClassVar[str] = "matrix"  # "bins", "codes": which design it learns from
    exact: ClassVar[str]  # what it equals, in words
    leaves: ClassVar[str]  # what leaves a domain, in words

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Return the algorithm with these parameters.

        Raises:
            ContractError: A parameter is unknown, or of the wrong kind.
        """
        known = {f.name: f.default for f in fields(cls)}
        for name, value in parameters.items():
            if name not in known:
                raise ContractError(
                    f"{cls.name} has no parameter {name}.",
                    remedy=f"It has {', '.join(sorted(known)) or 'none'}.",
                )
            if not _alike(value, known[name]):
                kind = _KINDS.get(type(known[name]), "a word")
                raise ContractError(
                    f"{name} of {cls.name} must be {kind}.",
                    remedy=f"See `fl algorithms show {cls.name}`.",
                )
        return cls(**parameters)

    def parameters(self) -> dict[str, Parameter]:
        """Return every parameter with its value."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


_KINDS = {bool: "true or false", int: "a whole number", float: "a number"}


def _alike(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, (int, float))
    return isinstance(value, type(default))
