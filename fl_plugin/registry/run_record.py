"""`run.json`: everything that a run may tell the world, as typed, frozen values.

The report, the model card and the mesh's tables are made from this record and from
nothing else. It holds sums, bucketed counts, names and category names (a contract's,
or common ones); never a row. Sizes are in bytes, durations in seconds, times in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict

Scalar = str | bool | int | float | None
Metrics = Mapping[str, float | None]
Verdict = Literal["helped", "no clear difference", "hurt", "too few rows to say"]

# Unknown fields, NaN and infinity are errors when a record is read.
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True)
class AlgorithmUsed:
    """The approved algorithm and the parameters that it ran with."""

    __pydantic_config__ = STRICT
    name: str
    parameters: Mapping[str, Scalar]


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
    categories: tuple[str | bool | int, ...]
    source: Literal["contract", "union"] = "contract"


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What was learned about the columns, from training rows only."""

    __pydantic_config__ = STRICT
    numeric: tuple[NumericPrepared, ...] = ()
    categorical: tuple[CategoricalPrepared, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RoundRecord:
    """One round: the summed loss before its step, and what it cost all parties."""

    __pydantic_config__ = STRICT
    round: int
    loss: float
    gradient_norm: float
    step: float
    bytes_up: int
    bytes_down: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its 95 % interval; None where the data define none.

    `resolution` is how far binning may have moved the value; None where it is exact.
    """

    __pydantic_config__ = STRICT
    value: float | None
    low: float | None = None
    high: float | None = None
    resolution: float | None = None


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One metric over the folds and repeats of a cross-validation."""

    __pydantic_config__ = STRICT
    mean: float
    sd: float
    values: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """Repeated cross-validation of the federated model."""

    __pydantic_config__ = STRICT
    folds: int
    repeats: int
    metrics: Mapping[str, Spread]


@dataclass(frozen=True, kw_only=True)
class CalibrationCell:
    """One score bin; `rate` is None where too few rows fell into it to be shown."""

    __pydantic_config__ = STRICT
    mean_score: float | None
    rate: float | None
    share: float | None


@dataclass(frozen=True, kw_only=True)
class DomainResult:
    """The federated model and the domain's own, on the domain's own rows, out of fold.

    `difference` is federated minus own ROC-AUC, paired, with its 95 % interval.
    """

    __pydantic_config__ = STRICT
    domain: str
    rows_bucket: int | None
    federated: Metrics
    own: Metrics
    difference: Estimate | None
    verdict: Verdict
    majority: Metrics = field(default_factory=dict)
    calibration: tuple[CalibrationCell, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Curves:
    """ROC as (false, true positive rate), PR as (recall, precision), calibration."""

    __pydantic_config__ = STRICT
    roc: tuple[tuple[float, float], ...] = ()
    pr: tuple[tuple[float, float], ...] = ()
    calibration: tuple[CalibrationCell, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts over the whole federation's hold-out, at one threshold."""

    __pydantic_config__ = STRICT
    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """A weight on a standardised or one-hot column."""

    __pydantic_config__ = STRICT
    name: str
    value: float
    standard_error: float | None = None


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """How far the best coefficients on the pooled rows can be from the model's.

    `distance_bound` follows from the gradient and Hessian of the regularised loss,
    summed over all domains at the model: twice gradient norm / smallest eigenvalue.
    """

    __pydantic_config__ = STRICT
    gradient_norm: float
    smallest_eigenvalue: float
    distance_bound: float


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


@dataclass(frozen=True, kw_only=True)
class LeftDomain:
    """One kind of thing that left one domain, and the form in which it did."""

    __pydantic_config__ = STRICT
    domain: str
    kind: str
    what: str
    form: Literal["masked sum", "number", "vocabulary"]
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
    """What protected the updates, and one sentence that claims no more."""

    __pydantic_config__ = STRICT
    secure_aggregation: bool
    statement: str
    epsilon: float | None = None
    delta: float | None = None


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One finished run.

    Args:
        manifest_fingerprint: Of the root project's manifest.
        baselines: By name (`majority`), metrics of a model that needs no federation.
        evaluation: The settings of the hold-out and the cross-validation.
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
    mode: Literal["horizontal", "vertical"] = "horizontal"
    label: str = ""
    description: str = ""
    owner: str = ""
    schema: Literal["run/1"] = "run/1"
