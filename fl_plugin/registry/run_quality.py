"""What a run record says of a model's quality: figures, tables, curves, comparisons.

Every number rests on sums over all domains, or was rounded inside one; cells that rest
on too few rows are None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict

Scalar = str | bool | int | float | None
Category = str | bool | int
Metrics = Mapping[str, float | None]
Verdict = Literal["helped", "no clear difference", "hurt", "too few rows to say"]

# Unknown fields, NaN and infinity are errors when a record is read.
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


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
    """One bin of predictions; `rate` is None where too few rows fell into it.

    `mean_score` is what was predicted on average, `rate` what came: the share of
    positives (of right answers, with several classes) or the mean of the target. `low`
    and `high` are the bin's ends, where known.
    """

    __pydantic_config__ = STRICT
    mean_score: float | None
    rate: float | None
    share: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class DomainResult:
    """The federated model and the domain's own, on the domain's own rows, out of fold.

    `difference` is federated minus own, paired, with its 95 % interval, of the figure
    `measure`. `personalised` are the figures of the federated model after a last step
    on the domain's own rows, `personalised_difference` those less the federated one's.
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
    measure: str = "roc_auc"
    personalised: Metrics = field(default_factory=dict)
    personalised_difference: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class Curves:
    """ROC as (false, true positive rate), PR as (recall, precision), calibration.

    `gain` is (share of the rows, highest scores first; share of the positives in it).
    """

    __pydantic_config__ = STRICT
    roc: tuple[tuple[float, float], ...] = ()
    pr: tuple[tuple[float, float], ...] = ()
    calibration: tuple[CalibrationCell, ...] = ()
    gain: tuple[tuple[float, float], ...] = ()


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
class Importance:
    """How much worse the main figure gets when a column says nothing any more."""

    __pydantic_config__ = STRICT
    name: str
    value: float
    sd: float | None = None


@dataclass(frozen=True, kw_only=True)
class ClassResult:
    """One class of several, against the rest."""

    __pydantic_config__ = STRICT
    name: Category
    support: int
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class RankedShare:
    """What the highest-scored `share` of the rows holds."""

    __pydantic_config__ = STRICT
    share: float
    precision: Estimate
    lift: Estimate
    gain: Estimate


@dataclass(frozen=True, kw_only=True)
class GroupResult:
    """One group of a protected column; `share` is None where it is suppressed.

    `group` is None for rows of no known category. `classes` has the figures of each
    class against the rest, with several classes.
    """

    __pydantic_config__ = STRICT
    group: Category | None
    share: float | None
    figures: Metrics
    intervals: Mapping[str, Estimate] = field(default_factory=dict)
    classes: tuple[Metrics, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fairness:
    """The groups of one protected column, and the greatest differences between them."""

    __pydantic_config__ = STRICT
    column: str
    groups: tuple[GroupResult, ...]
    figures: Metrics


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One setting that a search tried; `mean` and `sd` of the figure over its fits."""

    __pydantic_config__ = STRICT
    parameters: Mapping[str, Scalar]
    mean: float | None
    sd: float | None = None
    fits: int = 0
    epsilon: float | None = None
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search over parameters: `method` is "grid" or "halving"."""

    __pydantic_config__ = STRICT
    method: str
    measure: str
    better: Literal["higher", "lower"]
    candidates: tuple[Candidate, ...]
    epsilon: float | None = None
