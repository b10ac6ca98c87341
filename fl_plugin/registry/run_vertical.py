"""What a record holds of a vertical run beside what every run has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fl_plugin.registry.run_quality import STRICT


@dataclass(frozen=True, kw_only=True)
class Matched:
    """How common rows were found.

    Args:
        key: The column.
        how: "private" or "keyed_hash".
        normalise: What made two keys the same.
        rows: Matched rows, in words: a bucket.
        lost: By domain, its rows that not every domain has, in words: a bucket.
    """

    __pydantic_config__ = STRICT
    key: str
    how: Literal["private", "keyed_hash"]
    normalise: str
    rows: str
    lost: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RankedFigure:
    """A mean over users with its 95 % interval."""

    __pydantic_config__ = STRICT
    value: float
    low: float
    high: float


Way = Mapping[str, RankedFigure]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """How high held-out positives stand among each user's candidates.

    Args:
        users: How many, in words: a bucket.
        candidates: That a positive was ranked among, on average, itself included.
        figures: By way to rank (federated, popularity, chance, own), then by name.
        above: By way, how much higher the federated model's figures are, user by user.
    """

    __pydantic_config__ = STRICT
    users: str
    candidates: float
    figures: Mapping[str, Way]
    above: Mapping[str, Way]


@dataclass(frozen=True, kw_only=True)
class Vertical:
    """A vertical run.

    Args:
        label_domain: Who has the target.
        labels: "shared": its contract let the coordinator have the labels.
            "protected": they stayed where they are.
        columns: By domain, how many of the study's columns it has.
        parts: By domain, the digest of the part of the model that it keeps.
        figures: By domain, what its side of the fit measured: what an attacker would
            find, for instance.
        moved: Bytes of the fit and of scoring, in both directions, over the bytes of
            the matched rows' columns (4 each).
        ranking: Where users' rows are ranked against each other.
    """

    __pydantic_config__ = STRICT
    label_domain: str
    labels: Literal["shared", "protected"]
    matched: Matched
    columns: Mapping[str, int]
    parts: Mapping[str, str]
    figures: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    moved: float | None = None
    ranking: Ranking | None = None
