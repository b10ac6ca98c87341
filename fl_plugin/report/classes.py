"""Tables of a classifier: the confusion matrix as a heat table, classes, shares."""

from dataclasses import dataclass

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.report.wording import category, count, figure, percent

# Beyond so many classes a matrix is no longer read; the classes' own table is.
MOST_CLASSES = 24


@dataclass(frozen=True)
class HeatCell:
    """One cell: how many rows, and how strongly it is coloured."""

    count: str
    share: str
    strength: str
    colour: str
    alt: str


@dataclass(frozen=True)
class HeatRow:
    """The rows of one class, by what was said of them."""

    name: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True)
class ClassRow:
    """One class against the rest."""

    name: str
    rows: str
    precision: str
    recall: str
    f1: str
    roc_auc: str


@dataclass(frozen=True)
class RankedRow:
    """What the highest scores hold."""

    share: str
    precision: str
    lift: str
    gain: str


def heat_rows(run: RunRecord) -> tuple[HeatRow, ...]:
    """Return the confusion matrix; () of a binary target, or of too many classes."""
    matrix = run.confusion_matrix
    wide = not 2 < len(matrix) <= MOST_CLASSES  # noqa: PLR2004 - two have a table
    if wide or len(run.classes) != len(matrix):
        return ()
    names = [category(c) for c in run.classes]
    return tuple(
        HeatRow(name, tuple(_cell(line, i, j, names) for j in range(len(line))))
        for i, (name, line) in enumerate(zip(names, matrix, strict=True))
    )


def _cell(line: tuple[int, ...], i: int, j: int, names: list[str]) -> HeatCell:
    share = line[j] / sum(line) if sum(line) else 0.0
    return HeatCell(
        count(line[j]),
        percent(share),
        f"{0.6 * share**0.7:.3f}",
        "good" if i == j else "bad",
        f"{names[i]} called {names[j]}",
    )


def class_rows(run: RunRecord) -> tuple[ClassRow, ...]:
    """Return each class's figures."""
    return tuple(
        ClassRow(
            category(c.name),
            count(c.support),
            figure(c.precision),
            figure(c.recall),
            figure(c.f1),
            figure(c.roc_auc.value if c.roc_auc else None),
        )
        for c in run.class_results
    )


def ranking_rows(run: RunRecord) -> tuple[RankedRow, ...]:
    """Return what the highest scores hold, by share of the rows."""
    return tuple(
        RankedRow(
            percent(row.share),
            percent(row.precision.value),
            f"{figure(row.lift.value, 2)} times",
            percent(row.gain.value),
        )
        for row in run.ranking
    )
