"""The words of a vertical study about which rows of its domains belong together."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.words import ColumnName, Name


class MatchPlan(ContractBlock):
    """How a vertical study finds which rows of its domains belong together.

    Args:
        key: The column that names a row; every product has it, as a `join_key`.
        keys: Instead of it, where the label's product has many rows for one of
            another: by domain, the column that names its rows. The label's product
            has all of these columns, and may repeat their values.
        how: "private": no domain learns a key of another, nor whether it has one that
            the others have not. "keyed_hash": faster; every contract must offer the
            use `match_by_hash`, and the domains share a salt.
        normalise: What makes two keys the same (`fl_plugin.alignment`).
    """

    key: ColumnName | None = None
    keys: Annotated[dict[Name, ColumnName], Field(max_length=15)] = Field(
        default_factory=dict
    )
    how: Literal["private", "keyed_hash"] = "private"
    normalise: Name = "text"

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that rows are matched by, each once."""
        named = (self.key,) if self.key is not None else tuple(self.keys.values())
        return tuple(dict.fromkeys(named))

    @property
    def words(self) -> str:
        """The columns, as a report names them."""
        pairs = (f"{column} ({domain})" for domain, column in sorted(self.keys.items()))
        return self.key if self.key is not None else ", ".join(pairs)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.key is None) != bool(self.keys):
            raise ValueError("a match names either one `key`, or `keys` by domain")
        return self
