"""Boosting over columns of several parties grows the trees of the joined columns."""

import numpy as np
import pytest

from fl_plugin.algorithms.base import Block, DesignColumn, Target
from fl_plugin.errors import ContractError, TrainingError
from fl_plugin.manifest.study_match import MatchPlan
from fl_plugin.manifest.uses import RELEASE_BINS
from fl_plugin.plan.vertical import _uses
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.installed import find_vertical
from fl_plugin.vertical.vertical_boosting import VerticalBoosting
from tests.unit.vertical.boosted import (
    FEW_ROWS,
    LABEL,
    OPTIONS,
    fitted,
    made,
    pooled_trees,
    predictions,
    trees,
)
from tests.vertical import fit_over, score_over, sides

KINDS = ("binary", "multiclass", "regression", "count")


def scored(rows, reference, fit, **options):
    scoring = rows.sides(reference, labelled=False)
    return score_over(VerticalBoosting(**options), rows.task(), scoring, fit)


@pytest.mark.parametrize("growth", ["exact", "ahead"])
@pytest.mark.parametrize("kind", KINDS)
def test_strict_trees_are_those_of_the_joined_columns(kind, growth):
    rows = made(kind)
    reference = rows.pooled()
    fit = fitted(rows, reference, growth=growth)
    assert trees(rows, fit) == pooled_trees(reference)
    found = scored(rows, reference, fit, growth=growth)
    np.testing.assert_allclose(found, predictions(rows, reference), atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_released_bins_give_the_predictions_of_the_joined_columns(kind):
    rows = made(kind)
    reference = rows.pooled(max_bins=16)  # every bin has twenty rows then
    fit = fitted(rows, reference, mode="bins", max_bins=16)
    found = scored(rows, reference, fit, mode="bins")
    np.testing.assert_allclose(found, predictions(rows, reference), atol=1e-9)


def test_released_bins_without_categories_give_the_same_trees():
    rows = made()
    at = {"bank": (0, 1), "shop": (2,), "telco": (4, 5)}
    rows = type(rows)(rows.x, rows.y, rows.target, at, (False,) * 6)
    rows.x[:, 3] = 0.0  # nobody's
    reference = rows.pooled(max_bins=16)
    fit = fitted(rows, reference, mode="bins", max_bins=16)
    assert trees(rows, fit) == pooled_trees(reference)


def test_penalties_depth_and_leaf_size_are_scikit_learns():
    rows = made()
    options = {"max_depth": 3, "l2_regularization": 2.0, "min_samples_leaf": 45}
    reference = rows.pooled(**options)
    fit = fitted(rows, reference, **options)
    assert trees(rows, fit) == pooled_trees(reference)


def test_a_label_party_needs_no_columns_of_its_own():
    rows = made(gaps=False)
    owners = {"bank": (), "shop": (0, 1, 2, 3), "telco": (4, 5)}
    rows = type(rows)(rows.x, rows.y, rows.target, owners, rows.categorical)
    for mode in ("strict", "bins"):
        reference = rows.pooled(max_bins=16)
        fit = fitted(rows, reference, mode=mode, max_bins=16)
        found = scored(rows, reference, fit, mode=mode)
        np.testing.assert_allclose(found, predictions(rows, reference), atol=1e-9)


def test_new_rows_are_scored_as_the_estimator_would():
    rows, fresh = made(), made(rows=1_700)
    reference = rows.pooled()
    fit = fitted(rows, reference)
    new = fresh.sides(reference, labelled=False)
    found = score_over(VerticalBoosting(), rows.task(), new, fit)
    np.testing.assert_allclose(found, predictions(fresh, reference), atol=1e-9)


def test_a_party_without_columns_is_not_asked():
    rows = made()
    owners = {"bank": (0, 1), "shop": (2, 3, 4, 5), "zoo": ()}
    rows = type(rows)(rows.x, rows.y, rows.target, owners, rows.categorical)
    reference = rows.pooled()
    parties = rows.sides(reference)
    task = rows.task()
    algorithm = VerticalBoosting(**OPTIONS, **FEW_ROWS)
    workers = {p: s for p, s in parties.items() if p != "zoo"}
    fit = fit_over(algorithm, task, workers)
    assert trees(rows, fit) == pooled_trees(reference)


def test_the_option_mode_is_not_the_mode_of_the_algorithm():
    assert find_vertical("vertical_boosting") is VerticalBoosting
    assert VerticalBoosting.partitioning == "vertical"
    assert VerticalBoosting.of({"mode": "bins"}).parameters()["mode"] == "bins"
    assert VerticalBoosting().mode == "strict"


@pytest.mark.parametrize(
    "option",
    [
        {"mode": "open"},
        {"loss": "hinge"},
        {"min_samples_leaf": 5},
        {"smallest_bin": 19},
        {"max_bins": 256},
        {"sums_per_row": 0.0},
        {"growth": "wild"},
        {"learning_rate": 0.0},
    ],
)
def test_options_out_of_range_are_refused(option):
    with pytest.raises(ContractError, match=next(iter(option))):
        VerticalBoosting(**option)


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        ({"max_iter": 40}, True),  # 40 trees of 10 leaves of 3 sums
        ({"max_iter": 41}, False),
        ({"max_iter": 41, "mode": "bins"}, True),
        ({"max_iter": 41, "sums_per_row": 0.2}, True),
        ({"max_iter": 41, "max_depth": 3}, True),
        ({"max_iter": 40, "growth": "ahead"}, False),
        ({"max_iter": 50, "growth": "ahead", "max_depth": 3}, True),
    ],
)
def test_sums_that_could_be_solved_for_rows_are_refused(options, fits):
    rows = made(rows=12_000)
    side = rows.sides(rows.pooled(max_iter=1))["shop"]
    algorithm = VerticalBoosting(max_leaf_nodes=10, **options)
    if fits:
        algorithm.worker(rows.task(), side)
        return
    with pytest.raises(TrainingError, match="single rows' bins"):
        algorithm.worker(rows.task(), side)


def test_columns_of_the_label_party_alone_are_refused():
    task = VerticalTask(target=Target(), widths={LABEL: 1}, label_party=LABEL, rows=50)
    with pytest.raises(TrainingError, match="Another domain"):
        next(VerticalBoosting().rounds(task))


def test_targets_that_the_loss_is_not_defined_for_are_refused():
    x = np.zeros((1, 60), dtype=np.uint8)
    column = (DesignColumn(name="a", feature="a", edges=np.zeros(0), bins=1),)
    blocks = {LABEL: Block(x, np.full(60, -1.0)), "shop": Block(x, np.zeros(0))}
    task = VerticalTask(
        target=Target(kind="count", classes=()),
        widths={LABEL: 1, "shop": 1},
        label_party=LABEL,
        rows=60,
    )
    for mode in ("strict", "bins"):
        with pytest.raises(TrainingError, match="poisson"):
            fit_over(
                VerticalBoosting(mode=mode, max_iter=1, **FEW_ROWS),
                task,
                sides(blocks, dict.fromkeys(blocks, column)),
            )


def test_bins_are_released_only_where_contracts_offer_it():
    match = MatchPlan(key="row_id")
    for mode, wanted in (("bins", True), ("strict", False)):
        asked = VerticalBoosting(mode=mode).parameters()
        uses = _uses(("train_vertical",), match, VerticalBoosting, asked)
        assert (RELEASE_BINS in uses) is wanted
