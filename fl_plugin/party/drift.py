"""What the domain keeps of a measurement, and the drift that a decision looks at."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import Field, ValidationError

from fl_plugin.errors import LedgerError
from fl_plugin.ledger.profiles import KeptProfile, approved_profile, newest_profile
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.types import Product
from fl_plugin.manifest.words import ColumnName
from fl_plugin.party.profiling import TableProfile
from fl_plugin.policy.rules.s07_quality import Floor
from fl_plugin.policy.types import Measured


class PrivateProfile(ContractBlock):
    """One measurement of a product, as it stands in the domain's ledger.

    Args:
        build: dbt's name of the build that was measured.
        policy: Fingerprint of the contract that was measured by.
        min_cohort: The fewest rows that could be spoken about then.
        table: What was counted.
        approved: Audit record of the profile that drift was measured against; None
            where none was approved.
        drift: Population stability index by column.
        broken: Since when each broken floor is, by its name.
    """

    format: Literal[1] = 1
    build: str
    built_at: datetime
    policy: str
    min_cohort: int
    completeness: float | None = None
    validity: float | None = None
    uniqueness: float | None = None
    tests_failed: int | None = None
    table: TableProfile
    approved: int | None = None
    drift: dict[ColumnName, float] = Field(default_factory=dict)
    broken: dict[Floor, datetime] = Field(default_factory=dict)


def read_profile(kept: KeptProfile) -> PrivateProfile:
    """Return what a kept profile says.

    Raises:
        LedgerError: This program does not understand it.
    """
    try:
        return PrivateProfile.model_validate_json(kept.body)
    except ValidationError:
        raise LedgerError(
            "A profile in the ledger is not one that this program understands.",
            remedy="Measure again: fl quality profile",
        ) from None


def with_drift(measured: Measured, product: Product, ledger: Ledger) -> Measured:
    """Add the drift of this very build to what the build has measured.

    Raises:
        LedgerError: What was kept of it was altered.
    """
    with ledger.reading() as connection:
        approved = approved_profile(connection, product.name, product.version)
        newest = newest_profile(connection, product.name, product.version)
    if approved is None or newest is None:
        return measured
    current = read_profile(newest).build == measured.build
    drift = drift_since(approved, newest) if current else None
    worst = max(drift.values(), default=None) if drift is not None else None
    return replace(measured, has_baseline=True, drift_psi=worst)


def drift_since(
    approved: KeptProfile, newest: KeptProfile
) -> Mapping[str, float] | None:
    """Return the drift by column.

    Returns:
        None where it was measured against another profile, or where a column that
        both have could not be compared: what is not known must not pass as stable.
    """
    found = read_profile(newest)
    if newest.sequence == approved.sequence:
        return dict.fromkeys(found.table.columns, 0.0)
    both = set(found.table.columns) & set(read_profile(approved).table.columns)
    if found.approved != approved.sequence or not both <= set(found.drift):
        return None
    return found.drift
