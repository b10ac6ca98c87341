"""The split network in one process: one stack of rows, one backward pass, one Adam.

Written apart from the parties' halves: it takes first weights and layers from the
blueprint, and does the rest by itself, without messages.
"""

import numpy as np

from fl_plugin.algorithms.base import Block
from fl_plugin.vertical.base import Side
from fl_plugin.vertical.split.blueprint import Blueprint, drawn
from fl_plugin.vertical.split.goals import Goal, encoded
from fl_plugin.vertical.split.keys import CHOICE, Secret


def secret_of_end(plan: Blueprint, sides: dict[str, Side]) -> Secret:
    owner = sides[plan.task.label_party]
    if plan.shared:
        block = Block(np.empty((0, plan.task.rows)), owner.block.y)
        return Secret.of(plan.task.seed, "coordinator", block)
    return Secret.of(plan.task.seed, f"{owner.party} labels", owner.block)


def train(plan: Blueprint, sides: dict[str, Side]) -> dict[str, np.ndarray]:
    """Return all weights of the network by `party.net.place.name`."""
    y = sides[plan.task.label_party].block.y
    secret = secret_of_end(plan, sides)
    targets = encoded(y, plan.task.target)
    weights = plan.balance.weights(y, plan.task.target, secret.rng(CHOICE))
    goal = Goal.of(plan.task.target.kind, targets, weights)
    bottoms = {p: plan.bottom(sides[p])._layers for p in plan.holders}
    middle = [] if plan.shared else plan.middle()._layers
    end = plan.end(drawn(secret))._layers
    moments: dict[tuple[int, str], list[np.ndarray]] = {}
    done = 0
    for epoch in range(plan.schedule.epochs):
        rng = np.random.default_rng([plan.task.seed, 0, epoch])
        order = rng.permutation(plan.task.rows)
        for rows in np.array_split(order, plan.schedule.batches):
            parts = []
            for party, layers in bottoms.items():
                parts.append(_forward(layers, sides[party].block.x.T[rows]))
            z = _forward([*middle, *end], np.concatenate(parts, axis=1))
            slope = goal.losses(z, targets[rows])[1] * weights[rows][:, None]
            slope = _backward([*middle, *end], slope / len(rows))
            for place, layers in enumerate(bottoms.values()):
                begin = place * plan.sizes.cut
                _backward(layers, slope[:, begin : begin + plan.sizes.cut])
            done += 1
            everything = [*middle, *end, *(x for ls in bottoms.values() for x in ls)]
            _adam(everything, moments, plan, done)
    nets = {f"{p}.bottom": layers for p, layers in bottoms.items()}
    nets |= {"coordinator.top": middle, "end.label": end}
    return {
        f"{net}.{place}.{name}": array
        for net, layers in nets.items()
        for place, layer in enumerate(layers)
        for name, array in {**layer.weights, **layer.kept}.items()
    }


def _forward(layers, x):
    for layer in layers:
        x = layer.forward(x, training=True)
    return x


def _backward(layers, slope):
    for layer in layers[::-1]:
        slope = layer.backward(slope)
    return slope


def _adam(layers, moments, plan, done):
    """Adam as in the paper, algorithm 1, by 1 - beta^t."""
    rate = plan.training.rate
    if plan.training.steps:
        rate *= (1 + np.cos(np.pi * (done - 1) / plan.training.steps)) / 2
    for number, layer in enumerate(layers):
        for name in layer.weights:
            weight = layer.weights[name]
            penalty = plan.training.l2 if name == "weight" else 0.0
            slope = layer.slopes[name] + penalty * weight
            held = moments.setdefault((number, name), [0 * weight, 0 * weight])
            held[0] = 0.9 * held[0] + 0.1 * slope
            held[1] = 0.999 * held[1] + 0.001 * slope**2
            first, second = held[0] / (1 - 0.9**done), held[1] / (1 - 0.999**done)
            layer.weights[name] = weight - rate * first / (np.sqrt(second) + 1e-8)
