"""Measures a domain's products after a build, and keeps what was found.

The ledger gets the counts, with an audit record; `target/quality.json` gets what may
be known outside. Both say which build they are about.
"""

from datetime import datetime

from fl_plugin.errors import BuildError
from fl_plugin.ledger.buckets import rows_bucket
from fl_plugin.ledger.cohorts import Cohort, rows_apart
from fl_plugin.ledger.profiles import (
    APPROVED,
    MEASURED,
    KeptProfile,
    approved_profile,
    newest_profile,
    profile_at,
)
from fl_plugin.ledger.record import AuditEntry
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.types import Product
from fl_plugin.party.database import Database
from fl_plugin.party.domain import Domain
from fl_plugin.party.drift import PrivateProfile, drift_since, read_profile
from fl_plugin.party.histograms import Histogram, stability
from fl_plugin.party.profiling import TableProfile, profile_table
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.people import cohort_floor
from fl_plugin.policy.types import Measured
from fl_plugin.quality.floors import broken_since
from fl_plugin.quality.publishing import Measurement


def measure(domain: Domain, product: Product, ledger: Ledger, actor: str) -> None:
    """Count a product's rows and keep what was counted in the domain's ledger.

    Raises:
        BuildError: It is not built, or was built again meanwhile.
        ContractError: Its row filter is not allowed.
        StorageError: Its database or the ledger cannot be read or written.
    """
    database, floor = domain.database(), _floor(domain, product)
    built = _built(database, product)
    with ledger.reading() as connection:
        approved = approved_profile(connection, product.name, product.version)
    before = read_profile(approved).table.columns if approved else None
    table, hashes = profile_table(database, product, min_cohort=floor, baseline=before)
    if _built(database, product) != built:
        raise BuildError(
            f"{product.name} was built again while it was measured.",
            remedy=f"Measure it again: fl quality profile {product.name}",
        )
    found = _profile(product, built, table, floor)
    if approved is not None:
        drift = _drift(before or {}, table, floor)
        found = found.model_copy(update={"approved": approved.sequence, "drift": drift})
    _keep(product, found, Cohort.of(hashes), ledger, actor)


def measurement(product: Product, ledger: Ledger) -> Measurement | None:
    """Return what the ledger holds of a product; None before the first measurement.

    Raises:
        LedgerError: It was altered.
    """
    with ledger.reading() as connection:
        newest = newest_profile(connection, product.name, product.version)
        approved = approved_profile(connection, product.name, product.version)
        if newest is None:
            return None
        basis = profile_at(connection, newest.basis) if newest.basis else newest
    drift = drift_since(approved, newest) if approved else None
    return Measurement(
        newest=read_profile(newest),
        measured_at=datetime.fromisoformat(newest.at),
        basis=read_profile(basis),
        as_of=datetime.fromisoformat(basis.at),
        drift=dict(drift or {}),
        approved_at=datetime.fromisoformat(approved.at) if approved else None,
    )


def entry_about(
    product: Product, profile: KeptProfile, actor: str, *, approval: bool = False
) -> AuditEntry:
    """Return the audit entry of a measurement, or of its approval."""
    found = read_profile(profile)
    return AuditEntry(
        action=APPROVED if approval else MEASURED,
        decision="allowed",
        consumer=product.domain,
        actor=actor,
        purpose="quality",
        study="",
        run=found.build,
        product=product.name,
        version=product.version,
        columns=tuple(sorted(found.table.columns)),
        rows_bucket=rows_bucket(found.table.rows, min_cohort=found.min_cohort),
        policy=found.policy,
        released=profile.digest,
    )


def _floor(domain: Domain, product: Product) -> int:
    return cohort_floor(product, domain.vocabulary().floors.min_cohort)


def _built(database: Database, product: Product) -> Measured:
    model = product.name.partition(".")[2]
    found = database.measured(model, product.version)
    if found.built_at is None:
        raise BuildError(
            f"{product.name} is not built, or its build measured nothing.",
            remedy=f"Build it: cd domains/{product.domain} && dbt build",
        )
    return found


def _profile(
    product: Product, built: Measured, table: TableProfile, floor: int
) -> PrivateProfile:
    return PrivateProfile(
        build=built.build,
        built_at=built.built_at,  # type: ignore[arg-type] # `_built` insists
        policy=policy_fingerprint(product),
        min_cohort=floor,
        completeness=built.completeness,
        validity=built.validity,
        uniqueness=built.uniqueness,
        tests_failed=built.tests_failed,
        table=table,
    )


def _drift(
    before: dict[str, Histogram], table: TableProfile, floor: int
) -> dict[str, float]:
    found = {
        name: stability(before[name].counts, counts, floor)
        for name, counts in table.against.items()
    }
    return {name: index for name, index in found.items() if index is not None}


def _keep(
    product: Product, found: PrivateProfile, rows: Cohort, ledger: Ledger, actor: str
) -> None:
    with ledger.transaction() as tx:
        with ledger.reading() as connection:
            last = newest_profile(connection, product.name, product.version)
            basis = _basis(last, found, rows, ledger)
        body = _dated(product, found, last).model_dump_json()
        profile = KeptProfile(body=body, rows=rows, basis=basis)
        tx.append(entry_about(product, profile, actor))
        tx.keep_profile(profile)


def _basis(
    last: KeptProfile | None, found: PrivateProfile, rows: Cohort, ledger: Ledger
) -> int:
    """Return the profile whose figures about people stay published; 0 for a new one.

    A changed contract is looked at by stewards and starts anew; changed rows count
    only when there are as many as make a cohort.
    """
    if last is None:
        return 0
    with ledger.reading() as connection:
        basis = profile_at(connection, last.basis) if last.basis else last
    before = read_profile(basis)
    if (before.policy, before.min_cohort) != (found.policy, found.min_cohort):
        return 0
    old, new = basis.rows.hashes, rows.hashes
    # A row that was changed is one that went and one that came.
    same = (old.size + new.size - rows_apart(old, new)) // 2
    changed = max(old.size, new.size) - same
    return basis.sequence if changed < found.min_cohort else 0


def _dated(
    product: Product, found: PrivateProfile, last: KeptProfile | None
) -> PrivateProfile:
    known = read_profile(last).broken if last else {}
    broken = broken_since(product, found, found.drift, known)
    return found.model_copy(update={"broken": broken})
