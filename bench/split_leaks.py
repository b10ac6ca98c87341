"""What attacks on labels find in a split network's messages, and what a defence costs.

Part of `python -m bench.split_network`. Attacks by the coordinator are those that the
label party measures itself; attacks by domains look at what each of them got and sent.

Model completion needs no message: 40 known labels and features, trained on or not, tell
something of all other labels, and no defence of the messages can push it below that. So
it is run four times with the same known labels: on activations of the trained nets, of
the same nets before training, of the trained nets on rows that were never trained on,
and on raw columns. What training told is the first less the second.
"""

from collections.abc import Mapping

import numpy as np

from bench.figures import Figure
from bench.split_default import GROUPS, LABEL, Floats, Parted, one_hot, parted
from bench.split_fits import Options, run
from fl_plugin.algorithms.base import Block
from fl_plugin.summand import Array
from fl_plugin.vertical.base import PROTECTED, SHARED
from fl_plugin.vertical.split.attacks import (
    completion_attack,
    direction_attack,
    norm_attack,
)
from fl_plugin.vertical.split.blueprint import Blueprint, coded_of, rows_of
from fl_plugin.vertical.split.decorrelation import distance_correlation, row_distances
from fl_plugin.vertical.split.label import named
from fl_plugin.vertical.split.party import COORDINATOR
from fl_plugin.vertical.split.wire import unpacked
from fl_plugin.vertical.split_network import SplitNetwork
from tests.vertical import Fit, sides

COMPLETION = "attack completion auc"

TRADE: Mapping[str, Options] = {
    "no defence": {"defence": "none"},
    "max_norm": {"defence": "max_norm"},
    "marvell, power 1": {"defence": "marvell", "noise": 1.0},
    "marvell, power 25": {"defence": "marvell", "noise": 25.0},
    "marvell, power 400": {"defence": "marvell", "noise": 400.0},
    "noisy_labels, 1": {"defence": "noisy_labels", "noise": 1.0},
    "noisy_labels, 3": {"defence": "noisy_labels", "noise": 3.0},
    "noisy_labels, 6": {"defence": "noisy_labels", "noise": 6.0},
    "noisy_labels, 12": {"defence": "noisy_labels", "noise": 12.0},
    "noisy_labels, 20": {"defence": "noisy_labels", "noise": 20.0},
}


def attacks(part: Parted, fit: Fit, seed: int) -> dict[str, float]:
    """Return what attacks find: at the coordinator, and the worst of the domains."""
    found = {
        f"coordinator: {_words(name)}": value
        for name, value in fit.figures[LABEL].items()
        if name.startswith("attack") and "completion" not in name
    }
    for name, value in _completions(part, fit, COORDINATOR, seed).items():
        found[f"coordinator: {name}"] = value
    positive = part.y_train == 1.0
    for party in GROUPS:
        back, _, every = seen_by(part, fit, party, seed)
        one = {
            "attack norm auc": norm_attack(back, positive),
            "attack direction auc": direction_attack(back, positive),
            "attack all epochs auc": direction_attack(every, positive),
            **_completions(part, fit, party, seed),
        }
        for name, value in one.items():
            key = f"worst domain: {name}"
            found[key] = max(found.get(key, -1.0), value)
    return found


def _completions(part: Parted, fit: Fit, party: str, seed: int) -> dict[str, float]:
    """Return what 40 labels find with a party's activations, and without training."""
    positive, unseen = part.y_train == 1.0, part.y_test == 1.0
    plan = SplitNetwork().blueprint(part.task(PROTECTED, seed))
    there = party == COORDINATOR
    raw = one_hot(part, part.train) if there else part.train[party].x.T
    trained = activations(part, part.train, plan, fit)[party]
    before = activations(part, part.train, plan, None)[party]
    later = activations(part, part.test, plan, fit)[party]

    def found(rows: Floats, labels: Array) -> float:
        return completion_attack(rows, labels, np.random.default_rng(seed))

    after, without = found(trained, positive), found(before, positive)
    return {
        f"{COMPLETION}, absolute": after,
        f"{COMPLETION} before training": without,
        f"{COMPLETION} on unseen rows": found(later, unseen),
        f"{COMPLETION} on raw columns": found(raw, positive),
        f"{COMPLETION}, excess over before training": after - without,
    }


def activations(
    part: Parted, blocks: Mapping[str, Block], plan: Blueprint, fit: Fit | None
) -> dict[str, Floats]:
    """Return all domains' activations and the coordinator's; before a fit if None."""
    found: dict[str, Floats] = {}
    rows = sides(blocks, part.columns)
    for party, side in sides(part.train, part.columns).items():
        if party in plan.holders:  # first weights come from the training rows
            net = plan.bottom(side)
            if fit is not None:
                net.restore(named(fit.parts[party], "bottom"))
            found[party] = net.forward(rows_of(rows[party]), training=False)
    middle = plan.middle()
    if fit is not None:
        middle.restore(named(fit.fitted.part, "top"))
    joined = np.concatenate([found[p] for p in plan.holders], axis=1)
    return found | {COORDINATOR: middle.forward(joined, training=False)}


def _words(name: str) -> str:
    return name.replace("_", " ")


def seen_by(
    part: Parted, fit: Fit, party: str, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Return by row the last gradients a domain got, what it sent, and all it got."""
    plan = SplitNetwork().blueprint(part.task(PROTECTED, seed))
    orders, shape = plan.schedule.orders(), (plan.task.rows, plan.sizes.cut)
    back, sent, every = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    mine = [m for m in fit.wire.sent if m.party == party]
    down = [m.arrays for m in mine if not m.up and "gradient" in m.arrays]
    up = [m.arrays for m in mine if m.up and "cut" in m.arrays]
    for step, (gradient, cut) in enumerate(zip(down, up, strict=True)):
        rows = orders.rows(step)
        size = (len(rows), plan.sizes.cut)
        got = unpacked(gradient, "gradient", size, plan.precision)
        back[rows] = got
        every[rows] += got / max(float(np.sqrt(np.square(got).mean())), 1e-30)
        sent[rows] = unpacked(cut, "cut", size, plan.precision)
    return back, sent, every


def trade_offs(table: Mapping[str, Floats], seed: int) -> list[Figure]:
    """Return what each defence costs and what the attacks still find."""
    part = parted(table, seed, GROUPS)
    figures = []
    for name, options in TRADE.items():
        outcome = run(part, PROTECTED, seed, options)
        told = outcome.fit.figures[LABEL]
        figures += [
            Figure(name=f"{name}: AUC", value=outcome.auc),
            Figure(name="  average precision", value=outcome.precision),
            *(
                Figure(name=f"  {_words(n)}", value=v)
                for n, v in told.items()
                if n.startswith("attack")
            ),
        ]
    for weight in (0.0, 1.0):
        options = {"defence": "none", "decorrelate": weight}
        outcome = run(part, SHARED, seed, options, keep=True)
        figures += [
            Figure(name=f"decorrelate {weight:g}: AUC", value=outcome.auc),
            Figure(
                name="  distance correlation with own columns, mean of domains",
                value=correlation(part, outcome.fit, seed),
            ),
        ]
    return figures


def correlation(part: Parted, fit: Fit, seed: int) -> float:
    """Return the distance correlation of activations with columns, last epoch."""
    found = []
    for party in GROUPS:
        sent = seen_by(part, fit, party, seed)[1][:2_000]
        columns = part.columns[party]
        coded = coded_of(columns)
        apart = row_distances(part.train[party].x.T[:2_000], coded)
        found.append(np.sqrt(distance_correlation(apart, sent)[0]))
    return float(np.mean(found))
