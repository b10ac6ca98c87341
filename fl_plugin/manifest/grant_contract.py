"""The words of a grant: what was asked of a domain, and what its stewards said."""

from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.words import (
    ColumnName,
    Days,
    Fingerprint,
    Name,
    Person,
    Positive,
    Signature,
    SomeNames,
)


class GrantRequest(ContractBlock):
    """What a consumer asks one domain for."""

    study: Name
    consumer: Name
    by: Person
    at: date
    purpose: Name
    uses: SomeNames
    columns: Annotated[tuple[ColumnName, ...], Field(min_length=1, max_length=10_000)]
    epsilon: Positive | None = None
    days: Days


class GrantDecision(ContractBlock):
    """What the domain's stewards said. A grant ends when the day `expires` begins.

    While `by` is shorter than the contract asks for, the status stays "requested".
    `signatures` are by address, over what `policy.approval` says.
    """

    status: Literal["requested", "approved", "rejected", "revoked"]
    by: tuple[Person, ...] = ()
    at: date | None = None
    expires: date | None = None
    policy: Fingerprint | None = None
    signatures: dict[Person, Signature] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _approval_is_complete(self) -> Self:
        if self.status != "approved":
            return self
        if not self.by or not self.at or not self.expires or not self.policy:
            raise ValueError("an approved decision needs by, at, expires and policy")
        if not self.at < self.expires:
            raise ValueError("expires must be after at")
        return self


class GrantContract(ContractBlock):
    """A grant's `mesh` block; without a decision it is only a request."""

    request: GrantRequest
    decision: GrantDecision = GrantDecision(status="requested")

    @model_validator(mode="after")
    def _decided_after_asked(self) -> Self:
        decided = self.decision
        if decided.at and decided.at < self.request.at:
            raise ValueError("decision.at must not be before request.at")
        if decided.at and decided.expires:
            longest = decided.at + timedelta(days=self.request.days)
            if decided.status == "approved" and decided.expires > longest:
                raise ValueError("expires is later than the days that were asked for")
        return self
