"""What the report of a vertical run says where a horizontal one says something else."""

import dataclasses

import pytest

from fl_plugin.registry import run_record as rec
from fl_plugin.registry.run_vertical import Matched, RankedFigure, Ranking, Vertical
from fl_plugin.report.card import card_of
from fl_plugin.report.html import report_of

VERTICAL = Vertical(
    label_domain="auto_finance",
    labels="protected",
    matched=Matched(
        key="row_id", how="private", normalise="text", rows="500 to 1,000", lost={}
    ),
    columns={"auto_finance": 2},
    parts={},
    figures={
        "coordinator": {"bytes_up_per_domain_and_epoch": 3.9e6, "raw_tables_moved": 8.0}
    },
    moved=3.0,
)


def left(kind: str, form: rec.Form) -> rec.LeftDomain:
    return rec.LeftDomain(
        domain="auto_finance", kind=kind, what="keys", form=form, bytes=9, rounds=1
    )


@pytest.fixture
def vertical(run):
    return dataclasses.replace(
        run,
        vertical=VERTICAL,
        cross_validation=None,
        certificate=None,
        left_domain=(left("match", "sealed"), left("turn", "activation")),
        evaluation={"holdout": 0.3, "holdout_by": "hash"},
        algorithm=dataclasses.replace(run.algorithm, parameters={"bottom_layers": ""}),
    )


def looked_up(run: rec.RunRecord) -> rec.RunRecord:
    return dataclasses.replace(
        run,
        left_domain=(*run.left_domain, left("expand", "sealed")),
        evaluation={"holdout": 0.2, "holdout_by": "last", "group": "customer_id"},
    )


def test_nothing_of_folds_or_of_masks_is_told(vertical):
    page = report_of(vertical)
    assert "out of fold" not in page
    assert "Hold-out rows of all domains" not in page
    assert "Matched rows held out" in page
    assert "encrypted shares" not in page


def test_bytes_are_told_as_bytes_and_what_moved_is_told_once(vertical):
    page = report_of(vertical)
    assert "3.9 MB" in page
    assert "raw tables moved" not in page
    assert "3.0 times the bytes of the matched columns" in page


def test_an_empty_option_is_shown_as_one(vertical):
    assert "bottom_layers = &#34;&#34;" in report_of(vertical)
    assert '""' in card_of(vertical)


def test_nobody_holds_the_whole_model(vertical):
    page = report_of(vertical)
    assert "The model is exact" not in page
    assert "holds a domain&#39;s part" in page


def test_rows_that_look_theirs_up_are_not_said_to_be_in_all_domains(vertical):
    assert "rows are in all of them" in report_of(vertical)
    page = report_of(looked_up(vertical))
    assert "rows are in all of them" not in page
    assert "500 to 1,000 rows of Auto finance have a row in each" in page
    assert "how often each comes" in page
    assert "nor which of its own rows another has" not in page


def test_rows_held_out_last_are_not_said_to_be_a_share(vertical):
    assert "30 % of the matched rows" in report_of(vertical)
    page = report_of(looked_up(vertical))
    assert "the last ones of each customer_id" in page
    assert "20 % of the matched rows" not in page


def test_figures_of_ranks_stand_in_the_order_of_their_depth(vertical):
    figure = RankedFigure(value=0.5, low=0.4, high=0.6)
    way = dict.fromkeys(("ndcg_at_10", "hr_at_10", "hr_at_5"), figure)
    ranking = Ranking(
        users="500 to 1,000", candidates=100, figures={"federated": way}, above={}
    )
    told = dataclasses.replace(VERTICAL, ranking=ranking)
    page = report_of(dataclasses.replace(vertical, vertical=told))
    places = [page.index(name) for name in ("rate at 5", "rate at 10", "NDCG at 10")]
    assert places == sorted(places)
