"""Noise against label leaks, the attacks that measure it, and class balance."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from fl_plugin.algorithms.base import Target
from fl_plugin.vertical.base import PROTECTED, SHARED
from fl_plugin.vertical.split.attacks import (
    Evidence,
    completion_attack,
    direction_attack,
    norm_attack,
)
from fl_plugin.vertical.split.balance import Balance
from fl_plugin.vertical.split.decorrelation import (
    distance_correlation,
    row_distances,
)
from fl_plugin.vertical.split.defences import (
    Classes,
    best_noise,
    label_guarantee,
    marvell,
    max_norm,
)
from fl_plugin.vertical.split.layers import Coded
from fl_plugin.vertical.split.party import SplitWorker
from fl_plugin.vertical.split_network import SplitNetwork
from tests.split_rows import parties_of, task_of
from tests.vertical import fit_over

RNG = np.random.default_rng


def gradients(rows=4_000, units=6, seed=0):
    """Return gradients as a binary loss makes them: residual times weights."""
    rng = RNG(seed)
    positive = rng.random(rows) < 0.2
    chance = np.clip(0.2 + 0.1 * rng.standard_normal(rows), 0.01, 0.99)
    along = rng.standard_normal(units)
    return (chance - positive)[:, None] * along, positive


CASES = [
    Classes(gap=1.0, spreads=(0.1, 0.4), share=0.2, units=8),
    Classes(gap=1.0, spreads=(0.4, 0.1), share=0.2, units=8),
    Classes(gap=4.0, spreads=(0.01, 0.5), share=0.03, units=32),
    Classes(gap=1.0, spreads=(0.3, 0.3), share=0.5, units=2),
    Classes(gap=2.0, spreads=(0.2, 0.6), share=0.4, units=1),
]


@pytest.mark.parametrize("power", [0.1, 1.0, 25.0])
@pytest.mark.parametrize("facts", CASES)
def test_marvells_noise_is_the_optimum_over_all_four_variances(facts, power):
    found = best_noise(facts, power)

    def unlike(v):
        a, b = (np.asarray(v[:2]), np.asarray(v[2:]))
        return float(facts.unlike((a[0], a[1]), (b[0], b[1])))

    chances = np.array([1 - facts.share, facts.share])

    def spent(v):
        return float(chances @ (v[:2] + (facts.units - 1) * v[2:]))

    mine = np.concatenate([found[:, 0], found[:, 1]])
    assert spent(mine) == pytest.approx(power, rel=1e-6)
    assert (found[:, 0] >= found[:, 1] - 1e-12).all()
    best = np.inf
    for begin in RNG(0).dirichlet(np.ones(4), 6) * power:
        rival = minimize(
            unlike,
            begin,
            method="SLSQP",
            bounds=[(0, None)] * 4,
            constraints=[
                {"type": "ineq", "fun": lambda v: power - spent(v)},
                {"type": "ineq", "fun": lambda v: v[:2] - v[2:]},
            ],
        )
        if spent(rival.x) <= power * (1 + 1e-6):
            best = min(best, rival.fun)
    assert unlike(mine) <= best * (1 + 1e-3) + 1e-6


def test_marvell_adds_noise_of_its_power_and_hides_more_with_more():
    sent, positive = gradients()
    gap = sent[positive].mean(axis=0) - sent[~positive].mean(axis=0)
    found = {}
    for power in (0.5, 4.0, 400.0):
        noisy = marvell(sent, positive, power, RNG(1))
        added = np.square(noisy - sent).sum(axis=1).mean()
        assert added == pytest.approx(power * gap @ gap, rel=0.1)
        found[power] = direction_attack(noisy, positive)
    assert direction_attack(sent, positive) > 0.99
    assert found[0.5] > found[4.0] > found[400.0]
    assert found[400.0] < 0.55


def test_marvell_sends_nothing_of_a_batch_of_one_class():
    sent, _ = gradients(rows=10)
    assert not marvell(sent, np.ones(10, dtype=bool), 1.0, RNG(0)).any()


def test_max_norm_makes_all_gradients_equally_long_in_the_mean():
    sent, _ = gradients(rows=30)
    draws = np.stack([max_norm(sent, RNG(seed)) for seed in range(3_000)])
    squares = np.square(draws).sum(axis=2).mean(axis=0)
    most = np.square(sent).sum(axis=1).max()
    np.testing.assert_allclose(squares, most, rtol=0.25)
    np.testing.assert_allclose(draws.mean(axis=0), sent, atol=0.15 * most**0.5)


def test_without_defence_gradients_tell_labels_and_noise_tells_nothing():
    sent, positive = gradients()
    assert norm_attack(sent, positive) > 0.9
    assert direction_attack(sent, positive) > 0.99
    noise = RNG(3).standard_normal(sent.shape)
    assert norm_attack(noise, positive) < 0.53
    assert direction_attack(noise, positive) < 0.56
    assert completion_attack(noise, positive, RNG(0)) < 0.53


def test_completion_finds_labels_in_activations_that_hold_them():
    _, positive = gradients()
    seen = RNG(4).standard_normal((len(positive), 5))
    seen[:, 2] += 3.0 * positive
    assert completion_attack(seen, positive, RNG(0)) > 0.9


def test_the_guarantee_is_that_of_a_gaussian_mechanism():
    epsilon, auc = label_guarantee(6.0, 1e-6)
    draws = RNG(5).standard_normal((2, 400_000)) * 6.0
    above = np.mean(draws[0] + 1.0 > draws[1])
    assert auc == pytest.approx(above, abs=0.003)
    assert auc < 0.55
    assert 0 < epsilon < 1
    assert label_guarantee(6.0, 1e-6, outputs=3)[1] > auc


def figures(labels, **options):
    parties = parties_of(rows=4_000)
    options |= {"batch_size": 200}
    fit = fit_over(SplitNetwork.of(options), task_of(parties, labels=labels), parties)
    return fit.fitted.figures if labels == SHARED else fit.figures["bank"]


def test_a_protected_fit_hides_labels_unless_told_otherwise():
    """Also from who adds up all epochs, and knows the best direction to look in."""
    found = figures(PROTECTED, epochs=6)
    for name in ("norm", "direction", "all_epochs"):
        assert found[f"attack_{name}_auc"] < 0.56
    bare = figures(PROTECTED, epochs=6, defence="none")
    assert bare["attack_all_epochs_auc"] > 0.99


def test_noise_drawn_anew_is_seen_through_over_the_epochs():
    found = figures(PROTECTED, epochs=12, defence="marvell", noise=25.0)
    assert found["attack_all_epochs_auc"] > found["attack_direction_auc"] + 0.05


def test_where_labels_are_shared_attacks_by_other_domains_are_measured():
    found = figures(SHARED, epochs=3)
    assert found["attack_direction_auc"] > 0.9
    hidden = figures(SHARED, epochs=3, defence="noisy_labels")
    assert hidden["attack_direction_auc"] < 0.56


def test_a_fixed_fit_returns_nothing_and_still_learns():
    """Not even an L2 penalty moves the nets of domains, or the middle."""
    parties = parties_of(rows=2_000)
    algorithm = SplitNetwork(epochs=3, batch_size=100, defence="fixed", l2=0.1)
    task = task_of(parties)
    fit = fit_over(algorithm, task, parties)
    begun = algorithm.blueprint(task)
    for party in begun.holders:
        for name, array in begun.bottom(parties[party]).arrays().items():
            np.testing.assert_array_equal(fit.parts[party][f"bottom.{name}"], array)
    for name, array in begun.middle().arrays().items():
        np.testing.assert_array_equal(fit.fitted.part[f"top.{name}"], array)
    told = fit.figures["bank"]
    assert told["loss_last"] < told["loss_first"]
    for name in ("norm", "direction", "all_epochs"):
        assert told[f"attack_{name}_auc"] == 0.5
    assert "nothing of any label" in fit.fitted.notes[0]


def test_beside_few_rows_of_a_class_no_direction_is_found_in_noise():
    positive = np.zeros(4_000, dtype=bool)
    positive[:24] = True
    noise = RNG(8).standard_normal((4_000, 30))
    gap = noise[positive].mean(axis=0) - noise[~positive].mean(axis=0)
    along = noise @ gap
    assert np.mean(along[positive][:, None] > along[~positive]) > 0.7
    found = [
        direction_attack(RNG(s).standard_normal(noise.shape), positive)
        for s in range(20)
    ]
    assert np.mean(found) < 0.56
    assert np.isnan(direction_attack(noise, np.arange(4_000) == 0))


def test_a_rare_class_is_waited_for_where_completion_is_run_before_training():
    positive = np.arange(2_000) % 100 == 0
    every = np.arange(2_000).reshape(-1, 10)
    evidence = Evidence(positive, (slice(0, 2),), epochs=1)
    for rows in RNG(9).permutation(every):
        sent = RNG(10).standard_normal((10, 2))
        evidence.keep(rows, 0, sent, sent)
    assert not any("untrained" in name for name in evidence.figures(RNG(0)))
    evidence = Evidence(np.arange(2_000) % 50 == 0, (slice(0, 2),), epochs=1)
    for rows in every:
        sent = RNG(10).standard_normal((10, 2))
        evidence.keep(rows, 0, sent, sent)
    assert "attack_completion_untrained_auc" in evidence.figures(RNG(0))


@pytest.mark.parametrize("kind", ["multiclass", "regression", "count"])
def test_noisy_labels_serve_every_kind_of_target(kind):
    parties = parties_of(kind)
    algorithm = SplitNetwork(epochs=2)
    fit = fit_over(algorithm, task_of(parties, kind), parties)
    assert "noise" in fit.fitted.notes[0] or "noisy" in fit.fitted.notes[0]
    assert not any("attack" in name for name in fit.figures["bank"])


def test_the_report_says_what_protects_whom():
    parties = parties_of()

    def notes(**options):
        algorithm = SplitNetwork.of({"epochs": 1} | options)
        return fit_over(algorithm, task_of(parties), parties).fitted.notes

    assert "epsilon" in notes()[0]
    assert "tell the label" in notes(defence="none")[0]
    assert "sees through" in notes(defence="marvell")[0]
    clipped = notes(activation_clip=1.0, activation_noise=2.0)
    assert "epsilon" in clipped[1]


def test_balanced_classes_count_the_same_in_all():
    y = np.array([0.0] * 90 + [1.0] * 10)
    weights = Balance(class_weight="balanced").weights(y, Target(), RNG(0))
    assert weights[:90].sum() == pytest.approx(weights[90:].sum())
    assert weights.mean() == pytest.approx(1.0)


def test_undersampling_gives_weight_0_to_some_of_the_commoner_class():
    y = np.array([0.0] * 90 + [1.0] * 10)
    weights = Balance(undersample=2.0).weights(y, Target(), RNG(0))
    assert np.count_nonzero(weights[:90]) == 20
    assert (weights[90:] > 0).all()
    assert weights.mean() == pytest.approx(1.0)


def test_decorrelation_lowers_what_activations_show_of_columns():
    parties = parties_of(rows=600)
    task = task_of(parties, labels=SHARED)
    found = []
    for weight in (0.0, 10.0):
        algorithm = SplitNetwork(
            epochs=20, batch_size=100, learning_rate=0.01, decorrelate=weight
        )
        fit = fit_over(algorithm, task, parties)
        net = algorithm.blueprint(task).bottom(parties["post"])
        part = fit.parts["post"]
        net.restore({n.removeprefix("bottom."): a for n, a in part.items()})
        x = parties["post"].block.x.T
        apart = row_distances(x, Coded(numbers=(0, 1)))
        sent = net.forward(x, training=False)
        found.append(distance_correlation(apart, sent)[0])
    assert found[1] < 0.6 * found[0]


def test_completion_is_measured_with_and_without_training():
    """On the same rows: the defended excess is small, the bare one is not."""
    told = figures(PROTECTED, epochs=6)
    after, before = (
        told[f"attack_{name}_auc"] for name in ("completion", "completion_untrained")
    )
    assert before > 0.55
    assert after - before < 0.05
    bare = figures(PROTECTED, epochs=30, defence="none", learning_rate=0.01)
    gained = bare["attack_completion_auc"] - bare["attack_completion_untrained_auc"]
    assert gained > 0.05


def end_of(own=b"a", **options):
    """Return the label party's end, and labels of which each row has one."""
    parties = parties_of(rows=600)
    owner = replace(parties["bank"], secret=own)
    algorithm = SplitNetwork.of({"epochs": 1, "batch_size": 600} | options)
    worker = algorithm.worker(task_of(parties), owner)
    assert isinstance(worker, SplitWorker)
    assert worker._end is not None
    return worker._end


def noise_of(end):
    strength = end.plan.guard.defence.noise
    return ((end._noisy.targets - end._head.targets) / strength)[:, 0]


def together(one, other):
    return abs(float(np.corrcoef(one, other)[0, 1]))


def test_labels_have_the_same_noise_in_every_run_of_the_same_strength():
    same = noise_of(end_of(noise=6.0)), noise_of(end_of(noise=6.0, epochs=3))
    np.testing.assert_allclose(*same)


def test_two_runs_of_other_strengths_do_not_share_their_noise():
    """From y + 6 u and y + 7 u both y and u can be told."""
    assert together(noise_of(end_of(noise=6.0)), noise_of(end_of(noise=7.0))) < 0.2


def test_who_has_all_rows_cannot_make_the_noise_without_the_secret():
    """An epsilon holds against one who knows every label but one, and tries both."""
    one, other = end_of(own=b"a"), end_of(own=b"b")
    assert together(noise_of(one), noise_of(other)) < 0.2
    for name, array in one._noisy.net.arrays().items():
        if array.ndim > 1:
            assert not np.allclose(array, other._noisy.net.arrays()[name])


@pytest.mark.parametrize("defence", ["max_norm", "marvell"])
def test_two_runs_do_not_share_the_noise_of_their_gradients(defence):
    """Else the difference of what they send is that of bare gradients."""
    inputs = RNG(3).standard_normal((600, end_of().plan.joined))
    nearly = inputs + 1e-3 * RNG(4).standard_normal(inputs.shape)
    rows = np.arange(600)

    def added(given):
        bare = end_of(defence="none").learn(0, rows, given)
        return end_of(defence=defence).learn(0, rows, given) - bare

    np.testing.assert_array_equal(added(inputs), added(inputs))
    assert together(added(inputs)[:, 0], added(nearly)[:, 0]) < 0.2
