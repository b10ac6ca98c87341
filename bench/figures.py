"""Figures with bars, and how they are printed."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number.

    Args:
        name: What was measured, with its unit.
        value: The number.
        most: The bar, where the number must not be above it.
        least: The bar, where the number must not be below it.
    """

    name: str
    value: float
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool:
        """Whether the number keeps its bar; NaN keeps none."""
        above = self.least is None or self.value >= self.least
        below = self.most is None or self.value <= self.most
        return above and below

    @property
    def bar(self) -> str:
        """The bar in words; empty where there is none."""
        if self.most is not None:
            return f"at most {self.most:g}"
        return "" if self.least is None else f"at least {self.least:g}"


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser that every bench starts from."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", action="store_true", help="print one JSON object")
    return made


def finish(title: str, figures: Sequence[Figure], *, as_json: bool = False) -> int:
    """Print the figures and return the exit code: 1 where a bar is missed."""
    missed = [f for f in figures if not f.met]
    if as_json:
        rows = [asdict(f) | {"met": f.met} for f in figures]
        print(json.dumps({"title": title, "figures": rows}, indent=2))
    else:
        print("\n".join(_lines(title, figures)))
    return 1 if missed else 0


def _lines(title: str, figures: Sequence[Figure]) -> list[str]:
    wide = max(len(f.name) for f in figures)
    lines = ["", title, "-" * len(title)]
    for figure in figures:
        verdict = ("met" if figure.met else "MISSED") if figure.bar else ""
        cells = f"{figure.name:<{wide}}  {_number(figure.value):>12}"
        lines.append(f"{cells}  {figure.bar:<16} {verdict}".rstrip())
    return lines


def _number(value: float) -> str:
    if float(value).is_integer() and abs(value) < 1e9:  # noqa: PLR2004
        return f"{int(value):,}"
    return f"{value:.2e}" if 0 < abs(value) < 1e-3 else f"{value:.4f}"  # noqa: PLR2004
