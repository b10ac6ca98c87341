"""What a domain publishes, as far as a change of it is worth telling.

Small and without a value of a row: types, names, digests. It is kept in the outbox and
compared with the next look.
"""

import hashlib
import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.types import Column, Grant, Product, Study
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.people import cohort_floor
from fl_plugin.policy.sql_types import canonical_type, type_name

Policy = dict[str, Any]
GrantStage = Literal["", "expiring", "expired"]


class PublishedColumn(ContractBlock):
    """A column: `data_type` is for telling, `type_digest` for comparing."""

    data_type: str
    type_digest: str
    nullable: bool
    accepted: str | None
    policy: Policy


class PublishedVersion(ContractBlock):
    """One version of a product.

    Args:
        node: dbt's unique id.
        fingerprint: Of the policy, as grants name it.
        policy: The contract's words outside the columns.
        past: Whether the deprecation date has come.
        built_at: When it was built last, as far as anybody wrote it down.
        breaches: Floors that it misses.
    """

    product: str
    version: int | None
    node: str
    fingerprint: str
    enforced: bool
    key: tuple[str, ...]
    deprecation: date | None
    past: bool
    columns: dict[str, PublishedColumn]
    policy: Policy
    stewards: tuple[str, ...]
    ask: str
    built_at: datetime | None = None
    breaches: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`lending.credit_profile v1`, or without a version."""
        return (
            self.product if self.version is None else f"{self.product} v{self.version}"
        )


class PublishedGrant(ContractBlock):
    """A grant; `terms` is the digest of what was asked and decided."""

    name: str
    study: str
    consumer: str
    requested_by: str
    products: tuple[str, ...]
    nodes: tuple[str, ...]
    status: Literal["requested", "approved", "rejected", "revoked"]
    stage: GrantStage
    expires: date | None
    policy: str | None
    terms: str

    @property
    def live(self) -> bool:
        """Whether it is approved and has not ended."""
        return self.status == "approved" and self.stage != "expired"


class PublishedStudy(ContractBlock):
    """A study that learns from this domain; `words` maps each to its digest."""

    name: str
    owner: str
    consumer: str
    products: tuple[str, ...]
    nodes: tuple[str, ...]
    words: dict[str, str]


class Published(ContractBlock):
    """A domain at one moment.

    Args:
        versions: By dbt's unique id.
        grants: By name.
        studies: By name.
        settings: Digests of what it decides by beside its contracts, by word.
    """

    versions: dict[str, PublishedVersion] = Field(default_factory=dict)
    grants: dict[str, PublishedGrant] = Field(default_factory=dict)
    studies: dict[str, PublishedStudy] = Field(default_factory=dict)
    settings: dict[str, str] = Field(default_factory=dict)


class Seen(ContractBlock):
    """What was published when somebody last looked, and how many events that made."""

    format: Literal[1] = 1
    sequence: Annotated[int, Field(ge=0)] = 0
    published: Published = Published()


def version_of(product: Product, today: date, mesh_floor: int) -> PublishedVersion:
    """Return a product's version; what its build measured is added later."""
    ends = product.deprecation_date
    return PublishedVersion(
        product=product.name,
        version=product.version,
        node=product.unique_id,
        fingerprint=policy_fingerprint(product),
        enforced=product.contract_enforced,
        key=product.key,
        deprecation=ends,
        past=ends is not None and ends <= today,
        columns={n: _column(c) for n, c in product.columns.items()},
        policy=_policy(product, mesh_floor),
        stewards=product.owner.stewards,
        ask=product.owner.support or product.owner.email or product.domain,
    )


def grant_of(grant: Grant, *, revoked: bool, stage: GrantStage) -> PublishedGrant:
    """Return a grant as it stands today.

    Args:
        grant: As the manifest has it.
        revoked: Whether the domain's ledger says that this approval has ended.
        stage: How near its end is.
    """
    terms = {
        "uses": sorted(grant.uses),
        "columns": sorted(grant.columns),
        "purpose": grant.purpose,
        "products": list(grant.product_ids),
        "expires": str(grant.expires),
        "decided_at": str(grant.decided_at),
        "approved_by": sorted(grant.approved_by),
        "epsilon": grant.epsilon,
        "policy": grant.policy,
    }
    return PublishedGrant(
        name=grant.name,
        study=grant.study,
        consumer=grant.consumer,
        requested_by=grant.requested_by,
        products=grant.products,
        nodes=grant.product_ids,
        status="revoked" if revoked else _status(grant.status),
        stage=stage,
        expires=grant.expires,
        policy=grant.policy,
        terms=digest(terms),
    )


def study_of(study: Study, domain: str) -> PublishedStudy:
    """Return the part of a study that is about one domain."""
    pairs = zip(study.products, study.product_ids, strict=True)
    own = [(p, i) for p, i in pairs if p.partition(".")[0] == domain]
    words = study.contract.model_dump(mode="json")
    return PublishedStudy(
        name=study.name,
        owner=study.owner.email,
        consumer=study.contract.consumer,
        products=tuple(p for p, _ in own),
        nodes=tuple(i for _, i in own),
        words={w: digest(v) for w, v in words.items()}
        | {"products": digest(sorted(study.product_ids))},
    )


def digest(value: Any) -> str:
    """Return a short digest of plain JSON; equal values have equal ones."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def _column(column: Column) -> PublishedColumn:
    accepted = column.accepted_values
    return PublishedColumn(
        data_type=type_name(column.data_type),
        type_digest=digest(canonical_type(column.data_type)),
        nullable=column.nullable,
        accepted=None if accepted is None else digest(sorted(accepted)),
        policy=column.contract.model_dump(mode="json"),
    )


def _policy(product: Product, mesh_floor: int) -> Policy:
    words = product.contract.model_dump(mode="json", exclude={"product"})
    row_filter = words.pop("row_filter", None)
    return words | {
        # A filter may compare with a value: only whether it changed is kept.
        "row_filter": None if row_filter is None else digest(row_filter),
        "min_cohort": cohort_floor(product, mesh_floor),
        "access": product.access,
        "stewards": sorted({s.strip().casefold() for s in product.owner.stewards}),
    }


def _status(word: str) -> Literal["requested", "approved", "rejected", "revoked"]:
    match word:
        case "requested" | "approved" | "rejected":
            return word
        case _:
            return "revoked"
