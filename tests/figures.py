"""Figures that tests measure, told together at the end of a run.

A test that counts or times something takes the fixture `figure`; what it tells is
printed below the results, in `make test` as well. Parts of one figure that several
tests (or processes side by side) tell are added up, or the worst of them is kept.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

How = Literal["sum", "worst"]
_KEY = "figure"


@dataclass(frozen=True)
class _Told:
    name: str
    value: float
    unit: str
    how: How


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Tell a figure: `figure("random pairs equal to Cedar", 50_000)`."""

    def tell(
        name: str, value: float | np.number, unit: str = "", *, how: How = "sum"
    ) -> None:
        # A NumPy number cannot cross to the process that prints: a plain one can.
        plain = value.item() if isinstance(value, np.generic) else value
        request.node.user_properties.append((_KEY, [name, plain, unit, how]))

    return tell


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print every figure of the tests that passed, in the order of their names."""
    told = _merged(_told(terminalreporter.stats.get("passed", ())))
    if not told:
        return
    terminalreporter.section("figures")
    width = max(len(_shown(t)) for t in told)
    for one in told:
        terminalreporter.write_line(f"{_shown(one):>{width}}  {one.name}")


def _told(reports: Iterable[Any]) -> list[_Told]:
    return [
        _Told(*value)
        for report in reports
        if getattr(report, "when", "") == "call"
        for key, value in report.user_properties
        if key == _KEY
    ]


def _merged(told: Iterable[_Told]) -> list[_Told]:
    found: dict[str, _Told] = {}
    for one in told:
        before = found.get(one.name)
        value = one.value
        if before is not None:
            both = (before.value, value)
            value = sum(both) if one.how == "sum" else max(both)
        found[one.name] = _Told(one.name, value, one.unit, one.how)
    return [found[name] for name in sorted(found)]


def _shown(one: _Told) -> str:
    number = f"{one.value:,}" if isinstance(one.value, int) else f"{one.value:,.2f}"
    return f"{number} {one.unit}".rstrip()
