"""What the report says of the importance of features."""

import dataclasses
import re

from fl_plugin.registry.run_record import Importance
from fl_plugin.report.html import report_of
from fl_plugin.report.inside import SHOWN, importance_plot
from fl_plugin.report.tables import importance_rows
from fl_plugin.report.wording import NOTHING


def many(of_kind, kind="multiclass", count=25, sd=0.01):
    found = tuple(
        Importance(name=f"column {i}", value=0.5 - 0.03 * i, sd=sd)
        for i in reversed(range(count))
    )
    return dataclasses.replace(of_kind[kind], importances=found)


def test_the_table_holds_every_column_the_greatest_first(of_kind):
    run = many(of_kind)
    rows = importance_rows(run)
    assert [row.name for row in rows] == [f"column {i}" for i in range(25)]
    assert (rows[0].value, rows[0].spread) == ("0.5", "0.01")
    assert rows[-1].value == "\N{MINUS SIGN}0.22"
    page = report_of(run)
    table = page[page.index("All importances") :]
    assert re.findall(r"<td>(column \d+)</td>", table) == [r.name for r in rows]


def test_the_figure_holds_the_greatest_and_says_of_how_many(of_kind):
    plot = importance_plot(many(of_kind))
    assert plot is not None
    assert f"The {SHOWN} of 25 columns" in plot.caption
    assert "column 17" in plot.svg
    assert "column 18" not in plot.svg
    few = importance_plot(many(of_kind, count=3))
    assert few is not None
    assert "of 3 columns" not in few.caption


def test_it_says_which_way_is_worse(of_kind):
    for kind, words in (("binary", "drop of"), ("regression", "rise of")):
        plot = importance_plot(many(of_kind, kind))
        assert plot is not None
        assert words in plot.svg


def test_one_repeat_spans_nothing(of_kind):
    run = many(of_kind, sd=None)
    plot = importance_plot(run)
    assert plot is not None
    assert "standard deviation" not in plot.caption
    assert {row.spread for row in importance_rows(run)} == {NOTHING}


def test_it_says_that_values_stay_in_their_domain(of_kind):
    plot = importance_plot(many(of_kind))
    assert plot is not None
    assert "within each domain" in plot.caption


def test_where_there_are_none_nothing_is_said(of_kind):
    run = dataclasses.replace(of_kind["binary"], importances=())
    assert importance_plot(run) is None
    assert "All importances" not in report_of(run)
