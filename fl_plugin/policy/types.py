"""A request, the facts a domain knows, and the decision it takes on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from fl_plugin.manifest.types import Grant, Product
from fl_plugin.policy.permissions.permission import Permission
from fl_plugin.policy.principals import Principals

Status = Literal["passed", "refused", "at_opening", "not_reached"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a consumer asks of one domain; it crosses the wire and is never policy.

    `columns` maps each column to the role it is wanted in (feature, label, join_key);
    `parameters` are the algorithm's, by name; a list holds all that a search tries.
    `match` says how a vertical study finds common rows; empty for a horizontal one.
    `evaluation` is the share of the privacy budget that figures cost, 0 for exact ones;
    None without a budget.
    """

    study: str
    consumer: str
    actor: str
    purpose: str
    product: str
    version: int | None
    uses: tuple[str, ...]
    columns: Mapping[str, str]
    algorithm: str
    parameters: Mapping[str, Any]
    secure_aggregation: bool
    parties: int
    epsilon: float | None = None
    delta: float | None = None
    match: Literal["", "private", "keyed_hash"] = ""
    evaluation: float | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the domain's last build wrote down about a product (`mesh_meta`).

    Args:
        drift_psi: The population stability index of the column that moved most, from
            the ledger; None where this build was not measured.
        has_baseline: Whether a profile was approved, so that drift can be measured.
        build: dbt's name of the build, so that a measurement of another is not used.
    """

    built_at: datetime | None = None
    completeness: float | None = None
    validity: float | None = None
    uniqueness: float | None = None
    drift_psi: float | None = None
    tests_failed: int | None = None
    has_baseline: bool = False
    build: str = ""


@dataclass(frozen=True, kw_only=True)
class QueryLimits:
    """How much one query may return, and how long it may run."""

    max_rows: int = 1_000
    seconds: float = 10.0


@dataclass(frozen=True, kw_only=True)
class MatchingLimits:
    """What others may learn by matching their rows with this domain's.

    Args:
        largest_list: Most entries of another domain's list.
        largest_ratio: Most entries of another's list for one of the own list.
        per_day: Most matchings of one product in 24 hours.
    """

    largest_list: int = 2_000_000
    largest_ratio: float = 10.0
    per_day: int = 100


@dataclass(frozen=True, kw_only=True)
class Node:
    """The domain's own pinned settings (`node.yml`): no message can change them.

    Args:
        database: Its DuckDB file, relative to the domain's folder.
        consumers: Who may call, and the attributes that rules look at.
        algorithms: Algorithm to parameter to (lowest, highest) or to the words that are
            allowed; "any" in place of the parameters allows what the algorithm takes.
        secure_aggregation: "required", or "optional": then a consumer may see this
            domain's own sums.
        principals: The mesh's list of who there is, as pinned; empty where the domain
            keeps its own list.
        principals_pinned: False where that list is another one than was pinned.
        permissions: The domain's own `permissions.yml`; None where it has none.
        require_signatures: What counts only when it is signed.
        query: Bounds of one query.
        exact_quantiles: Whether medians and bin edges may be values of single rows.
        two_parties: `privacy.terms.TWO_PARTIES`, word for word, where the domain takes
            part in sums over two, from which each derives the other's part.
        memory: Bytes that the party may take for the rows of one run.
        colluding: How many other domains may tell their noise, or add none.
        matching: What others may learn by matching their rows.
        callers: Consumer to the users that may speak for it at the domain's node.
    """

    domain: str
    database: str
    consumers: Mapping[str, Mapping[str, tuple[str, ...]]]
    algorithms: Mapping[str, Literal["any"] | Mapping[str, tuple[float | str, ...]]]
    secure_aggregation: Literal["required", "optional"] = "required"
    principals: Principals = field(default_factory=Principals)
    principals_pinned: bool = True
    permissions: tuple[Permission, ...] | None = None
    require_signatures: tuple[Literal["grants", "contracts"], ...] = ()
    query: QueryLimits = field(default_factory=QueryLimits)
    exact_quantiles: bool = False
    two_parties: str = ""
    memory: int = 2**31
    colluding: int = 1
    matching: MatchingLimits = field(default_factory=MatchingLimits)
    callers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything a rule may look at: local files and measurements, never a row.

    Args:
        caller: The consumer that the channel authenticated; compared with the request.
        product: From the domain's own manifest; None where it has no such product.
        table: Column name to DuckDB type of the built table; None where it is missing.
        filter_columns: Columns the row filter reads, from its validated parse tree;
            None where the filter is not allowed.
        rows: Rows left after the row filter; None while nothing has been opened.
        cohort_distance: Smallest number of rows by which this cohort differs from an
            earlier one (0 means the same); None while nothing has been opened or
            no earlier cohort exists.
        epsilon_spent: What the ledger holds for this consumer and purpose.
        contract_signed: Whether the domain's key has signed the contract as it is.
        revoked: Digests of the approvals that the domain's ledger says have ended.
    """

    request: Request
    caller: str
    now: datetime
    clock_floor: datetime | None
    node: Node
    product: Product | None
    grants: tuple[Grant, ...]
    policy_fingerprint: str
    table: Mapping[str, str] | None
    measured: Measured
    mesh_min_cohort: int
    filter_columns: tuple[str, ...] | None = ()
    rows: int | None = None
    cohort_distance: int | None = None
    epsilon_spent: float = 0.0
    manifest_fingerprint: str = ""
    contract_signed: bool = False
    revoked: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one rule says. `reason` is a stable code such as `grant.missing`."""

    step: int
    rule: str
    status: Status
    reason: str
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One domain's answer to one request, rule by rule.

    `allowed` says that no rule refuses as far as it could look; before anything is
    released, `complete` must be true as well.
    """

    domain: str
    product: str
    allowed: bool
    outcomes: tuple[Outcome, ...]
    policy_fingerprint: str
    manifest_fingerprint: str
    grant: str | None = None
    contact: str = ""
    min_cohort: int = 0
    row_filter: str | None = None
    decided_at: datetime | None = field(default=None)

    @property
    def refusal(self) -> Outcome | None:
        """The first rule that refuses, if any."""
        return next((o for o in self.outcomes if o.status == "refused"), None)

    @property
    def complete(self) -> bool:
        """Whether every rule has passed, those that need the opened table too."""
        return self.allowed and all(o.status == "passed" for o in self.outcomes)
