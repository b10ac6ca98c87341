"""Vertical linear models refuse what no side of theirs would say."""

import builtins
from dataclasses import replace

import numpy as np
import pytest
import tenseal

from fl_plugin.algorithms.base import Block, Target
from fl_plugin.errors import ContractError, MessageError, TrainingError, UsageError
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.glm import seal
from fl_plugin.vertical.glm.ciphertexts import Chunks, Key, Lock
from fl_plugin.vertical.glm.turns import (
    CLOSE,
    END,
    OPEN,
    PASS,
    POINT,
    SHARE,
    START,
    SUMS,
    TARGET,
    stage,
)
from fl_plugin.vertical.vertical_linear_regression import VerticalLinearRegression
from fl_plugin.vertical.vertical_logistic_regression import VerticalLogisticRegression
from fl_plugin.vertical.vertical_poisson_regression import VerticalPoissonRegression
from tests.vertical import fit_over, sides

ROWS = 700
WIDTHS = {"bank": 1, "shop": 1}
TASK = VerticalTask(
    target=Target(kind="binary"), widths=WIDTHS, label_party="bank", rows=ROWS
)
ALGORITHM = VerticalLogisticRegression()


def blocks():
    draws = np.random.default_rng(1)
    x = {p: draws.normal(size=(1, ROWS)) for p in WIDTHS}
    y = (draws.random(ROWS) < 0.4).astype(float)
    return {"bank": Block(x["bank"], y), "shop": Block(x["shop"], np.zeros(0))}


def workers(algorithm=ALGORITHM, task=TASK, given=None):
    made = sides(given or blocks())
    return {p: algorithm.worker(task, side) for p, side in made.items()}


def begun():
    """Return the workers after the target's products, ready to be asked a point."""
    both = workers()
    start = both["bank"].answer({"stage": stage(START)})
    told = both["shop"].answer({"stage": stage(TARGET), "sealed.0": start["sealed.1"]})
    both["bank"].answer({"stage": stage(OPEN), "sealed.1": told["sealed.0"]})
    return both


def at(*numbers):
    return np.array(numbers, dtype=np.float64)


@pytest.mark.parametrize("told", [TARGET, POINT, PASS, SHARE, SUMS, OPEN, END, CLOSE])
def test_a_label_party_answers_its_first_question_first(told):
    with pytest.raises(MessageError, match="out of order"):
        workers()["bank"].answer({"stage": stage(told), "point": at(0, 0)})


@pytest.mark.parametrize("told", [START, POINT, PASS, SHARE, SUMS, OPEN, END, CLOSE])
def test_a_feature_party_answers_its_first_question_first(told):
    with pytest.raises(MessageError, match="out of order"):
        workers()["shop"].answer({"stage": stage(told), "point": at(0)})


def test_a_question_that_is_asked_again_is_refused():
    both = workers()
    both["bank"].answer({"stage": stage(START)})
    with pytest.raises(MessageError, match="out of order"):
        both["bank"].answer({"stage": stage(START)})


def test_nothing_follows_a_question_that_failed():
    both = begun()
    with pytest.raises(MessageError, match="point"):
        both["bank"].answer({"stage": stage(POINT), "point": at(0)})
    with pytest.raises(MessageError, match="out of order"):
        both["bank"].answer({"stage": stage(POINT), "point": at(0, 0)})


@pytest.mark.parametrize(
    "point",
    [
        None,
        at(0),
        at(0, np.nan),
        at(0, np.inf),
        at(0, 1e12),
        np.zeros(2, dtype=np.int64),
        np.zeros((1, 2)),
    ],
)
def test_a_point_that_no_search_visits_is_refused(point):
    question = {"stage": stage(POINT)}
    if point is not None:
        question["point"] = point
    with pytest.raises(MessageError, match="point"):
        begun()["bank"].answer(question)


@pytest.mark.parametrize("told", [None, np.zeros(1), stage(99), stage(-1)])
def test_a_question_must_say_which_it_is(told):
    with pytest.raises(MessageError, match="stage"):
        workers()["bank"].answer({} if told is None else {"stage": told})


def test_no_more_looks_are_answered_than_the_study_allows():
    few = replace(ALGORITHM, max_rounds=2)
    both = workers(few)
    both["bank"].answer({"stage": stage(START)})
    for _ in range(2):
        both["bank"].look()
    with pytest.raises(MessageError, match="more rounds"):
        both["bank"].look()


def test_what_is_not_sealed_for_a_party_is_refused():
    both = begun()
    with pytest.raises(MessageError, match=r"sealed\.0"):
        both["shop"].answer({"stage": stage(PASS), "point": at(0.0)})


def test_a_lock_of_another_size_or_cut_is_refused():
    good = Key.fresh(1, 10).lock
    small = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS, 4096, coeff_mod_bit_sizes=[30, 30, 30]
    )
    small.global_scale = 2.0**20
    other = np.frombuffer(small.serialize(), dtype=np.uint8)
    for lock in (None, good[:1000], good.astype(float), other, good[:0]):
        with pytest.raises(MessageError, match="lock"):
            Lock.of(lock, 1, 10)
    with pytest.raises(MessageError, match="lock"):
        Lock.of(good, 2, 10)  # made for one product, not two
    Lock.of(good, 1, 10)


def test_chunks_that_are_cut_doubled_or_no_ciphertexts_are_refused():
    key = Key.fresh(1, 10)
    good = key.encrypt(np.ones(10)).arrays("rows")
    for spoilt in (
        {**good, "rows": good["rows"][:-1]},
        {**good, "rows": good["rows"].astype(float)},
        {**good, "rows.sizes": np.array([2**40])},
        {**good, "rows.sizes": np.array([-5])},
        {**good, "rows.sizes": good["rows.sizes"].astype(float)},
        {"rows": good["rows"]},
        {"rows.sizes": good["rows.sizes"]},
    ):
        with pytest.raises(MessageError, match="rows"):
            Chunks.of(spoilt, "rows", 1)
    with pytest.raises(MessageError, match="sizes"):
        Chunks.of(good, "rows", 2)
    raw = good["rows"].tobytes()
    for parts in ((b"\0" * 100,), (raw[:5000] + b"\xff" * 1000 + raw[6000:],)):
        with pytest.raises(MessageError, match="ciphertext"):
            key.read(Chunks(parts))


def test_a_ciphertext_of_another_size_is_refused():
    short = Key.fresh(1, 10)
    vector = tenseal.ckks_vector(short._context, [1.0, 2.0])
    with pytest.raises(MessageError, match="ciphertext"):
        short.read(Chunks((vector.serialize(),)))


@pytest.mark.parametrize("scale", [1.0, 2.0**30, 2.0**60, 2.0**90])
def test_a_ciphertext_of_another_scale_is_refused(scale):
    key = Key.fresh(1, 10)
    lock = Lock.of(key.lock, 1, 10)
    vector = tenseal.ckks_vector(key._context, [0.5] * 4_096, scale)
    vectors = lock.read(Chunks((vector.serialize(),)))
    for compute in (
        lambda: lock.plus(vectors, np.ones(10)),
        lambda: lock.times_plus(vectors, np.ones(10), np.ones(10)),
        lambda: lock.products(vectors, [np.ones(10)], 4.0),
    ):
        with pytest.raises(MessageError, match="ciphertext"):
            compute()


def test_numbers_that_no_ciphertext_holds_are_refused():
    """They come out of what another has sent: shares, or what was opened."""
    key = Key.fresh(1, 10)
    vectors = key.read(key.encrypt(np.ones(10)))
    with pytest.raises(MessageError, match="ciphertext"):
        key.encrypt(np.full(10, 1e200))
    with pytest.raises(MessageError, match="ciphertext"):
        key.products(vectors, [np.full(10, 1e200)], 4.0)


@pytest.mark.parametrize("spoil", [np.nan, np.inf])
def test_what_opens_as_no_number_is_refused(spoil, monkeypatch):
    key = Key.fresh(1, 10)

    class Vector:
        def decrypt(self):
            return [spoil]

    monkeypatch.setattr(Key, "read", lambda *_: [Vector()])
    for opened in (key.open, key.totals):
        with pytest.raises(MessageError, match="ciphertext"):
            opened(Chunks((b"",)))


@pytest.mark.parametrize("spoil", [np.nan, np.inf])
def test_a_coordinator_refuses_numbers_that_are_none(spoil):
    rounds = ALGORITHM.rounds(TASK)
    next(rounds)
    seal = np.zeros(4, dtype=np.uint8)
    rounds.send({"bank": {"sealed.1": seal, "own": at(0, 0)}})
    rounds.send({"shop": {"sealed.0": seal, "own": at(spoil)}})
    with pytest.raises(MessageError, match="own"):
        rounds.send({"bank": {"opened.1": at(0)}})


def test_a_coordinator_refuses_answers_that_lack_a_sealed_message():
    rounds = ALGORITHM.rounds(TASK)
    next(rounds)
    with pytest.raises(MessageError, match=r"sealed\.1"):
        rounds.send({"bank": {"own": at(0, 0)}})


def test_without_tenseal_the_error_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **more):
        if name.startswith("tenseal"):
            raise ImportError(name)
        return real(name, *args, **more)

    seal.library.cache_clear()
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match="tenseal") as caught:
        workers()
    assert "[vertical]" in caught.value.remedy
    with pytest.raises(UsageError, match="tenseal"):
        ALGORITHM.require_packages()
    seal.library.cache_clear()


def test_a_fit_with_few_rows_for_its_columns_is_refused():
    wide = {"bank": 30, "shop": 30}
    for task in (
        replace(TASK, rows=599, widths=wide),
        replace(TASK, rows=0),
        replace(TASK, rows=10**6, widths={"bank": 0, "shop": 2_001}),
    ):
        with pytest.raises(TrainingError):
            next(ALGORITHM.rounds(task))
    next(ALGORITHM.rounds(replace(TASK, rows=600, widths=wide)))


@pytest.mark.parametrize(("rows", "looks"), [(599, 59), (600, 60), (10**6, 60)])
def test_rows_are_looked_at_a_tenth_as_often_as_there_are(rows, looks):
    assert ALGORITHM.terms(replace(TASK, rows=rows)).looks == looks


def test_a_domain_without_features_other_than_the_labels_is_refused():
    for widths in ({"bank": 3}, {"bank": 3, "shop": 0}):
        with pytest.raises(TrainingError, match="must have features"):
            next(ALGORITHM.rounds(replace(TASK, widths=widths)))


def test_more_domains_than_a_ring_carries_are_refused():
    with pytest.raises(UsageError, match="At most"):
        Key.fresh(seal.SPARE + 1, 10)
    Key.fresh(seal.SPARE, 10)


@pytest.mark.parametrize(
    ("algorithm", "kind", "y"),
    [
        (VerticalLogisticRegression(), "binary", np.zeros(ROWS)),
        (VerticalLogisticRegression(class_weight="balanced"), "binary", np.ones(ROWS)),
        (VerticalLogisticRegression(), "binary", np.arange(ROWS, dtype=float)),
        (VerticalLinearRegression(), "regression", np.full(ROWS, 2.0)),
        (VerticalLinearRegression(), "regression", np.full(ROWS, np.nan)),
        (VerticalPoissonRegression(), "count", np.zeros(ROWS)),
        (VerticalPoissonRegression(), "count", np.full(ROWS, 1e5)),
        (VerticalPoissonRegression(), "count", np.linspace(-1.0, 4.0, ROWS)),
        (VerticalPoissonRegression(), "binary", np.ones(ROWS)),
    ],
)
def test_a_target_that_a_family_cannot_learn_is_refused(algorithm, kind, y):
    given = blocks()
    given["bank"] = Block(given["bank"].x, y)
    task = replace(TASK, target=Target(kind=kind))
    with pytest.raises(TrainingError):
        workers(algorithm, task, given)


def test_options_that_no_fit_can_keep_are_refused():
    for made, options in (
        (VerticalLogisticRegression, {"l2": 0.0}),
        (VerticalLogisticRegression, {"class_weight": "some"}),
        (VerticalLogisticRegression, {"tolerance": 0.0}),
        (VerticalLogisticRegression, {"max_rounds": 0}),
        (VerticalLogisticRegression, {"max_rounds": 201}),
        (VerticalLinearRegression, {"alpha": -1.0}),
        (VerticalPoissonRegression, {"alpha": float("nan")}),
    ):
        with pytest.raises(ContractError):
            made(**options)


def test_a_fit_that_does_not_end_says_so():
    hasty = replace(ALGORITHM, max_rounds=1, tolerance=1e-9)
    with pytest.raises(TrainingError, match="did not converge in 1"):
        fit_over(hasty, TASK, sides(blocks()))


def test_scoring_refuses_another_part_and_questions_out_of_order():
    part = {"coefficients": at(0.5), "unit": at(1.0)}
    given = sides({p: Block(b.x, np.zeros(0)) for p, b in blocks().items()})
    for changed in (
        {"coefficients": at()},
        {"coefficients": at(1, 2)},
        {"coefficients": at(np.nan)},
        {"unit": at()},
        {"unit": at(0.0)},
    ):
        spoilt = {**part, **changed}
        with pytest.raises(MessageError):
            ALGORITHM.scorer(TASK, given["shop"], spoilt)
    with pytest.raises(MessageError, match="intercept"):
        ALGORITHM.scorer(TASK, given["bank"], part)
    scorer = ALGORITHM.scorer(TASK, given["shop"], part)
    with pytest.raises(MessageError, match="out of order"):
        scorer.answer({"stage": stage(0)})
    scorer.answer({"stage": stage(1)})
    with pytest.raises(MessageError, match="out of order"):
        scorer.answer({"stage": stage(1)})
