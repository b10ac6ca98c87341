"""A product's table made of a few thousand rows, measured without dbt."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fl_plugin.manifest.contract import ColumnContract
from fl_plugin.manifest.types import Column, Product
from fl_plugin.party.drift import PrivateProfile
from fl_plugin.party.profiling import Crossing, TableProfile
from fl_plugin.quality.publishing import Measurement

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GROUPS = ("a", "b", "c", "d")


def column(name: str, **words: Any) -> Column:
    contract = {k: v for k, v in words.items() if k in ColumnContract.model_fields}
    return Column(
        name=name,
        description="",
        data_type=words.get("data_type", "varchar"),
        nullable=words.get("nullable", False),
        accepted_values=words.get("accepted_values"),
        contract=ColumnContract(**contract),
    )


@pytest.fixture(scope="session")
def fair_product(product_with) -> Callable[..., Product]:
    """Return a product with a label and a protected column, restricted or not."""

    def make(classification: str = "confidential", **contract: Any) -> Product:
        product: Product = product_with(contract=contract)
        return replace(
            product,
            columns={
                "sex": column(
                    "sex",
                    roles=("protected",),
                    classification=classification,
                    accepted_values=GROUPS,
                ),
                "is_bad": column(
                    "is_bad",
                    roles=("label",),
                    classification=classification,
                    data_type="boolean",
                ),
            },
        )

    return make


def crossing(cells: list[tuple[int, int]]) -> Crossing:
    """Return the crossing of these (without label, with label) rows by group."""
    whole = [*cells, (0, 0), (0, 0)]
    return Crossing(
        label="is_bad",
        protected="sex",
        groups=(*GROUPS[: len(cells)], "other", "missing"),
        negatives=tuple(n for n, _ in whole),
        positives=tuple(p for _, p in whole),
    )


def profile(**changes: Any) -> PrivateProfile:
    """Return a measurement in which every floor holds."""
    table = changes.pop("table", TableProfile(rows=500, columns={}))
    fields: dict[str, Any] = {
        "build": "build-1",
        "built_at": AT,
        "policy": "sha256:0a",
        "min_cohort": 25,
        "completeness": 1.0,
        "validity": 1.0,
        "uniqueness": 1.0,
        "tests_failed": 0,
        "table": table,
    }
    return PrivateProfile(**(fields | changes))


def measured(found: PrivateProfile, **changes: Any) -> Measurement:
    """Return a profile as the newest, published by its own figures."""
    fields: dict[str, Any] = {
        "newest": found,
        "measured_at": AT,
        "basis": found,
        "as_of": AT,
        "drift": {},
        "approved_at": None,
    }
    return Measurement(**(fields | changes))


@pytest.fixture(scope="session")
def made() -> Any:
    """Return the makers of this file, for tests that need several."""

    class Made:
        column = staticmethod(column)
        crossing = staticmethod(crossing)
        profile = staticmethod(profile)
        measured = staticmethod(measured)
        at = AT

    return Made
