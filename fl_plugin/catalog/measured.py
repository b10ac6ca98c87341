"""What the last build measured of a product, as dbt's catalog carries it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fl_plugin.catalog.published import Published, PublishedProfile
from fl_plugin.manifest.types import Product
from fl_plugin.policy.rules.s07_quality import Floor

_TOO_MANY = 1e18  # rows or bytes: a number this large is none


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """Bucketed counts and shares between 0 and 1; None where nothing was measured."""

    built: bool = False
    rows: int | None = None
    size: int | None = None
    last_built: datetime | None = None
    completeness: float | None = None
    validity: float | None = None
    uniqueness: float | None = None
    profile: PublishedProfile | None = None

    @property
    def broken(self) -> Mapping[Floor, datetime]:
        """Since when each floor is broken, as far as its domain has published it."""
        return self.profile.broken if self.profile else {}

    def is_fresh(self, product: Product, now: datetime) -> bool | None:
        """Return whether it was built as lately as promised; None where unknown."""
        hours = product.contract.freshness_hours
        if hours is None or self.last_built is None:
            return None
        return now - self.last_built <= timedelta(hours=hours)


def measurements(
    catalog: Mapping[str, Any], product: Product, published: Published
) -> Measurements:
    """Return the measurements in catalog.json of a product, and what was published.

    A value of another kind than expected counts as not measured.
    """
    node = _below(_below(catalog, "nodes"), product.unique_id)
    stats = _below(node, "stats")
    return Measurements(
        built=bool(node),
        rows=_count(stats, "row_count"),
        size=_count(stats, "bytes"),
        last_built=_instant(stats),
        completeness=_share(stats, "completeness"),
        validity=_share(stats, "validity"),
        uniqueness=_share(stats, "uniqueness"),
        profile=published.get((product.name, product.version)),
    )


def mark_of(product: Product, profile: PublishedProfile | None) -> str:
    """Return what everybody should know before using a product; often nothing."""
    if profile is None or not profile.broken:
        return ""
    since = min(profile.broken.values())
    return f"below its promise since {since:%Y-%m-%d}: {', '.join(profile.broken)}" + (
        "" if product.contract.quality.on_breach == "warn" else "; it may not be used"
    )


def _below(block: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = block.get(key)
    return found if isinstance(found, Mapping) else {}


def _number(stats: Mapping[str, Any], name: str) -> float | None:
    value = _below(stats, name).get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _TOO_MANY else None


def _count(stats: Mapping[str, Any], name: str) -> int | None:
    number = _number(stats, name)
    return None if number is None else int(number)


def _share(stats: Mapping[str, Any], name: str) -> float | None:
    """The page shows percentages."""
    number = _number(stats, name)
    return None if number is None or number > 100 else number / 100  # noqa: PLR2004


def _instant(stats: Mapping[str, Any]) -> datetime | None:
    value = _below(stats, "last_built").get("value")
    try:
        found = datetime.fromisoformat(str(value).removesuffix(" UTC"))
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
