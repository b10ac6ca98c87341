"""Figures made so coarse that a few rows cannot be seen in them.

Each range here is at least a cohort wide: if fewer than `min_cohort` rows are behind a
figure, it is the same for every number of rows below that.
"""

import math

# From good to bad: what a share is surely not below.
SHARES = (1.0, 0.999, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.5, 0.0)
WIDTHS = (0.05, 0.1, 0.2, 0.25, 0.5)
INDICES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.0, 100.0)  # none is above
_EVENTS = {1: "an hour", 24: "a day", 168: "a week", 744: "a month", 8784: "a year"}


def at_least(
    share: float | None, *, rows: int, min_cohort: int, floor: float | None = None
) -> float | None:
    """Return a share that is surely reached; None where there are too few rows.

    One bad row and a whole cohort of them give the same figure. That a promised floor
    is met is said whatever it tells, since the decision tells it as well.
    """
    if share is None or math.isnan(share) or rows < min_cohort:
        return None
    if share >= 1:
        return 1.0
    # In thousandths, so that 250 rows and 0.9 are exactly a cohort of 25.
    fits = [
        step
        for step in SHARES
        if step <= share and rows * (1000 - round(1000 * step)) >= 1000 * min_cohort
    ]
    found = max(fits, default=0.0)
    return max(found, floor) if floor is not None and share >= floor else found


def rate_range(
    positives: int, negatives: int, min_cohort: int
) -> tuple[float, float] | None:
    """Return the range that a rate lies in; None where no range is wide enough."""
    rows = positives + negatives
    # Only the rounded number may choose the width, for the range shows which it was.
    certain = rows // 10 * 10
    wide = next((w for w in WIDTHS if w * certain >= min_cohort), None)
    if wide is None:
        return None
    steps = round(1 / wide)
    # Whole numbers: 3 of 10 must not be below 0.3.
    step = min(positives * steps // rows, steps - 1)
    return round(step / steps, 4), round((step + 1) / steps, 4)


def index_below(index: float) -> float | None:
    """Return the next step above a stability index; None for what is no number."""
    return next((step for step in INDICES if index < step), None)


def age_words(hours: float | None) -> str | None:
    """Return an age as the next longer span, "under a day"."""
    if hours is None:
        return None
    found = next((words for limit, words in _EVENTS.items() if hours < limit), None)
    return f"under {found}" if found else "over a year"
