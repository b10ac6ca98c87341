"""A steward makes the newest profile the one that drift is measured against."""

from fl_plugin.errors import BuildError, PolicyError
from fl_plugin.ledger.profiles import KeptProfile, newest_profile
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.types import Product
from fl_plugin.party.domain import Domain
from fl_plugin.party.drift import read_profile
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.quality.measuring import entry_about


def approve(domain: Domain, product: Product, ledger: Ledger, steward: str) -> None:
    """Approve what was measured last of a product, on the record.

    Raises:
        BuildError: The build that stands there, or today's contract, was not measured.
        PolicyError: `profile.not_steward` or `profile.too_small`; on record as well.
    """
    with ledger.reading() as connection:
        newest = newest_profile(connection, product.name, product.version)
    if newest is None or not _is_current(domain, product, newest):
        raise BuildError(
            f"{product.name} was not measured since it was built, or since its "
            "contract changed.",
            remedy=f"Measure it: fl quality profile {product.name}",
        )
    entry = entry_about(product, newest, steward, approval=True)
    with ledger.transaction() as tx:
        tx.append(entry)
        _check(product, newest, steward)
        tx.approve_profile(newest)


def _is_current(domain: Domain, product: Product, newest: KeptProfile) -> bool:
    found = read_profile(newest)
    model = product.name.partition(".")[2]
    built = domain.database().measured(model, product.version)
    return (found.build, found.policy) == (built.build, policy_fingerprint(product))


def _check(product: Product, newest: KeptProfile, steward: str) -> None:
    stewards = {s.strip().casefold() for s in product.owner.stewards}
    if steward.strip().casefold() not in stewards:
        raise PolicyError(
            f"A profile of {product.name} is approved by a steward of its group only.",
            remedy=f"Ask one of: {', '.join(product.owner.stewards) or 'nobody yet'}.",
            reason="profile.not_steward",
            domain=product.domain,
        )
    found = read_profile(newest)
    if found.table.rows < found.min_cohort:
        raise PolicyError(
            f"{product.name} has too few rows to compare later builds with.",
            remedy="Approve a profile when there are more.",
            reason="profile.too_small",
            domain=product.domain,
        )
