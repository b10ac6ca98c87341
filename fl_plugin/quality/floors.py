"""Which floors of its contract a product misses, and since which build."""

from collections.abc import Mapping
from datetime import datetime

from fl_plugin.manifest.types import Product
from fl_plugin.party.drift import PrivateProfile
from fl_plugin.policy.rules.s07_quality import Floor, broken_floors
from fl_plugin.policy.types import Measured


def broken_since(
    product: Product,
    profile: PrivateProfile,
    drift: Mapping[str, float],
    known: Mapping[Floor, datetime],
) -> dict[Floor, datetime]:
    """Return each broken floor with the first of the builds that miss it in a row.

    Args:
        product: Its contract as it is today.
        profile: What was measured.
        drift: By column, since the approved profile.
        known: The same of the measurement before.
    """
    measured = Measured(
        completeness=profile.completeness,
        validity=profile.validity,
        uniqueness=profile.uniqueness,
        drift_psi=max(drift.values(), default=None),
    )
    words: list[Floor] = list(broken_floors(product.contract.quality, measured))
    if profile.tests_failed:
        words.append("tests")
    return {word: known.get(word, profile.built_at) for word in words}
