"""A domain's personal model: the shared network with its last layer fitted further.

The hidden layers are what the domains have in common and stay as they are; the last
layer is fitted to the domain's own rows, starting at the shared one (Arivazhagan et
al. 2019, "Federated learning with personalization layers", arXiv:1912.00818). The
result has seen one domain's rows alone, so it never leaves that domain.
"""

from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Design, Task
from fl_plugin.algorithms.neural.estimator import folded, standard, unfolded
from fl_plugin.algorithms.neural.perceptron import Network, batches
from fl_plugin.summand import Floats

# Apart from every key of the shared training, whose second part is a round.
_OWN = 2**31


@dataclass(frozen=True)
class Passes:
    """How a last layer is fitted.

    Args:
        epochs: Passes over the rows.
        batch_size: Rows of a step.
        rate: Learning rate of the first pass; it falls to 0 over them.
        alpha: Weight of the L2 penalty, as scikit-learn's.
    """

    epochs: int
    batch_size: int
    rate: float
    alpha: float


def personal(
    weights: Floats, network: Network, task: Task, design: Design, passes: Passes
) -> Floats:
    """Return the weights with the last layer fitted to the design's rows."""
    standing = unfolded(weights, network, task)
    matrices, intercepts = network.layers(standing)
    last = Network(network.sizes[-2:], network.kind)
    tuned = np.append(matrices[-1].ravel(), intercepts[-1])
    penalty = np.zeros(last.size)
    penalty[: last.matrices] = passes.alpha / passes.batch_size
    for epoch in range(passes.epochs):
        rate = passes.rate * (1.0 - epoch / passes.epochs)
        key = (task.seed, _OWN, epoch)
        for x, y in batches(design, passes.batch_size, task.width, key):
            seen = network.hidden(standing, x)[-1]
            _, slope = last.gradient(tuned, seen, standard(y, task))
            tuned -= rate * (slope + penalty * tuned)
    matrices[-1][:] = tuned[: last.matrices].reshape(matrices[-1].shape)
    intercepts[-1][:] = tuned[last.matrices :]
    return folded(standing, network, task)
