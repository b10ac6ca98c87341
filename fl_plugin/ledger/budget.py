"""The privacy budget in whole billionths of epsilon, so that sums are exact.

Ten spends of 0.1 are then 1.0 and fit a limit of 1.0; as floats they need not.
"""

import math
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from fl_plugin.errors import LedgerError
from fl_plugin.ledger.record import timestamp

NANO = 10**9
_LARGEST = 1_000_000.0  # an epsilon that protects nobody; keeps sums inside 64 bits


@dataclass(frozen=True, kw_only=True)
class BudgetScope:
    """Whose spends are added up.

    Args:
        product: None adds up every product.
        since: Only spends at or after this time count; None counts all.
    """

    consumer: str
    purpose: str
    product: str | None = None
    since: datetime | None = None


def cost(epsilon: float) -> int:
    """Return billionths, rounded up.

    Raises:
        LedgerError: If epsilon is not above 0 and sensible.
    """
    if not epsilon > 0:
        raise LedgerError(
            "An epsilon to spend must be above 0.",
            remedy="Correct the study's privacy settings.",
        )
    return _billionths(epsilon, ROUND_CEILING)


def allowance(limit: float) -> int:
    """Return the billionths that a limit allows, rounded down."""
    return _billionths(limit, ROUND_FLOOR)


def spent(connection: sqlite3.Connection, scope: BudgetScope) -> int:
    """Return the billionths spent within a scope."""
    since = "" if scope.since is None else timestamp(scope.since)
    (total,) = connection.execute(
        "select coalesce(sum(nano), 0) from spend where consumer = ? and purpose = ?"
        " and (? is null or product = ?) and at >= ?",
        (scope.consumer, scope.purpose, scope.product, scope.product, since),
    ).fetchone()
    return int(total)


def _billionths(epsilon: float, rounding: str) -> int:
    if not (math.isfinite(epsilon) and 0 <= epsilon <= _LARGEST):
        raise LedgerError(
            f"An epsilon must lie between 0 and {_LARGEST:.0f}.",
            remedy="Correct the privacy settings of the study or the contract.",
        )
    # repr gives the number as it was written, not its binary neighbour.
    exact = Decimal(repr(float(epsilon))) * NANO
    return int(exact.to_integral_value(rounding=rounding))
