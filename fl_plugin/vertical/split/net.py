"""A stack of layers with its own Adam: what one party holds of the network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked
from fl_plugin.summand import Arrays, Floats
from fl_plugin.vertical.split.layers import (
    BatchNorm,
    Coded,
    Dense,
    Dropout,
    Embedding,
    Fork,
    Join,
    Layer,
    Rectifier,
    arrays_of,
    restore,
)

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, kw_only=True)
class Training:
    """How weights move.

    Args:
        rate: Of Adam (Kingma & Ba 2015), at the first step.
        steps: Of the whole fit; the rate falls to 0 over them along a cosine. 0 where
            it stays as it is.
        l2: Weight of the penalty of half the squares of matrices.
        dropout: Share of hidden units left out of a training row.
        batch_norm: Whether hidden units are standardised over the batch.
    """

    rate: float
    steps: int = 0
    l2: float = 0.0
    dropout: float = 0.0
    batch_norm: bool = False

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, from 0."""
        if not self.steps:
            return self.rate
        return self.rate * 0.5 * (1.0 + float(np.cos(np.pi * step / self.steps)))


class Net:
    """Layers in order; what it learns from never leaves who holds it.

    Args:
        layers: In order; none where it only passes on.
        training: How weights move.
    """

    def __init__(self, layers: Sequence[Layer], training: Training) -> None:
        self._layers = list(layers)
        self._training = training
        self._step = 0
        self._moments: dict[tuple[int, str], tuple[Floats, Floats]] = {}

    def forward(self, x: Floats, *, training: bool) -> Floats:
        """Return (rows, units) of the last layer."""
        for layer in self._layers:
            x = layer.forward(x, training=training)
        return x

    def backward(self, slope: Floats) -> Floats:
        """Return the derivative by the input; each layer keeps its own slopes."""
        for layer in reversed(self._layers):
            slope = layer.backward(slope)
        return slope

    def learn(self) -> None:
        """Move all weights by the slopes that `backward` left."""
        rate = self._training.rate_at(self._step)
        self._step += 1
        for place, layer in enumerate(self._layers):
            for name, slope in layer.slopes.items():
                if name in layer.decays:
                    slope = slope + self._training.l2 * layer.weights[name]  # noqa: PLW2901
                moved = self._adam((place, name), slope)
                layer.weights[name] = layer.weights[name] - rate * moved

    def _adam(self, key: tuple[int, str], slope: Floats) -> Floats:
        zero = np.zeros_like(slope)
        first, second = self._moments.get(key, (zero, zero))
        first = _FIRST * first + (1.0 - _FIRST) * slope
        second = _SECOND * second + (1.0 - _SECOND) * np.square(slope)
        self._moments[key] = first, second
        mean = first / (1.0 - _FIRST**self._step)
        square = second / (1.0 - _SECOND**self._step)
        return np.asarray(mean / (np.sqrt(square) + _TINY))

    def arrays(self) -> dict[str, Floats]:
        """Return what it has learnt and kept, by name."""
        return arrays_of(self._layers)

    def restore(self, arrays: Arrays) -> None:
        """Take on what `arrays` returned.

        Raises:
            MessageError: They are those of another net.
        """
        own = self.arrays()
        restore(
            self._layers,
            {name: checked(arrays, name, own[name].shape) for name in own},
        )


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Where a net's first weights and its dropout come from.

    Args:
        weights: For first weights.
        dropout: For what is left out.
    """

    weights: np.random.Generator
    dropout: np.random.Generator


def hidden(
    units: Sequence[int], inputs: int, training: Training, drawn: Drawn
) -> list[Layer]:
    """Return hidden layers: dense, standardised if asked for, rectified, dropped."""
    layers: list[Layer] = []
    for size in units:
        layers.append(Dense(inputs, size, drawn.weights))
        if training.batch_norm:
            layers.append(BatchNorm(size))
        layers.append(Rectifier())
        if training.dropout:
            layers.append(Dropout(training.dropout, drawn.dropout))
        inputs = size
    return layers


def residual(
    units: Sequence[int], width: int, training: Training, drawn: Drawn
) -> list[Layer]:
    """Return hidden layers whose result is added to their input; none without units.

    The last matrix begins at 0, so at first all passes through as it came.
    """
    if not units:
        return []
    fork = Fork()
    last = Dense(units[-1], width, drawn.weights)
    last.weights["weight"] = np.zeros((units[-1], width))
    return [fork, *hidden(units, width, training, drawn), last, Join(fork)]


def last_layers(
    units: Sequence[int], ends: tuple[int, int], training: Training, drawn: Drawn
) -> list[Layer]:
    """Return hidden layers and a linear one.

    Args:
        units: Of the hidden layers.
        ends: Inputs and outputs.
        training: How it learns.
        drawn: Its draws.
    """
    last = units[-1] if units else ends[0]
    layers = hidden(units, ends[0], training, drawn)
    return [*layers, Dense(last, ends[1], drawn.weights)]


def bottom_net(
    coded: Coded,
    sizes: tuple[Sequence[int], int, int],
    training: Training,
    drawn: Drawn,
) -> Net:
    """Return a domain's net over its own block.

    Args:
        coded: What its columns are.
        sizes: Units of hidden layers, numbers a row sends, numbers per code.
        training: How it learns.
        drawn: Its draws.
    """
    units, cut, embedding = sizes
    table = Embedding(coded, embedding, drawn.weights)
    layers = last_layers(units, (table.units, cut), training, drawn)
    return Net([table, *layers], training)
