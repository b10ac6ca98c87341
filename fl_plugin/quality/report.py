"""What is known of each product's quality beside what its contract promises.

Read from what the domains have published, as anybody in the mesh can.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fl_plugin.catalog.published import Published, PublishedProfile
from fl_plugin.manifest.types import Product

State = Literal["holds", "broken", "not measured"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measure: what was found, what was promised, whether it holds.

    Args:
        found: In words.
        promised: In words; empty where the contract promises nothing.
        state: None where nothing is promised.
        since: Of a broken one.
    """

    measure: str
    found: str
    promised: str
    state: State | None
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ProductQuality:
    """One product's report.

    Args:
        retrain: Whether drift says that a model learned from the approved data should
            be learned again.
        stops: Whether a broken floor stops every use, or only warns.
    """

    product: str
    version: int | None
    lines: tuple[Line, ...]
    stops: bool
    retrain: bool
    profile: PublishedProfile | None

    @property
    def broken(self) -> Mapping[str, datetime | None]:
        """Since when each broken floor is."""
        return {w.measure: w.since for w in self.lines if w.state == "broken"}

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """What is promised and not measured: it counts as not kept."""
        return tuple(w.measure for w in self.lines if w.state == "not measured")


def report_on(product: Product, published: Published, now: datetime) -> ProductQuality:
    """Return one product's report."""
    profile = published.get((product.name, product.version))
    worst = profile.worst_drift if profile else None
    return ProductQuality(
        product=product.name,
        version=product.version,
        lines=tuple(_lines(product, profile, now)),
        stops=product.contract.quality.on_breach == "stop",
        retrain=worst is not None and worst.verdict == "drifted",
        profile=profile,
    )


def _lines(
    product: Product, profile: PublishedProfile | None, now: datetime
) -> Iterator[Line]:
    floors = product.contract.quality
    for name in ("completeness", "validity", "uniqueness"):
        floor: float | None = getattr(floors, name)
        found = profile.at_least.get(name) if profile else None
        broken = profile.broken.get(name) if profile else None
        yield Line(
            measure=name,
            found=_share(found),
            promised="" if floor is None else _share(floor),
            state=_state(floor, broken, is_known=found is not None),
            since=broken,
        )
    yield _drift(product, profile)
    yield _age(product, profile, now)
    tests = profile.tests if profile else None
    since = profile.broken.get("tests") if profile else None
    yield Line(
        measure="tests",
        found=tests or "not measured",
        promised="passing",
        state=_state(1, since, is_known=tests is not None),
        since=since,
    )


def _drift(product: Product, profile: PublishedProfile | None) -> Line:
    limit = product.contract.quality.drift_psi
    since = profile.broken.get("drift") if profile else None
    worst = profile.worst_drift if profile else None
    found = "not measured"
    if worst is not None:
        found = f"{worst.verdict} ({worst.column})"
        found += f", {worst.index_words}" if worst.index_words else ""
    elif profile is not None and profile.approved_at is None:
        found = "no profile approved yet"
    # Before a first approval there is nothing to compare with, and nothing is broken.
    first = profile is not None and profile.approved_at is None
    state = _state(limit, since, is_known=worst is not None or first)
    return Line(
        measure="drift",
        found=found,
        promised="" if limit is None else f"at most {limit:g}",
        state=state,
        since=since,
    )


def _age(product: Product, profile: PublishedProfile | None, now: datetime) -> Line:
    hours = product.contract.freshness_hours
    built = profile.built_at if profile else None
    late = hours is not None and built is not None and (
        now - built > timedelta(hours=hours)
    )  # fmt: skip
    since = built + timedelta(hours=hours) if late and built and hours else None
    found = "not measured" if built is None else f"built {built:%Y-%m-%d %H:%M} UTC"
    if profile is not None and profile.newest_event is not None:
        found += f", newest event {profile.newest_event} old"
    return Line(
        measure="timeliness",
        found=found,
        promised="" if hours is None else f"{hours:g} hours",
        state=_state(hours, since, is_known=built is not None),
        since=since,
    )


def _state(
    floor: float | None, broken: datetime | None, *, is_known: bool
) -> State | None:
    if floor is None:
        return None
    if broken is not None:
        return "broken"
    return "holds" if is_known else "not measured"


def _share(value: float | None) -> str:
    if value is None:
        return "not measured"
    return "100 %" if value == 1 else f"at least {100 * value:.4g} %"
