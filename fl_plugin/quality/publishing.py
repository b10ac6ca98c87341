"""From what a domain knows of a product to what it publishes, and the file of it.

Figures about people come from the profile that is the *basis*: they change only when
at least a cohort of rows has changed since, so that two publications which differ by
one person are the same. What a restricted column would say in numbers is said in words
or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from fl_plugin.catalog.published import (
    QUALITY_FILE,
    PublishedDrift,
    PublishedProfile,
    PublishedQuality,
)
from fl_plugin.errors import StorageError
from fl_plugin.files import whole
from fl_plugin.ledger.buckets import rows_bucket
from fl_plugin.manifest.types import Product
from fl_plugin.party.drift import PrivateProfile
from fl_plugin.party.histograms import verdict_of
from fl_plugin.policy.people import is_restricted
from fl_plugin.quality.buckets import age_words, at_least, index_below, rate_range
from fl_plugin.quality.fairness import published_bias
from fl_plugin.quality.floors import broken_since


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What is published from: the newest profile, its basis and when each was kept.

    Args:
        drift: By column, since the approved profile; empty without one.
        approved_at: When the approved profile was measured.
    """

    newest: PrivateProfile
    measured_at: datetime
    basis: PrivateProfile
    as_of: datetime
    drift: dict[str, float]
    approved_at: datetime | None


def publish(
    product: Product, measurement: Measurement, min_cohort: int
) -> PublishedProfile:
    """Return what may be known of a product outside its domain."""
    newest, basis = measurement.newest, measurement.basis
    table, floors = basis.table, product.contract.quality
    shares = {
        name: at_least(
            getattr(newest, name),
            rows=newest.table.rows,
            min_cohort=min_cohort,
            floor=getattr(floors, name),
        )
        for name in ("completeness", "validity", "uniqueness")
    }
    small = newest.table.rows < min_cohort
    return PublishedProfile(
        product=product.name,
        version=product.version,
        built_at=newest.built_at,
        measured_at=measurement.measured_at,
        as_of=measurement.as_of,
        rows=rows_bucket(table.rows, min_cohort=min_cohort),
        at_least={name: share for name, share in shares.items() if share is not None},
        filled=_filled(product, basis, min_cohort),
        broken=broken_since(product, newest, measurement.drift, newest.broken),
        tests=_tests(newest),
        newest_event=_newest_event(product, basis),
        approved_at=measurement.approved_at,
        drift=() if small else tuple(_drift(product, measurement.drift)),
        labels=_labels(product, basis, min_cohort),
        bias=tuple(
            published_bias(crossing, product, min_cohort)
            for crossing in table.crossings
            if {crossing.label, crossing.protected} <= set(product.columns)
        ),
    )


def write_quality(folder: Path, profiles: Sequence[PublishedProfile]) -> Path:
    """Write a domain's file, whole or not at all, and return where it is.

    Raises:
        StorageError: It cannot be written.
    """
    target = folder / "target"
    found = PublishedQuality(domain=folder.name, products=tuple(profiles))
    try:
        target.mkdir(exist_ok=True)
        with whole(target / QUALITY_FILE) as file:
            file.write(f"{found.model_dump_json(indent=1)}\n".encode())
    except OSError as error:
        raise StorageError(
            f"{target / QUALITY_FILE} cannot be written ({error.strerror}).",
            remedy="Free space or fix its permissions; the last one is still there.",
        ) from None
    return target / QUALITY_FILE


def _tests(newest: PrivateProfile) -> Literal["passing", "failing"] | None:
    if newest.tests_failed is None:
        return None
    return "failing" if newest.tests_failed else "passing"


def _filled(
    product: Product, basis: PrivateProfile, min_cohort: int
) -> dict[str, float]:
    found = {}
    for name, histogram in basis.table.columns.items():
        if name not in product.columns or is_restricted(product, name):
            continue
        rows = basis.table.rows
        missing = histogram.counts[-1]
        share = at_least(
            1 - missing / rows if rows else None, rows=rows, min_cohort=min_cohort
        )
        if share is not None:
            found[name] = share
    return found


def _newest_event(product: Product, basis: PrivateProfile) -> str | None:
    name = product.event_time
    if name is None or is_restricted(product, name):
        return None
    return age_words(basis.table.event_age_hours)


def _labels(
    product: Product, basis: PrivateProfile, min_cohort: int
) -> dict[str, tuple[float, float]]:
    found = {
        name: rate_range(positive, negative, min_cohort)
        for name, (negative, positive) in basis.table.labels.items()
        if name in product.columns and not is_restricted(product, name)
    }
    return {name: rate for name, rate in found.items() if rate is not None}


def _drift(product: Product, drift: dict[str, float]) -> list[PublishedDrift]:
    return [
        PublishedDrift(
            column=name,
            verdict=verdict_of(index),
            psi_below=None if is_restricted(product, name) else index_below(index),
        )
        for name, index in drift.items()
        if name in product.columns
    ]
