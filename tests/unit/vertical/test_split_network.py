"""The split network is one network; each party keeps its own part of it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fl_plugin.algorithms.base import Block
from fl_plugin.algorithms.described import Parameter
from fl_plugin.errors import ContractError, MessageError, TrainingError
from fl_plugin.vertical.base import PROTECTED, SHARED
from fl_plugin.vertical.split_network import SplitNetwork
from tests import whole_network
from tests.split_rows import TARGETS, parties_of, task_of
from tests.vertical import Fit, fit_over, score_over

EXACT: dict[str, Parameter] = {
    "bottom_layers": "6,4",
    "cut": 2,
    "top_layers": "5",
    "label_layers": "4",
    "epochs": 4,
    "batch_size": 40,
    "defence": "none",
    "precision": "float64",
}
OPTIONS: dict[str, dict[str, Parameter]] = {
    "plain": {},
    "no hidden layers": {"bottom_layers": "", "top_layers": "", "label_layers": ""},
    "dropout": {"dropout": 0.3},
    "batch norm": {"batch_norm": True},
    "all": {"dropout": 0.2, "batch_norm": True, "l2": 0.01, "decay": False},
    "balanced": {"class_weight": "balanced"},
    "undersampled": {"undersample": 0.7},
}


def all_weights(fit, shared):
    """Return a fit's parts under the names of the network in one process."""
    found = {}
    for party, part in (*fit.parts.items(), ("coordinator", fit.fitted.part)):
        for name, array in part.items():
            if name.startswith("label."):
                found[f"end.{name}"] = array
            elif not name.startswith("goal."):
                found[f"{party}.{name}"] = array
    return found


@pytest.mark.parametrize("labels", [SHARED, PROTECTED])
@pytest.mark.parametrize("options", OPTIONS)
def test_the_split_run_equals_one_network_in_one_process(options, labels):
    parties = parties_of()
    task = task_of(parties, labels=labels)
    algorithm = SplitNetwork.of(EXACT | OPTIONS[options])
    fit = fit_over(algorithm, task, parties)
    whole = whole_network.train(algorithm.blueprint(task), parties)
    found = all_weights(fit, labels == SHARED)
    assert found.keys() == whole.keys()
    for name, array in whole.items():
        np.testing.assert_allclose(found[name], array, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", TARGETS)
def test_every_kind_of_target_equals_one_network_in_one_process(kind):
    parties = parties_of(kind, own_features=True)
    task = task_of(parties, kind)
    algorithm = SplitNetwork.of(EXACT)
    fit = fit_over(algorithm, task, parties)
    whole = whole_network.train(algorithm.blueprint(task), parties)
    found = all_weights(fit, shared=False)
    assert found.keys() == whole.keys()
    for name, array in whole.items():
        np.testing.assert_allclose(found[name], array, atol=1e-6, rtol=0)


def test_messages_of_single_precision_move_weights_by_rounding_only():
    parties = parties_of()
    task = task_of(parties)
    algorithm = SplitNetwork.of(EXACT | {"precision": "float32"})
    fit = fit_over(algorithm, task, parties)
    whole = whole_network.train(algorithm.blueprint(task), parties)
    found = all_weights(fit, shared=False)
    apart = [np.abs(found[n] - array).max() for n, array in whole.items()]
    assert 0 < max(apart) < 1e-4


@pytest.mark.parametrize("labels", [SHARED, PROTECTED])
@pytest.mark.parametrize("kind", TARGETS)
def test_it_learns_and_predicts_unseen_rows(kind, labels):
    parties = parties_of(kind, rows=3_000, own_features=True)
    unseen = parties_of(kind, rows=5_000, seed=1, own_features=True)
    algorithm = SplitNetwork(
        defence="none", learning_rate=0.01, epochs=15, batch_size=150
    )
    task = task_of(parties, kind, labels)
    fit = fit_over(algorithm, task, parties)
    predicted = score_over(algorithm, task, without_target(unseen), fit)
    y = unseen["bank"].block.y
    if kind == "binary":
        assert roc_auc_score(y, predicted) > 0.93
    elif kind == "multiclass":
        assert predicted.shape == (5_000, 3)
        assert np.mean(predicted.argmax(axis=1) == y) > 0.75
    else:
        explained = 1.0 - np.mean((predicted - y) ** 2) / np.var(y)
        assert explained > (0.9 if kind == "regression" else 0.2)


def without_target(parties):
    owner = parties["bank"]
    block = Block(owner.block.x, np.zeros(0))
    return parties | {"bank": replace(owner, block=block)}


@pytest.mark.parametrize("labels", [SHARED, PROTECTED])
def test_the_same_seed_gives_the_same_bytes(labels):
    parties = parties_of()
    algorithm = SplitNetwork(epochs=2)
    task = task_of(parties, labels=labels)
    first, second = (fit_over(algorithm, task, parties) for _ in range(2))
    assert len(first.wire.sent) == len(second.wire.sent)
    for one, other in zip(first.wire.sent, second.wire.sent, strict=True):
        assert one.arrays.keys() == other.arrays.keys()
        assert all(np.array_equal(a, other.arrays[n]) for n, a in one.arrays.items())


def test_another_seed_gives_another_model():
    parties = parties_of()
    algorithm = SplitNetwork(epochs=1)
    fits = [fit_over(algorithm, task_of(parties, seed=s), parties) for s in (1, 2)]
    name = "bottom.1.weight"
    assert not np.array_equal(fits[0].parts["post"][name], fits[1].parts["post"][name])


@pytest.mark.parametrize("labels", [SHARED, PROTECTED])
def test_no_part_holds_anothers_weights(labels):
    parties = parties_of(own_features=True)
    fit = fit_over(SplitNetwork(epochs=1), task_of(parties, labels=labels), parties)
    owner = {"bottom", "label", "goal"} if labels == PROTECTED else {"bottom"}
    coordinator = {"top"} if labels == PROTECTED else {"label", "goal"}
    expected = {"bank": owner, "post": {"bottom"}, "shop": {"bottom"}}
    for party, part in fit.parts.items():
        assert {name.split(".")[0] for name in part} == expected[party]
    assert {name.split(".")[0] for name in fit.fitted.part} == coordinator


@pytest.mark.parametrize("labels", [SHARED, PROTECTED])
def test_reloaded_parts_give_the_same_predictions(labels, tmp_path):
    parties = parties_of()
    algorithm = SplitNetwork(epochs=2, batch_norm=True, dropout=0.1)
    task = task_of(parties, labels=labels)
    fit = fit_over(algorithm, task, parties)
    for party, part in (*fit.parts.items(), ("coordinator", fit.fitted.part)):
        np.savez(tmp_path / f"{party}.npz", allow_pickle=False, **part)
    again = Fit(
        fitted=replace(fit.fitted, part=dict(np.load(tmp_path / "coordinator.npz"))),
        parts={p: dict(np.load(tmp_path / f"{p}.npz")) for p in fit.parts},
        figures={},
        wire=fit.wire,
    )
    rows = without_target(parties)
    first = score_over(algorithm, task, rows, fit)
    np.testing.assert_array_equal(first, score_over(algorithm, task, rows, again))


def test_scoring_takes_a_table_of_several_messages_and_an_empty_one():
    parties = parties_of(rows=5_000)
    algorithm = SplitNetwork(epochs=1)
    task = task_of(parties)
    fit = fit_over(algorithm, task, parties)
    found = score_over(algorithm, task, without_target(parties), fit)
    head = {
        p: replace(s, block=Block(s.block.x[:, :10], np.zeros(0)))
        for p, s in parties.items()
    }
    few = score_over(algorithm, task, head, fit)
    np.testing.assert_allclose(few, found[:10], atol=1e-12)
    none = {
        p: replace(s, block=Block(s.block.x[:, :0], np.zeros(0)))
        for p, s in parties.items()
    }
    assert score_over(algorithm, task, none, fit).shape == (0,)


def test_a_part_of_another_network_is_refused():
    parties = parties_of()
    task = task_of(parties)
    fit = fit_over(SplitNetwork(epochs=1), task, parties)
    other = SplitNetwork(cut=3)
    with pytest.raises(MessageError):
        other.scorer(task, parties["post"], fit.parts["post"])
    with pytest.raises(MessageError):
        other.scorer(task, parties["bank"], fit.parts["bank"])
    with pytest.raises(MessageError):
        next(other.scoring(task, fit.fitted.part))


@pytest.mark.parametrize(
    "options",
    [
        {"bottom_layers": "12;4"},
        {"top_layers": "0"},
        {"label_layers": "-3"},
        {"bottom_layers": "9999999"},
        {"bottom_layers": ",".join(["4096"] * 3)},
        {"label_layers": ",".join(["1"] * 17)},
        {"cut": 0},
        {"dropout": 1.0},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"noise": float("nan")},
        {"defence": "hope"},
        {"precision": "float8"},
        {"class_weight": "heavy"},
        {"activation_noise": 1.0},
    ],
)
def test_an_option_out_of_range_is_refused(options):
    with pytest.raises(ContractError):
        SplitNetwork.of(options)


@pytest.mark.parametrize(
    "options",
    [{"defence": "marvell"}, {"undersample": 2.0}, {"class_weight": "balanced"}],
)
def test_what_only_classes_have_is_refused_for_numbers(options):
    parties = parties_of("regression")
    with pytest.raises(ContractError, match="needs a target"):
        next(SplitNetwork.of(options).rounds(task_of(parties, "regression")))


def test_a_target_of_one_value_cannot_be_learnt():
    parties = parties_of()
    owner = parties["bank"]
    alike = replace(owner, block=Block(owner.block.x, np.zeros(300)))
    with pytest.raises(TrainingError, match="one value"):
        SplitNetwork().worker(task_of(parties), alike)


def test_the_batch_size_follows_the_table():
    def batches(rows):
        parties = parties_of(rows=10)
        task = replace(task_of(parties), rows=rows)
        return SplitNetwork().blueprint(task).schedule.batches

    assert [batches(n) for n in (10, 1_000, 30_000, 1_000_000)] == [1, 31, 117, 977]
