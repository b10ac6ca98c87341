"""What an evaluation found: figures by name, and the tables behind them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fl_plugin.evaluation.calibration import CalibrationRow
from fl_plugin.evaluation.curves import Curves
from fl_plugin.evaluation.groups import GroupTable
from fl_plugin.evaluation.interval import Interval
from fl_plugin.evaluation.lift import RankedShare

__all__ = [
    "CalibrationRow",
    "ClassFigures",
    "Curves",
    "Figure",
    "GroupTable",
    "Interval",
    "Metrics",
    "RankedShare",
]

Figure = Interval | float | None


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """One class against the rest; None where a figure is undefined.

    `support` is how many rows are of the class, `roc_auc` a bracket for what the bins
    hide.
    """

    support: int
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: Interval | None


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """How well predictions fit the target; nothing in it is ever NaN.

    Args:
        kind: Of the target: "binary", "multiclass", "regression", "count" or "none".
        rows: That were judged.
        figures: By name; None where a figure is undefined. An `Interval` is a bracket
            that cannot be wrong for what a histogram's bins hide.
        intervals: By figure, the 95 % interval for what another sample would give.
        confusion: Rows by class (first index) and predicted class (second), in the
            order of the classes: of a binary target ((tn, fp), (fn, tp)).
        curves: Of a binary target.
        calibration: What was predicted beside what came.
        ranking: Of a binary target, how much the highest scores hold.
        classes: Of several classes, each against the rest.
        groups: One table for each protected column, in the order of the spec's
            `group_sizes`.
    """

    kind: str
    rows: int
    figures: Mapping[str, Figure]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    confusion: tuple[tuple[int, ...], ...] = ()
    curves: Curves = field(default_factory=Curves)
    calibration: tuple[CalibrationRow, ...] = ()
    ranking: tuple[RankedShare, ...] = ()
    classes: tuple[ClassFigures, ...] = ()
    groups: tuple[GroupTable, ...] = ()

    def value(self, name: str) -> float | None:
        """Return a figure as one number; None where it is undefined or not there."""
        found = self.figures.get(name)
        return found.value if isinstance(found, Interval) else found

    def values(self) -> dict[str, float | None]:
        """Return every figure as one number."""
        return {name: self.value(name) for name in self.figures}

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists, numbers and None, unrounded."""
        plain: dict[str, Any] = _listed(asdict(self))
        return plain


def known(**intervals: Interval | None) -> dict[str, Interval]:
    """Return those intervals that are defined."""
    return {name: found for name, found in intervals.items() if found is not None}


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(entry) for entry in value]
    return value
