"""`run.json`: everything that a run may tell the world, as typed, frozen values.

The report, the model card and the mesh's tables are made from this record and from
nothing else. It holds sums, bucketed counts, names and category names (a contract's,
or common ones); never a row. Sizes are in bytes, durations in seconds, times in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fl_plugin.registry.run_quality import (
    STRICT,
    CalibrationCell,
    Candidate,
    Category,
    Certificate,
    ClassResult,
    Coefficient,
    Confusion,
    CrossValidation,
    Curves,
    DomainResult,
    Estimate,
    Fairness,
    GroupResult,
    Importance,
    Metrics,
    RankedShare,
    Scalar,
    Search,
    Spread,
    Verdict,
)
from fl_plugin.registry.run_vertical import Matched, RankedFigure, Ranking, Vertical

__all__ = [
    "STRICT",
    "AlgorithmUsed",
    "AuditHead",
    "CalibrationCell",
    "Candidate",
    "CategoricalPrepared",
    "Certificate",
    "ClassResult",
    "Coefficient",
    "ColumnPrepared",
    "Confusion",
    "CrossValidation",
    "Curves",
    "DomainResult",
    "Estimate",
    "Fairness",
    "GroupResult",
    "Importance",
    "LeftDomain",
    "Matched",
    "Metrics",
    "NumericPrepared",
    "Preparation",
    "Privacy",
    "ProductUsed",
    "RankedFigure",
    "RankedShare",
    "Ranking",
    "RoundRecord",
    "RunRecord",
    "Search",
    "Spread",
    "Traffic",
    "TrafficRecord",
    "Verdict",
    "Vertical",
]


@dataclass(frozen=True, kw_only=True)
class AlgorithmUsed:
    """The approved algorithm and the parameters that it ran with.

    `equals` says in words what its model equals (an algorithm's `exact`).
    """

    __pydantic_config__ = STRICT
    name: str
    parameters: Mapping[str, Scalar]
    title: str = ""
    equals: str = ""


@dataclass(frozen=True, kw_only=True)
class ProductUsed:
    """A product, the decision that opened it, and whom to ask about it.

    `policy` and `manifest` are the domain's own fingerprints; `rows_bucket` is rounded
    by the domain and None below its minimum cohort.
    """

    __pydantic_config__ = STRICT
    product: str
    version: int | None
    domain: str
    policy: str
    manifest: str
    rows_bucket: int | None
    grant: str | None
    owner: str = ""
    contact: str = ""
    classification: str = ""
    approved_by: tuple[str, ...] = ()
    expires: str | None = None


@dataclass(frozen=True, kw_only=True)
class NumericPrepared:
    """How a numeric column was imputed (mean) and standardised (mean, scale)."""

    __pydantic_config__ = STRICT
    name: str
    mean: float
    scale: float


@dataclass(frozen=True, kw_only=True)
class CategoricalPrepared:
    """A one-hot vocabulary and where it came from."""

    __pydantic_config__ = STRICT
    name: str
    categories: tuple[Category, ...]
    source: Literal["contract", "union"] = "contract"


@dataclass(frozen=True, kw_only=True)
class ColumnPrepared:
    """A column and what was done to it, a phrase for each step, in order."""

    __pydantic_config__ = STRICT
    name: str
    steps: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What was learned about the columns, from training rows only."""

    __pydantic_config__ = STRICT
    numeric: tuple[NumericPrepared, ...] = ()
    categorical: tuple[CategoricalPrepared, ...] = ()
    columns: tuple[ColumnPrepared, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RoundTraffic:
    """Bytes of one round that left a domain (`up`) and that entered it (`down`)."""

    __pydantic_config__ = STRICT
    up: int
    down: int


@dataclass(frozen=True, kw_only=True)
class RoundRecord:
    """One round: the summed loss before its step, and what it cost all parties.

    `progress` holds further figures that the algorithm has about its state; `domains`
    the bytes of each that was asked, none in records of before these were kept.
    """

    __pydantic_config__ = STRICT
    round: int
    bytes_up: int
    bytes_down: int
    seconds: float
    loss: float | None = None
    gradient_norm: float | None = None
    step: float | None = None
    progress: Mapping[str, float] = field(default_factory=dict)
    domains: Mapping[str, RoundTraffic] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Payload bytes and messages; `up` leaves a domain, `down` enters it."""

    __pydantic_config__ = STRICT
    up: int
    down: int
    messages: int


@dataclass(frozen=True, kw_only=True)
class TrafficRecord(Traffic):
    """The run's traffic, in total and by domain."""

    domains: Mapping[str, Traffic]


Form = Literal[
    "masked sum",
    "number",
    "vocabulary",
    "blinded key",
    "sealed",
    "activation",
    "encrypted number",
]


@dataclass(frozen=True, kw_only=True)
class LeftDomain:
    """One kind of thing that left one domain, and the form in which it did."""

    __pydantic_config__ = STRICT
    domain: str
    kind: str
    what: str
    form: Form
    bytes: int
    rounds: int


@dataclass(frozen=True, kw_only=True)
class AuditHead:
    """The last link of a domain's audit chain when it sent its last reply."""

    __pydantic_config__ = STRICT
    sequence: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """What protected the updates, and one sentence that claims no more.

    Args:
        mode: "exact" or "differential privacy"; empty in records of before.
        mechanism: Of the noise, by name.
        sigma: Its standard deviation over the sensitivity.
        dropout: What happens when a domain leaves in the middle of a round.
        signed_keys: Whether each domain signed the key its masks are made from.
    """

    __pydantic_config__ = STRICT
    secure_aggregation: bool
    statement: str
    epsilon: float | None = None
    delta: float | None = None
    mode: Literal["", "exact", "differential privacy"] = ""
    mechanism: str = ""
    sigma: float | None = None
    dropout: str = ""
    signed_keys: bool | None = None


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One finished run.

    Args:
        manifest_fingerprint: Of the root project's manifest.
        baselines: By name (`majority`, `mean`), metrics of a model that needs no
            federation.
        evaluation: The settings of the hold-out and the cross-validation.
        target_kind: "binary", "multiclass", "regression", "count" or "none".
        classes: Of a binary or multiclass target, in the order of the tables.
        main: The figure that models are chosen and compared by, and which of two is
            `better`.
        confusion_matrix: Rows by class (first index) and predicted class.
        groups: Fairness, a table for each protected column.
        notes: What the algorithm had to say about its fit.
        vertical: What a vertical run has beside the rest.
    """

    __pydantic_config__ = STRICT
    run: str
    study: str
    version: int
    created_at: str
    consumer: str
    actor: str
    purpose: str
    algorithm: AlgorithmUsed
    engine: str
    seed: int
    products: tuple[ProductUsed, ...]
    manifest_fingerprint: str
    features: tuple[str, ...]
    target: str
    preparation: Preparation
    rounds: tuple[RoundRecord, ...]
    metrics: Mapping[str, Estimate]
    cross_validation: CrossValidation | None
    domains: tuple[DomainResult, ...]
    baselines: Mapping[str, Metrics]
    curves: Curves
    confusion: Confusion | None
    coefficients: tuple[Coefficient, ...]
    certificate: Certificate | None
    bytes: TrafficRecord
    left_domain: tuple[LeftDomain, ...]
    seconds: Mapping[str, float]
    audit_heads: Mapping[str, AuditHead]
    model_digest: str
    privacy: Privacy
    software: Mapping[str, str]
    evaluation: Mapping[str, Scalar] = field(default_factory=dict)
    target_kind: str = "binary"
    classes: tuple[Category, ...] = ()
    main: str = "roc_auc"
    better: Literal["higher", "lower"] = "higher"
    confusion_matrix: tuple[tuple[int, ...], ...] = ()
    class_results: tuple[ClassResult, ...] = ()
    ranking: tuple[RankedShare, ...] = ()
    groups: tuple[Fairness, ...] = ()
    importances: tuple[Importance, ...] = ()
    search: Search | None = None
    notes: tuple[str, ...] = ()
    vertical: Vertical | None = None
    mode: Literal["horizontal", "vertical"] = "horizontal"
    label: str = ""
    description: str = ""
    owner: str = ""
    schema: Literal["run/1"] = "run/1"
