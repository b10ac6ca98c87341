"""What the rest of the package knows of a mesh: frozen values read from a manifest.

dbt's words are used for dbt's things; what stands under `config.meta.mesh` is
validated by `fl_plugin.manifest.contract` before it gets here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from fl_plugin.errors import MeshError
from fl_plugin.manifest.contract import ColumnContract, ProductContract
from fl_plugin.manifest.study_contract import StudyContract


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The team behind a dbt group, an exposure or a study."""

    name: str
    email: str = ""
    stewards: tuple[str, ...] = ()
    support: str = ""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One contracted column of a product.

    `accepted_values` come from the column's dbt `accepted_values` test (None where it
    has none); `nullable` is False where a `not_null` constraint is enforced.
    """

    name: str
    description: str
    data_type: str
    nullable: bool
    accepted_values: tuple[str, ...] | None
    contract: ColumnContract


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Where dbt materialised a product."""

    database: str
    schema: str
    identifier: str


@dataclass(frozen=True, kw_only=True)
class Product:
    """A public, contracted dbt model with a `mesh` block.

    `name` is `<domain>.<model>`; `key` is the column (or columns) that identify a row:
    its primary-key constraint, else the columns with the role `join_key`, else none.
    """

    name: str
    domain: str
    unique_id: str
    version: int | None
    latest_version: int | None
    deprecation_date: date | None
    description: str
    access: str
    contract_enforced: bool
    materialized: str
    tags: tuple[str, ...]
    owner: Owner
    relation: Relation
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    event_time: str | None
    contract: ProductContract


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one domain has been asked for and has decided about it.

    A grant ends when the day `expires` begins, in UTC.
    """

    name: str
    domain: str
    products: tuple[str, ...]  # product names, `<domain>.<model>`
    study: str
    consumer: str
    requested_by: str
    purpose: str
    uses: tuple[str, ...]
    columns: tuple[str, ...]
    epsilon: float | None
    status: str  # requested | approved | rejected | revoked
    approved_by: tuple[str, ...]
    expires: date | None
    policy: str | None  # fingerprint of the policy that was approved
    product_ids: tuple[str, ...] = ()  # dbt unique ids, same order as `products`
    requested_at: date | None = None
    decided_at: date | None = None
    days: int | None = None  # asked for
    signatures: Mapping[str, str] = field(default_factory=dict)  # by address


@dataclass(frozen=True, kw_only=True)
class Study:
    """What a consumer wants to learn, from which products, for which purpose."""

    name: str
    label: str
    description: str
    owner: Owner
    products: tuple[str, ...]
    product_ids: tuple[str, ...]  # dbt unique ids, same order
    contract: StudyContract


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One manifest.json: the mesh's (root project) or a single domain's.

    `fingerprint` is "sha256:" and the digest of the file's bytes. Keys: a product's
    name stands for its latest version, `<name>.v<N>` for each version; a grant's is
    `<domain>.<grant>`; a study's is its name. `problems` holds
    what could not be read as a valid product, grant or study, by its name, so that
    one broken contract does not hide the rest of the mesh.
    """

    project: str
    fingerprint: str
    generated_at: datetime
    dbt_version: str
    products: Mapping[str, Product]
    grants: Mapping[str, Grant]
    studies: Mapping[str, Study]
    problems: Mapping[str, MeshError]
    domains: tuple[str, ...]
