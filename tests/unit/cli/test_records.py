"""A run's record as tables; a vertical run has words of its own."""

import dataclasses

import pytest

from fl_plugin.cli.records import domains_table, metrics_table, traffic_table
from fl_plugin.registry import run_record as rec
from fl_plugin.registry.record_json import record_from_json
from tests.unit.cli.conftest import SAMPLE

MATCHED = rec.Matched(
    key="id", how="private", normalise="text", rows="about 500", lost={}
)
VERTICAL = rec.Vertical(
    label_domain="bank",
    labels="protected",
    matched=MATCHED,
    columns={"bank": 2},
    parts={},
    figures={},
    moved=None,
)
LEFT: tuple[tuple[str, rec.Form, int], ...] = (
    ("open", "number", 5),
    ("match", "sealed", 300),
    ("turn", "activation", 600),
)


@pytest.fixture(scope="module")
def run():
    return record_from_json(SAMPLE.read_bytes())


@pytest.fixture(scope="module")
def vertical(run):
    traffic = rec.Traffic(up=1000, down=0, messages=8)
    return dataclasses.replace(
        run,
        vertical=VERTICAL,
        cross_validation=None,
        bytes=rec.TrafficRecord(up=1000, down=0, messages=8, domains={"bank": traffic}),
        left_domain=tuple(
            rec.LeftDomain(
                domain="bank", kind=kind, what="", form=form, bytes=size, rounds=1
            )
            for kind, form, size in LEFT
        ),
    )


def cells(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_bytes_of_matched_rows_are_told_by_their_form(vertical):
    (row,) = cells(traffic_table(vertical))
    assert "masked sums" not in row
    assert (row["sealed"], row["activations"]) == (300, 600)
    assert (row["in the clear"], row["decisions, keys"], row["in all"]) == (5, 95, 1000)


def test_bytes_of_sums_are_told_by_their_form(run):
    for row in cells(traffic_table(run)):
        told = row["masked sums"] + row["in the clear"] + row["decisions, keys"]
        assert told == row["in all"]
        assert row["masked sums"] > row["in the clear"] > 0


def test_a_run_without_folds_has_no_columns_of_folds(run, vertical):
    assert "cv mean" in cells(metrics_table(run))[0]
    assert list(cells(metrics_table(vertical))[0])[:4] == [
        "metric",
        "hold-out",
        "low",
        "high",
    ]
    assert "cv mean" not in cells(metrics_table(vertical))[0]


def test_only_the_labels_domain_judges_a_vertical_model(run, vertical):
    assert "in each domain" in domains_table(run).title
    assert "at the label's domain" in domains_table(vertical).title
