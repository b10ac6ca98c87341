"""What was measured, and everything else that a domain knows when it is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.golden.decision_facts import CURRENT, LEFT_OUT, SHA
from tests.golden.decision_rows.spec import WAITS, YES, Row, rows

NAN, INF = float("nan"), float("inf")


def measured_rows() -> Iterator[Row]:
    """Yield the rows of what the last build measured."""

    def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
        return datetime(2026, 11, day, hour, minute, tzinfo=UTC)

    yield from rows(
        "measured/built_at",
        {
            YES: [at(21, 12), at(20, 12), at(21, 12, 5)],
            "quality.unknown": [None],
            "freshness.stale": [at(20, 11, 59), at(1)],
            "clock.moved_back": [at(21, 12, 6), at(30)],
        },
    )
    floors = {"completeness": 0.98, "validity": 0.99, "uniqueness": 1.0}
    for word, floor in floors.items():
        yield from rows(
            f"measured/{word}",
            {
                YES: sorted({1.0, floor}),
                "quality.unknown": [None],
                f"quality.{word}": [floor - 0.01, 0.0, -1.0, NAN],
            },
        )
        yield from rows(
            f"measured/{word}", {YES: [None, 0.0]}, {f"contract/quality/{word}": None}
        )
    yield from rows(
        "measured/drift_psi",
        {YES: [None, 0.0, 0.2], "quality.drift": [0.21, 9.0, NAN, INF]},
    )
    # Once a profile was approved, a build that was not compared with it counts for no.
    yield from rows(
        "measured/has_baseline",
        {YES: [False, None], "quality.drift_unknown": [True]},
    )
    yield from rows(
        "measured/has_baseline", {YES: [True]}, {"contract/quality/drift_psi": None}
    )
    yield from rows("measured/build", {YES: ["build-1", "", None]})
    yield from rows(
        "measured/tests_failed",
        {YES: [0], "quality.unknown": [None], "quality.tests": [1, 9, -1]},
    )


def known_rows() -> Iterator[Row]:
    """Yield the rows of everything else that a domain knows."""
    yield from rows(
        "facts/caller",
        {
            YES: ["ml_coe"],
            "consumer.unknown": ["", None, "stranger", "ML_COE"],
            "consumer.mismatch": ["marketing_analytics"],
        },
    )
    yield from _clock_rows()
    yield from rows(
        "facts/policy_fingerprint",
        {YES: [CURRENT], "grant.policy_changed": [SHA, "", None]},
    )
    yield from rows("facts/product", {"product.missing": [None]})
    yield from rows("facts/grants", {"grant.missing": [[]]})
    yield from rows("facts/table", {"product.table_missing": [None]})
    yield from rows(
        "facts/table/amount",
        {
            YES: ["DECIMAL(12,2)", "NUMERIC(12, 2)"],
            "product.table_differs": [LEFT_OUT, "DOUBLE", "DECIMAL(12,3)", ""],
        },
    )
    yield from rows("facts/table/income", {"product.table_differs": ["DOUBLE"]})
    yield from _counted_rows()


def _clock_rows() -> Iterator[Row]:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    yield from rows(
        "facts/now",
        {
            YES: [noon, noon.replace(hour=13)],
            "clock.moved_back": [noon.replace(hour=11), noon.replace(year=2025)],
            "grant.expired": [
                datetime(2027, 2, 2, tzinfo=UTC),
                datetime(2036, 1, 1, tzinfo=UTC),
            ],
            "freshness.stale": [datetime(2027, 2, 1, 23, 59, tzinfo=UTC)],
            # A local time decides nothing.
            "internal.error": [datetime(2026, 11, 21, 12), None],  # noqa: DTZ001
        },
    )
    yield from rows(
        "facts/now",
        {"grant.not_yet_valid": [noon.replace(day=3)]},
        {"facts/clock_floor": None},
    )
    yield from rows(
        "facts/clock_floor",
        {
            YES: [noon, None],
            "clock.moved_back": [noon.replace(second=1), noon.replace(year=2030)],
        },
    )


def _counted_rows() -> Iterator[Row]:
    yield from rows(
        "facts/mesh_min_cohort", {YES: [0, 495], "cohort.too_small": [496, 10_000]}
    )
    yield from rows(
        "facts/mesh_min_cohort",
        {YES: [0], "cohort.too_small": [25]},
        {"contract/min_cohort": None, "facts/rows": 20},
    )
    yield from rows(
        "facts/filter_columns",
        {
            YES: [[], ["opt_out"], ["age", "amount"]],
            "filter.not_allowed": [None, ["income"], ["opt_out", "income"]],
        },
    )
    yield from rows(
        "facts/rows",
        {YES: [25, 495], WAITS: [None], "cohort.too_small": [24, 1, 0, -1]},
    )
    yield from rows(
        "facts/cohort_distance",
        {YES: [None, 0, 25], "cohort.too_close": [1, 24, -1]},
    )
    yield from rows(
        "facts/epsilon_spent",
        {
            YES: [0.0, 3.0],
            "budget.exceeded": [3.01, 4.0, NAN, INF, -1.0],
        },
        {
            "request/epsilon": 1.0,
            "request/delta": 1e-5,
            "grant/request/epsilon": 2.0,
        },
    )
    yield from rows("facts/epsilon_spent", {YES: [0.0, 99.0]})
    yield from rows("facts/manifest_fingerprint", {YES: [SHA, "", None]})
