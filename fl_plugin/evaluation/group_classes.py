"""Group fairness of a classifier: how often each group is chosen, and how rightly.

`selection_rate` is the share of a group that is predicted positive, `positive_rate`
the share that is positive, `calibration_gap` the mean score less that share. Over
groups: demographic parity (difference and ratio of selection rates) and equalised
odds (Hardt et al., 2016: the greater difference of true and false positive rates),
defined as fairlearn defines them. With several classes each is taken against the
rest, and the worst class counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.evaluation.groups import (
    Codes,
    Counts,
    GroupRow,
    GroupTable,
    Mask,
    hidden,
    kept,
    least_over_greatest,
    spread_of,
)
from fl_plugin.evaluation.interval import Interval, ratio, wilson_interval
from fl_plugin.summand import Floats

ACTUAL, PREDICTED, CORRECT = range(3)
Rates = Mapping[str, float | None]

_ODDS = ("true_positive_rate", "false_positive_rate")


def class_counts(
    slot: Codes, size: int, actual: Codes, predicted: Codes, classes: int
) -> Counts:
    """Count a protected column's rows: (groups, 3, classes).

    For each class the rows that are of it, are predicted to be, and are both.
    """
    right = actual == predicted
    cells = (size + 1) * classes

    def counted(codes: Codes, place: Codes) -> Counts:
        found = np.bincount(place * classes + codes, minlength=cells)
        return found.reshape(size + 1, classes)

    return np.stack(
        [
            counted(actual, slot),
            counted(predicted, slot),
            counted(actual[right], slot[right]),
        ],
        axis=1,
    )


@dataclass(frozen=True)
class _Group:
    """One group's counts (3, classes), and what of it may be shown."""

    counts: Counts
    score: float | None
    known: bool  # that it is there
    labelled: bool  # how many of it are of which class

    @property
    def rows(self) -> int:
        return int(self.counts[ACTUAL].sum())

    def rates(self, k: int) -> dict[str, float | None]:
        """Return the figures of class k against the rest."""
        found = dict.fromkeys(("selection_rate", *_ODDS, "positive_rate"))
        return found | {n: ratio(*pair) for n, pair in self.shares(k).items()}

    def shares(self, k: int) -> dict[str, tuple[int, int]]:
        """Return part and whole of each rate that may be shown."""
        actual, predicted, correct = (int(c) for c in self.counts[:, k])
        found = {"selection_rate": (predicted, self.rows)} if self.known else {}
        if self.labelled:
            found["true_positive_rate"] = (correct, actual)
            found["false_positive_rate"] = (predicted - correct, self.rows - actual)
            found["positive_rate"] = (actual, self.rows)
        return found

    def intervals(self, k: int) -> dict[str, Interval]:
        found = {n: wilson_interval(*pair) for n, pair in self.shares(k).items()}
        return {name: i for name, i in found.items() if i is not None}


def binary_table(counts: Counts, scores: Floats, min_cell: int) -> GroupTable:
    """Return one protected column's table for a binary target.

    Args:
        counts: (groups, 3, 2), unknown groups last.
        scores: (groups,), the sum of each group's scores.
        min_cell: What rests on fewer rows is suppressed.
    """
    groups = _groups(counts, scores, min_cell)
    total = int(counts[:, ACTUAL].sum())
    rows = tuple(
        GroupRow(
            share=ratio(g.rows, total) if g.known else None,
            figures=g.rates(1) | {"calibration_gap": _gap(g)},
            intervals=g.intervals(1),
        )
        for g in groups
    )
    unknown = len(groups) == len(counts)
    compared = [row.figures for row in rows[: len(counts) - 1]]
    return GroupTable(rows=rows, figures=_parity([compared]), unknown=unknown)


def multiclass_table(counts: Counts, min_cell: int) -> GroupTable:
    """Return one protected column's table for several classes: (groups, 3, classes)."""
    groups = _groups(counts, None, min_cell)
    total = int(counts[:, ACTUAL].sum())
    classes = counts.shape[2]
    rows = []
    for g in groups:
        by_class = tuple(g.rates(k) for k in range(classes))
        recalls = [rates["true_positive_rate"] for rates in by_class]
        right = int(g.counts[CORRECT].sum())
        rows.append(
            GroupRow(
                share=ratio(g.rows, total) if g.known else None,
                figures={
                    "accuracy": ratio(right, g.rows) if g.known else None,
                    "balanced_accuracy": _mean(recalls),
                },
                intervals=_accuracy_interval(g, right),
                classes=by_class,
            )
        )
    known = rows[: len(counts) - 1]
    figures = _parity([[row.classes[k] for row in known] for k in range(classes)])
    accuracies = [row.figures["accuracy"] for row in known]
    return GroupTable(
        rows=tuple(rows),
        figures={**figures, "accuracy_difference": spread_of(accuracies)},
        unknown=len(groups) == len(counts),
    )


def possible(counts: Counts) -> bool:
    """Return whether some rows have these counts (groups, 3, classes)."""
    actual, predicted, correct = counts[:, ACTUAL], counts[:, PREDICTED], counts[:, -1]
    same = (actual.sum(axis=1) == predicted.sum(axis=1)).all()
    return bool(same and (correct <= np.minimum(actual, predicted)).all())


def _groups(counts: Counts, scores: Floats | None, min_cell: int) -> list[_Group]:
    actual = counts[:, ACTUAL]
    there = kept(actual.sum(axis=1))
    counts, actual = counts[:there], actual[:there]
    by_rows: Mask = hidden(actual.sum(axis=1, keepdims=True), min_cell)
    by_label = hidden(actual, min_cell, by_rows)
    return [
        _Group(
            counts[i],
            None if scores is None else float(scores[i]),
            known=not by_rows[i],
            labelled=not by_label[i],
        )
        for i in range(there)
    ]


def _gap(group: _Group) -> float | None:
    if not group.labelled or group.score is None or not group.rows:
        return None
    return (group.score - int(group.counts[ACTUAL, 1])) / group.rows


def _accuracy_interval(group: _Group, right: int) -> dict[str, Interval]:
    found = wilson_interval(right, group.rows) if group.known else None
    return {} if found is None else {"accuracy": found}


def _parity(by_class: Sequence[Sequence[Rates]]) -> dict[str, float | None]:
    """Return the differences between groups, of the worst class."""
    selection = [[g["selection_rate"] for g in groups] for groups in by_class]
    odds = [
        spread_of([g[name] for g in groups]) for groups in by_class for name in _ODDS
    ]
    return {
        "demographic_parity_difference": _most([spread_of(s) for s in selection]),
        "demographic_parity_ratio": _least([least_over_greatest(s) for s in selection]),
        "equalised_odds_difference": _most(odds),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _most(values: Sequence[float | None]) -> float | None:
    return max((v for v in values if v is not None), default=None)


def _least(values: Sequence[float | None]) -> float | None:
    return min((v for v in values if v is not None), default=None)
