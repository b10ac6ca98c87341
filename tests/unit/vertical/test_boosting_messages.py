"""Vertical boosting refuses what no side of its own would say."""

from dataclasses import replace

import numpy as np
import pytest

from fl_plugin import messages
from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.vertical.boosting.parameters import DEGREE
from fl_plugin.vertical.boosting.turns import (
    CLOSE,
    HINT,
    OPEN,
    RELEASE,
    SCORE,
    SIDES,
    SUMS,
    number,
)
from fl_plugin.vertical.vertical_boosting import VerticalBoosting
from tests.unit.vertical.boosted import LABEL, fitted, made
from tests.vertical import OpenChannel, score_over

CHANNEL = OpenChannel()
SEED = np.arange(32, dtype=np.uint8)
SMALL = VerticalBoosting(max_iter=1, max_leaf_nodes=3)
NO_SET = np.zeros((1, 8), dtype=np.int64)


@pytest.fixture(scope="module")
def rows():
    return made(rows=400)


@pytest.fixture(scope="module")
def reference(rows):
    return rows.pooled(max_bins=8)


@pytest.fixture
def shop(rows, reference):
    return SMALL.worker(rows.task(), rows.sides(reference)["shop"])


def ask(worker, kind, **arrays):
    sealed = CHANNEL.seal("shop", {"kind": number(kind), **arrays})
    answer = worker.answer({"sealed.0": sealed})
    return CHANNEL.open(LABEL, answer["sealed.0"])


def hinted(worker):
    ask(worker, OPEN, seed=SEED)
    for column in range(2):
        ask(worker, HINT, column=number(column))
    return worker


def split(*numbers):
    return np.array([numbers], dtype=np.int64)


def everyone(count):
    return np.packbits(np.ones(count, dtype=bool), bitorder="little")[None]


@pytest.mark.parametrize("kind", [HINT, SUMS, SIDES, RELEASE, CLOSE, SCORE])
def test_a_feature_party_answers_its_first_question_first(shop, kind):
    with pytest.raises(MessageError, match="out of order"):
        ask(shop, kind)


def test_bins_are_not_released_in_a_strict_fit(shop):
    hinted(shop)
    with pytest.raises(MessageError, match="out of order"):
        ask(shop, RELEASE)


@pytest.mark.parametrize("kind", [SUMS, SIDES, HINT])
def test_a_released_fit_adds_nothing_up(rows, reference, kind):
    algorithm = VerticalBoosting(mode="bins")
    worker = algorithm.worker(rows.task(), rows.sides(reference)["shop"])
    assert set(ask(worker, OPEN)) == {"columns"}
    with pytest.raises(MessageError, match="out of order"):
        ask(worker, kind)


def test_nothing_follows_a_question_that_failed(shop):
    with pytest.raises(MessageError, match="seed"):
        ask(shop, OPEN, seed=SEED[:5])
    with pytest.raises(MessageError, match="out of order"):
        ask(shop, OPEN, seed=SEED)


def test_a_hint_is_given_once_for_each_column_in_order(shop):
    ask(shop, OPEN, seed=SEED)
    ask(shop, HINT, column=number(0))
    with pytest.raises(MessageError, match="column"):
        ask(shop, HINT, column=number(0))


@pytest.mark.parametrize(
    "words",
    [
        None,
        np.zeros((10, 3), dtype=np.uint64),
        np.zeros((400 + DEGREE, 3), dtype=np.int64),
        np.zeros(400 + DEGREE, dtype=np.uint64),
        np.zeros((400 + DEGREE, 0), dtype=np.uint64),
    ],
)
def test_words_of_another_shape_are_refused(shop, words):
    with pytest.raises(MessageError):
        ask(hinted(shop), SUMS, **({} if words is None else {"words": words}))


def test_no_more_words_are_added_up_than_the_trees_can_need(shop):
    hinted(shop)
    words = np.zeros((400 + DEGREE, 9), dtype=np.uint64)  # 3 nodes of 3 words
    ask(shop, SUMS, words=words)
    with pytest.raises(MessageError, match="more sums"):
        ask(shop, SUMS, words=words[:, :1])


def test_no_more_splits_are_told_than_the_trees_can_need(shop):
    hinted(shop)
    told = {"splits": split(0, 3, 0, 0), "members": NO_SET, "rows": everyone(400)}
    for _ in range(3):
        ask(shop, SIDES, **told)
    with pytest.raises(MessageError, match="more splits"):
        ask(shop, SIDES, **told)


def test_a_split_that_singles_few_rows_out_is_refused(shop):
    few = np.zeros(400, dtype=bool)
    few[:25] = True
    bits = np.packbits(few, bitorder="little")[None]
    told = {"splits": split(0, 3, 0, 0), "members": NO_SET}
    with pytest.raises(MessageError, match="fewer rows on a side"):
        ask(hinted(shop), SIDES, rows=bits, **told)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"splits": split(2, 3, 0, 0)},
        {"splits": split(-1, 3, 0, 0)},
        {"splits": split(0, 256, 0, 0)},
        {"splits": split(0, 3, 2, 0)},
        {"splits": split(0, 3, 0)},
        {"splits": split(0, 3, 0, 0).astype(float)},
        {"members": NO_SET - 1},
        {"members": NO_SET[:, :7]},
        {"members": np.zeros((2, 8), dtype=np.int64)},
        {"rows": np.zeros((1, 3), dtype=np.uint8)},
        {"rows": np.zeros((1, 50))},
    ],
)
def test_splits_and_rows_that_are_none_are_refused(shop, spoilt):
    good = {"splits": split(0, 3, 0, 0), "members": NO_SET, "rows": everyone(400)}
    with pytest.raises(MessageError):
        ask(hinted(shop), SIDES, **{**good, **spoilt})


def test_the_label_party_begins_once(rows, reference):
    worker = SMALL.worker(rows.task(), rows.sides(reference)[LABEL])
    with pytest.raises(MessageError, match="out of order"):
        worker.answer({"stage": number(1)})
    worker.answer({"stage": number(0)})
    with pytest.raises(MessageError, match="out of order"):
        worker.answer({"stage": number(0)})
    with pytest.raises(MessageError, match=r"sealed\.1"):
        worker.answer({"stage": number(1)})
    with pytest.raises(MessageError, match="out of order"):
        worker.part()


class Spoiler:
    """Two parties' fit whose feature party's answers are spoilt on the way."""

    def __init__(self, rows, reference, algorithm=SMALL):
        owners = {"bank": (0, 1, 3, 4, 5), "shop": (2,)}
        rows = type(rows)(rows.x, rows.y, rows.target, owners, rows.categorical)
        task = rows.task()
        sides = rows.sides(reference)
        self.label = algorithm.worker(task, sides["bank"])
        self.shop = algorithm.worker(task, sides["shop"])

    def run(self, name, change):
        told = self.label.answer({"stage": number(0)})
        while "done" not in told:
            answer = self.shop.answer({"sealed.0": told["sealed.1"]})
            arrays = dict(messages.decode(answer["sealed.0"].tobytes()).arrays)
            if name in arrays:
                arrays[name] = change(arrays[name])
            sealed = CHANNEL.seal("bank", arrays)
            told = self.label.answer({"stage": number(1), "sealed.1": sealed})
        return told


def test_an_unspoilt_fit_ends(rows, reference):
    assert "done" in Spoiler(rows, reference).run("sums", lambda sums: sums)


def shifted(sums):
    return sums + (np.uint64(1) << np.uint64(30))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sums", shifted),
        ("sums", lambda sums: sums[:-1]),
        ("sums", lambda sums: sums.astype(float)),
        ("counts", lambda counts: counts + 1),
        ("counts", lambda counts: counts[1:]),
        ("columns", lambda told: told * 0),
        ("columns", lambda told: told[:0]),
        ("columns", lambda told: told.astype(float)),
        ("hint", lambda hint: hint[:-1]),
        ("hint", lambda hint: hint.astype(np.int64)),
    ],
)
def test_answers_that_are_spoilt_are_refused(rows, reference, name, change):
    with pytest.raises(MessageError):
        Spoiler(rows, reference).run(name, change)


@pytest.mark.parametrize(
    "change", [lambda x: x + 200, lambda x: x[:, 1:], lambda x: x.astype(float)]
)
def test_released_bins_that_are_none_are_refused(rows, reference, change):
    algorithm = VerticalBoosting(mode="bins", max_iter=1)
    with pytest.raises(MessageError):
        Spoiler(rows, reference, algorithm).run("bins", change)


@pytest.mark.parametrize(
    ("party", "name", "change"),
    [
        (LABEL, "shape", lambda shape: shape * 0),
        (LABEL, "shape", lambda shape: shape + 9),
        (LABEL, "shape", lambda shape: shape[:-1]),
        (LABEL, "values", lambda values: values * np.nan),
        (LABEL, "sizes", lambda sizes: sizes + 1),
        (LABEL, "start", lambda start: start[:0]),
        (LABEL, "splits", lambda splits: splits[:0]),
        ("shop", "splits", lambda splits: splits + 300),
        ("shop", "maps", lambda maps: maps[:, :9]),
    ],
)
def test_a_part_that_was_changed_is_refused(rows, reference, party, name, change):
    fit = fitted(rows, reference, max_iter=2)
    parts = dict(fit.parts)
    parts[party] = {**parts[party], name: change(parts[party][name])}
    fit = replace(fit, parts=parts)
    with pytest.raises(MessageError):
        score_over(
            VerticalBoosting(), rows.task(), rows.sides(reference, labelled=False), fit
        )


def test_an_owner_that_lost_splits_is_found_out(rows, reference):
    fit = fitted(rows, reference, max_iter=3)
    kept = {**fit.parts["shop"]}
    kept |= {name: kept[name][:1] for name in ("splits", "members")}
    fit = replace(fit, parts={**fit.parts, "shop": kept})
    with pytest.raises(MessageError):
        score_over(
            VerticalBoosting(), rows.task(), rows.sides(reference, labelled=False), fit
        )


def test_an_owner_answers_for_each_split_once(rows, reference):
    fit = fitted(rows, reference, max_iter=2)
    side = rows.sides(reference, labelled=False)["shop"]
    scorer = VerticalBoosting().scorer(rows.task(), side, fit.parts["shop"])
    question = {"kind": number(SCORE), "begin": number(0)}
    scorer.answer({"sealed.0": CHANNEL.seal("shop", question)})
    with pytest.raises(MessageError, match="out of order"):
        scorer.answer({"sealed.0": CHANNEL.seal("shop", question)})


def test_a_question_about_no_split_is_refused(shop):
    none = {"splits": np.zeros((0, 4), dtype=np.int64), "members": NO_SET[:0]}
    with pytest.raises(MessageError, match="splits"):
        ask(hinted(shop), SIDES, rows=np.zeros((0, 50), dtype=np.uint8), **none)


def test_more_columns_than_there_is_room_for_are_refused(rows, reference):
    """Whatever the coordinator and another domain together say of its columns."""
    task = rows.task()
    for party in ("bank", "shop"):
        other = "shop" if party == "bank" else "bank"
        wide = replace(task, widths={**task.widths, other: 1_000_000})
        with pytest.raises(TrainingError, match="columns together"):
            SMALL.worker(wide, rows.sides(reference)[party])


def test_more_hints_than_a_node_holds_are_refused_before_they_are_asked_for(
    rows, reference, monkeypatch
):
    monkeypatch.setattr("fl_plugin.vertical.boosting.peers.MOST_SUMS", 8)
    spoiler = Spoiler(rows, reference)
    with pytest.raises(TrainingError, match="9 bins together"):
        spoiler.run("hint", lambda _: pytest.fail("a hint was asked for"))


def test_rows_that_are_not_binned_are_refused(rows, reference):
    side = rows.sides(reference)["shop"]
    for x in (side.block.x.astype(float), side.block.x + np.uint8(99)):
        block = type(side.block)(x, side.block.y)
        with pytest.raises(MessageError, match="x"):
            SMALL.worker(
                rows.task(),
                type(side)(
                    party="shop", columns=side.columns, block=block, channel=CHANNEL
                ),
            )
