"""The words that may stand under `config.meta.mesh`, and nothing else.

Strict models: an unknown word, a value of another kind or a contradiction is an error.
What the words mean stands in `docs/`; which purposes, uses, roles, kinds of personal
data and tags exist is the mesh's vocabulary, checked by `manifest.vocabulary`.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fl_plugin.manifest.words import (
    Attributes,
    Classification,
    ColumnName,
    Count,
    Days,
    FilterText,
    Name,
    Names,
    Positive,
    ProductName,
    Share,
    SomeNames,
)


class ContractBlock(BaseModel):
    """Base of every block: frozen, strict, no words of its own."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )


class ColumnSelector(ContractBlock):
    """Which columns a deny rule is about: any of its lines may match."""

    pii: Names = ()
    classification: tuple[Classification, ...] = ()
    roles: Names = ()
    names: tuple[ColumnName, ...] = ()

    @model_validator(mode="after")
    def _selects_something(self) -> Self:
        if not (self.pii or self.classification or self.roles or self.names):
            raise ValueError("must select by pii, classification, roles or names")
        return self


class AllowRule(ContractBlock):
    """Who may ask, for what: keys of `consumer` are joined by and, values by or."""

    consumer: Annotated[Attributes, Field(min_length=1)]
    purposes: SomeNames
    uses: SomeNames


class DenyRule(ContractBlock):
    """Who may never have what; a line that is missing matches everything."""

    consumer: Attributes = Field(default_factory=dict)
    purposes: Names = ()
    uses: Names = ()
    columns: ColumnSelector | None = None

    @model_validator(mode="after")
    def _denies_something(self) -> Self:
        if not (self.consumer or self.purposes or self.uses or self.columns):
            raise ValueError("must name consumers, purposes, uses or columns")
        return self


class DpBudget(ContractBlock):
    """Differential privacy: `required_for` names purposes or uses."""

    required_for: Names = ()
    epsilon: Positive
    delta: Annotated[float, Field(gt=0, lt=1)]
    per: tuple[Literal["consumer", "purpose"], ...] = ("consumer", "purpose")
    period_days: Days


class Approval(ContractBlock):
    """How many stewards approve, and for how many days at most."""

    approvers: Count = 1
    restricted_approvers: Count = 2
    max_days: Days = 180

    @model_validator(mode="after")
    def _restricted_needs_as_many(self) -> Self:
        if self.restricted_approvers < self.approvers:
            raise ValueError("restricted_approvers must not be below approvers")
        return self


class QualityFloors(ContractBlock):
    """What is promised; below it (above, for the drift index) the product is marked.

    Args:
        on_breach: Whether a broken floor also stops every use, or only warns. What
            was not measured stops it either way.
    """

    completeness: Share | None = None
    validity: Share | None = None
    uniqueness: Share | None = None
    drift_psi: Positive | None = None
    on_breach: Literal["stop", "warn"] = "stop"


class ProductContract(ContractBlock):
    """A product's `mesh` block. `min_cohort` None means the mesh's floor."""

    product: ProductName
    status: Literal["draft", "active", "retired"]
    classification: Classification
    tags: dict[Name, Name] = Field(default_factory=dict)
    purposes: SomeNames
    uses: SomeNames
    allow: tuple[AllowRule, ...] = ()
    deny: tuple[DenyRule, ...] = ()
    row_filter: FilterText | None = None
    min_cohort: Count | None = None
    dp: DpBudget | None = None
    approval: Approval = Approval()
    quality: QualityFloors = QualityFloors()
    freshness_hours: Positive | None = None
    retention_days: Days | None = None

    @model_validator(mode="after")
    def _filter_hides_nothing(self) -> Self:
        if self.row_filter and ("--" in self.row_filter or "/*" in self.row_filter):
            raise ValueError("row_filter must not hold a comment")
        return self

    @model_validator(mode="after")
    def _allows_what_it_offers(self) -> Self:
        for rule in self.allow:
            if not set(rule.purposes) <= set(self.purposes):
                raise ValueError("allow names a purpose that purposes does not offer")
            if not set(rule.uses) <= set(self.uses):
                raise ValueError("allow names a use that uses does not offer")
        return self


class ColumnContract(ContractBlock):
    """A column's `mesh` block.

    Args:
        roles: What it may be in a model; without one it may not be asked for.
        classification: None means the product's.
        uses: None means the product's.
        bounds: Lowest and highest plausible value, for clipping and binning.
        label_sharing: Whether another party may ever see it; None means protected.
        mask: What a query sees instead of the value; only queries may use such a
            column.
    """

    roles: Names = ()
    classification: Classification | None = None
    pii: Name | None = None
    uses: Names | None = None
    bounds: tuple[float, float] | None = None
    label_sharing: Literal["shared", "protected"] | None = None
    mask: Literal["null", "hash", "year", "bucket"] | None = None

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            raise ValueError("the first of bounds must be below the second")
        return self

    @model_validator(mode="after")
    def _only_labels_are_shared(self) -> Self:
        if self.label_sharing is not None and "label" not in self.roles:
            raise ValueError("label_sharing belongs to a column with the role label")
        return self
