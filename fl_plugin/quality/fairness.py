"""Label rates over protected groups, as they may be published.

A group below the cohort is suppressed. A single suppressed group could be derived by
taking the others from the whole, so the next smallest go with it, until at least two
are suppressed that together are a cohort: whatever is subtracted from whatever, each
of them may still have any size below the cohort. How large a group is, is told as a
range too. An empty group is suppressed as a small one is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fl_plugin.catalog.published import PublishedBias, PublishedGroup, Range
from fl_plugin.manifest.types import Product
from fl_plugin.party.profiling import MISSING, OTHER, Crossing
from fl_plugin.policy.people import is_restricted
from fl_plugin.quality.buckets import rate_range


def published_bias(
    crossing: Crossing, product: Product, min_cohort: int
) -> PublishedBias:
    """Return one label over the groups of one protected column."""
    cells = _cells(crossing, product)
    hidden = suppressed([c.rows for c in cells], min_cohort)
    shown = [c for place, c in enumerate(cells) if place not in hidden]
    rates = {c.group: rate_range(c.positives, c.negatives, min_cohort) for c in shown}
    whole = rate_range(sum(crossing.positives), sum(crossing.negatives), min_cohort)
    rows = sum(c.rows for c in cells)
    guarded = is_restricted(product, crossing.protected)
    secret = guarded or is_restricted(product, crossing.label)
    groups = [PublishedGroup(group=c.group) for c in cells]
    for place, cell in enumerate(cells):
        if place in hidden:
            continue
        rate = rates[cell.group]
        groups[place] = PublishedGroup(
            group=cell.group,
            share=None
            if guarded
            else rate_range(cell.rows, rows - cell.rows, min_cohort),
            rate=None if secret else rate,
            than_all=_beside(rate, whole),
        )
    return PublishedBias(
        label=crossing.label,
        protected=crossing.protected,
        verdict=_verdict([rate for rate in rates.values() if rate is not None]),
        groups=tuple(groups),
    )


def suppressed(sizes: Sequence[int], min_cohort: int) -> frozenset[int]:
    """Return the places of the groups that must not be spoken of."""
    hidden = [place for place, size in enumerate(sizes) if size < min_cohort]
    others = [place for place in range(len(sizes)) if place not in hidden]
    for place in sorted(others, key=sizes.__getitem__):
        # A single one is below the cohort, so there are two at least.
        if not hidden or sum(sizes[p] for p in hidden) >= min_cohort:
            break
        hidden.append(place)
    return frozenset(hidden)


@dataclass(frozen=True)
class _Cell:
    group: str
    negatives: int
    positives: int

    @property
    def rows(self) -> int:
        return self.negatives + self.positives


def _cells(crossing: Crossing, product: Product) -> list[_Cell]:
    """Return every group but those that the contract rules out and that are empty."""
    column = product.columns[crossing.protected]
    ruled_out = set() if column.nullable else {MISSING}
    if column.accepted_values:
        ruled_out.add(OTHER)
    counts = zip(crossing.groups, crossing.negatives, crossing.positives, strict=True)
    cells = [_Cell(*count) for count in counts]
    return [cell for cell in cells if cell.rows or cell.group not in ruled_out]


def _beside(
    rate: Range | None, whole: Range | None
) -> Literal["lower", "alike", "higher"] | None:
    """Compare ranges, never rates: a word must not tell more than its range would."""
    if rate is None or whole is None:
        return None
    if rate[0] >= whole[1]:
        return "higher"
    return "lower" if rate[1] <= whole[0] else "alike"


def _verdict(rates: Sequence[Range]) -> Literal["even", "uneven", "unknown"]:
    if len(rates) < 2:  # noqa: PLR2004 one group has nothing beside it
        return "unknown"
    gap = max(low for low, _ in rates) - min(high for _, high in rates)
    return "uneven" if gap > 0 else "even"
