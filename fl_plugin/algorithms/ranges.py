"""Parameters of algorithms that must lie in a range."""

import math
from typing import Any

from fl_plugin.errors import ContractError

HIGHEST = 1e300


def require(
    algorithm: Any,
    name: str,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = HIGHEST,
) -> None:
    """Check a parameter's range.

    Raises:
        ContractError: It is out of its range, or not finite.
    """
    value = getattr(algorithm, name)
    if above < value <= most and value >= least:
        return
    words = f"above {above:g}" if above > -math.inf else f"at least {least:g}"
    words += f" and at most {most:g}" if most < HIGHEST else ""
    raise ContractError(
        f"{name} of {algorithm.name} must be {words}.",
        remedy="Correct the study's algorithm.",
    )
