"""Write dp_accounting.csv: 200 settings as Google's PLD accountant composes them.

dp-accounting pins an attrs that our lock does not, so it is no dependency, not even of
the tests. In an environment of its own:

    pip install dp-accounting mpmath
    python tests/golden/write_dp_accounting.py

`google` is the accountant's pessimistic estimate, `exact` the closed form of Balle &
Wang (2018) in 60 digits.
"""

import csv
import random
from pathlib import Path
from typing import Any

from dp_accounting import GaussianDpEvent  # type: ignore[import-not-found]
from dp_accounting.pld import PLDAccountant  # type: ignore[import-not-found]
from mpmath import exp, findroot, mp, mpf, ncdf, sqrt  # type: ignore[import-not-found]

FOUND = Path(__file__).with_name("dp_accounting.csv")
SETTINGS = 200
INTERVAL = 1e-4  # of the privacy loss


def main() -> None:
    """Compose random Gaussian mechanisms until there are enough."""
    mp.dps = 60
    draw = random.Random(4)  # noqa: S311 - settings, not secrets
    rows: list[tuple[str, str, str, str]] = []
    while len(rows) < SETTINGS:
        events = [
            (
                round(10 ** draw.uniform(-0.3, 2.2), 4),
                draw.choice([1, 2, 5, 10, 50, 200]),
            )
            for _ in range(draw.choice([1, 1, 2, 3]))
        ]
        delta = 10.0 ** -draw.choice([3, 4, 5, 6, 7, 8, 9, 10])
        mu = sqrt(sum(count / mpf(sigma) ** 2 for sigma, count in events))
        if not 0.02 < mu < 1.4:
            continue
        accountant = PLDAccountant(value_discretization_interval=INTERVAL)
        for sigma, count in events:
            accountant.compose(GaussianDpEvent(sigma), count)
        google = accountant.get_epsilon(delta)
        exact = _exact(mu, mpf(delta), google)
        told = ";".join(f"{sigma}x{count}" for sigma, count in events)
        rows.append((told, repr(delta), repr(google), mp.nstr(exact, 20)))
    with FOUND.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("events", "delta", "google", "exact"), *rows])


def _exact(mu: Any, delta: Any, near: float) -> Any:
    def over(epsilon: Any) -> Any:
        first = ncdf(mu / 2 - epsilon / mu)
        return first - exp(epsilon) * ncdf(-mu / 2 - epsilon / mu) - delta

    return mpf(0) if over(mpf(0)) <= 0 else findroot(over, mpf(near) + mpf("1e-6"))


if __name__ == "__main__":
    main()
