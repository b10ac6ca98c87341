"""What crosses in a split network, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.vertical.base import PROTECTED, SHARED
from fl_plugin.vertical.split import label
from fl_plugin.vertical.split.blueprint import drawn
from fl_plugin.vertical.split.goals import Goal
from fl_plugin.vertical.split.keys import Secret
from fl_plugin.vertical.split.wire import BYTES, packed, unpacked
from fl_plugin.vertical.split_network import SplitNetwork
from tests.split_rows import CODES, parties_of, task_of
from tests.vertical import fit_over, score_over, sides

SMALL = {"cut": 8, "epochs": 2, "batch_size": 50, "precision": "float32"}


def step(number, **more):
    return {"step": np.array([number], dtype=np.int64)} | more


def gradient(rows=50, cut=8):
    return np.zeros((rows, cut), dtype=np.float32)


def worker_of(party="post", labels=PROTECTED):
    parties = parties_of()
    task = task_of(parties, labels=labels)
    return SplitNetwork.of(SMALL).worker(task, parties[party])


def test_a_domain_answers_one_question_after_the_other():
    worker = worker_of()
    assert worker.answer(step(0))["cut"].shape == (50, 8)
    for number in range(1, 12):
        assert worker.answer(step(number, gradient=gradient())).keys() == {"cut"}
    assert worker.answer(step(12, gradient=gradient())) == {}
    with pytest.raises(MessageError):
        worker.answer(step(13, gradient=gradient()))


HOSTILE = {
    "an earlier step": step(0),
    "a later step": step(2, gradient=gradient()),
    "no step": {"gradient": gradient()},
    "a step that is no number": {
        "step": np.array([1.0]),
        "gradient": gradient(),
    },
    "no gradient": step(1),
    "too few rows": step(1, gradient=gradient(rows=49)),
    "too many numbers": step(1, gradient=gradient(cut=9)),
    "another precision": step(1, gradient=np.zeros((50, 8))),
    "an array more": step(1, gradient=gradient(), more=gradient()),
    "not finite": step(1, gradient=gradient() + np.float32(np.inf)),
    "the labels": step(0, labels=np.array([1], dtype=np.int64)),
    "a question for labels": step(0, top=gradient()),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_domain_refuses(name):
    worker = worker_of()
    worker.answer(step(0))
    with pytest.raises(MessageError):
        worker.answer(HOSTILE[name])
    worker.answer(step(1, gradient=gradient()))  # and goes on as if not asked


def test_a_protected_label_party_gives_no_labels():
    with pytest.raises(MessageError):
        worker_of("bank").answer(step(0, labels=np.array([1], dtype=np.int64)))


def test_shared_labels_are_given_once_and_as_bytes():
    worker = worker_of("bank", SHARED)
    asked = step(0, labels=np.array([1], dtype=np.int64))
    assert worker.answer(asked)["labels"].dtype == np.uint8
    with pytest.raises(MessageError):
        worker.answer(asked)


@pytest.mark.parametrize(
    "question",
    [
        step(1, top=gradient(cut=16)),
        step(0, top=gradient(cut=15)),
        step(0, top=gradient(cut=16) + np.float32(np.nan)),
        step(0),
    ],
)
def test_a_label_party_refuses_what_is_not_next(question):
    with pytest.raises(MessageError):
        worker_of("bank").answer(question)


def test_a_shared_label_party_refuses_to_end_the_network():
    with pytest.raises(MessageError):
        worker_of("bank", SHARED).answer(step(0, top=gradient(cut=16)))


@pytest.mark.parametrize(
    "cut", [np.zeros((50, 8)), gradient(49), gradient() + np.float32(np.nan), None]
)
def test_the_coordinator_refuses_a_bad_activation(cut):
    rounds = SplitNetwork.of(SMALL).rounds(task_of(parties_of()))
    next(rounds)
    good = {"cut": gradient()}
    bad = {} if cut is None else {"cut": cut}
    with pytest.raises(MessageError):
        rounds.send({"post": good, "shop": bad})


@pytest.mark.parametrize(
    "labels",
    [np.zeros(300), np.zeros(299, dtype=np.uint8), np.full(300, 7, dtype=np.uint8)],
)
def test_the_coordinator_refuses_bad_labels(labels):
    rounds = SplitNetwork.of(SMALL).rounds(task_of(parties_of(), labels=SHARED))
    next(rounds)
    with pytest.raises((MessageError, TrainingError)):
        rounds.send({"bank": {"labels": labels}})


@pytest.mark.parametrize("codes", [CODES, -1, 0.5, np.nan])
def test_a_code_outside_its_table_is_refused(codes):
    parties = parties_of()
    shop = parties["shop"]
    shop.block.x[1, 7] = codes
    with pytest.raises(MessageError):
        SplitNetwork().worker(task_of(parties), shop)


def test_what_leaves_depends_on_noisy_labels_alone(monkeypatch):
    """Other labels with the same noisy ones: not a byte of any message differs."""
    rng = np.random.default_rng(0)
    noisy = rng.standard_normal((300, 1))

    def drawn_once(end, targets):
        even = np.ones(len(targets))
        net = end.plan.end(drawn(Secret.public(9)))
        return label.Head(net, Goal.of("regression", noisy, even), noisy, even)

    monkeypatch.setattr(label.LabelEnd, "_second", drawn_once)
    parties = parties_of()
    owner = parties["bank"]
    others = parties | {
        "bank": replace(owner, block=replace(owner.block, y=1.0 - owner.block.y))
    }
    # Class weights and undersampling see labels too: they must not show either.
    options = SMALL | {"class_weight": "balanced", "undersample": 0.5}
    algorithm = SplitNetwork.of(options)
    fits = [fit_over(algorithm, task_of(parties), p) for p in (parties, others)]
    scored = [score_over(algorithm, task_of(parties), parties, f) for f in fits]
    assert not np.allclose(scored[0], scored[1])
    assert len(fits[0].wire.sent) == len(fits[1].wire.sent) > 20
    for one, other in zip(fits[0].wire.sent, fits[1].wire.sent, strict=True):
        assert (one.party, one.up, one.arrays.keys()) == (
            other.party,
            other.up,
            other.arrays.keys(),
        )
        for name, array in one.arrays.items():
            np.testing.assert_array_equal(array, other.arrays[name])


def test_protected_messages_hold_activations_and_gradients_only():
    parties = parties_of(own_features=True)
    algorithm = SplitNetwork.of(SMALL)
    task = task_of(parties)
    fit = fit_over(algorithm, task, parties)
    score_over(algorithm, task, parties, fit)
    names = {name for sent in fit.wire.sent for name in sent.arrays}
    assert names == {"step", "cut", "top", "gradient"}
    tops = {s.party for s in fit.wire.sent if "top" in s.arrays}
    assert tops == {"bank"}
    assert fit.fitted.loss is None
    assert not any("loss" in name for name in fit.fitted.figures)
    assert "loss_last" in fit.figures["bank"]
    assert fit.figures["post"] == {}


def test_no_raw_value_crosses():
    parties = parties_of()
    rng = np.random.default_rng(11)
    canaries = {p: 1.0 + rng.random(s.block.x.shape) for p, s in parties.items()}
    blocks = {
        p: replace(s.block, x=canaries[p] if p == "post" else s.block.x)
        for p, s in parties.items()
    }
    planted = sides(blocks, {p: s.columns for p, s in parties.items()})
    fit = fit_over(SplitNetwork(epochs=1, batch_size=50), task_of(planted), planted)
    sent = b"".join(a.tobytes() for s in fit.wire.sent for a in s.arrays.values())
    for value in canaries["post"].ravel():
        assert not any(value.astype(kind).tobytes() in sent for kind in ("<f8", "<f4"))


def test_first_weights_are_unknown_to_who_lacks_the_rows():
    parties = parties_of()
    plan = SplitNetwork().blueprint(task_of(parties))
    side = parties["post"]
    moved = replace(side, block=replace(side.block, x=side.block.x + 1e-9))
    first, second = (plan.bottom(s).arrays()["1.weight"] for s in (side, moved))
    assert not np.allclose(first, second)


@pytest.mark.parametrize("labels", [SHARED, PROTECTED])
def test_an_exchange_a_batch_and_the_bytes_that_are_promised(labels):
    parties = parties_of(rows=4_000)
    options = {"epochs": 2, "batch_size": 500, "cut": 4}
    fit = fit_over(SplitNetwork.of(options), task_of(parties, labels=labels), parties)
    of_post = [s for s in fit.wire.sent if s.party == "post" and s.up]
    assert len(of_post) == 2 * 8 + 1
    told = fit.fitted.figures["bytes_up_per_domain_and_epoch"]
    assert told == 4_000 * 4 * 2
    for up in (True, False):
        assert 1.0 < fit.wire.octets("post", up=up) / (2 * told) < 1.07
    owner = fit.wire.octets("bank", up=True)
    if labels == SHARED:
        assert owner < 4_000 + 500  # one byte a label, once
    else:
        each = fit.fitted.figures["bytes_label_party_each_way_and_epoch"]
        assert 1.0 < owner / (2 * each) < 1.05


@pytest.mark.parametrize("precision", BYTES)
def test_numbers_come_back_as_they_were_sent(precision):
    values = np.random.default_rng(0).standard_normal((7, 3))
    sent = packed(values, precision)
    assert sent.nbytes == 7 * 3 * BYTES[precision]
    found = unpacked({"x": sent}, "x", (7, 3), precision)
    digits = {"float16": 1e-3, "float32": 1e-7, "float64": 0.0}[precision]
    np.testing.assert_allclose(found, values, rtol=digits)


def test_a_number_too_large_for_its_precision_is_cut_not_infinite():
    sent = packed(np.array([[1e30, -1e30]]), "float16")
    found = unpacked({"x": sent}, "x", (1, 2), "float16")
    np.testing.assert_array_equal(found, [[65_504.0, -65_504.0]])
