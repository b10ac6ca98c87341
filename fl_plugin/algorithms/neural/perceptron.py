"""The network of the MLP family: its layers, its loss and the gradient of that loss.

The function is scikit-learn's: rectified linear layers, then the logistic function,
softmax or nothing, with the loss that belongs to it (log loss, half the squared error).
A network's weights are one vector, its matrices first, then its intercepts, each in
order of layers: (inputs, outputs) row after row, as scikit-learn packs them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fl_plugin.algorithms.base import Design
from fl_plugin.summand import Array, Floats

# Of one row: so that a sum of losses has a public bound.
LARGEST_LOSS = 100.0
# Values held at a time (32 MB): a table up to that size is shuffled as a whole.
ROOM = 2**22
_NO_HIDDEN = 2  # sizes: columns and outputs

Layers = tuple[list[Floats], list[Floats]]


@dataclass(frozen=True)
class Network:
    """A shape; the weights are an argument of what it does.

    Args:
        sizes: Columns, units of each hidden layer, outputs.
        kind: "binary", "multiclass" or "regression".
    """

    sizes: tuple[int, ...]
    kind: str

    @property
    def matrices(self) -> int:
        """How many of the weights are no intercepts; they come first."""
        return sum(here * there for here, there in pairwise(self.sizes))

    @property
    def size(self) -> int:
        """How many weights there are."""
        return self.matrices + sum(self.sizes[1:])

    def layers(self, weights: Floats) -> Layers:
        """Return views: matrices (inputs, outputs) and intercepts (outputs,)."""
        matrices, intercepts, place = [], [], 0
        for here, there in pairwise(self.sizes):
            matrices.append(weights[place : place + here * there].reshape(here, there))
            place += here * there
        for there in self.sizes[1:]:
            intercepts.append(weights[place : place + there])
            place += there
        return matrices, intercepts

    def start(self, seed: int) -> Floats:
        """Return weights drawn as scikit-learn draws them (Glorot & Bengio 2010).

        Zeros without a hidden layer: there are no units to be told apart by chance.
        """
        if len(self.sizes) == _NO_HIDDEN:
            return np.zeros(self.size)
        rng = np.random.default_rng(seed)
        weights = np.empty(self.size)
        for matrix, intercept in zip(*self.layers(weights), strict=True):
            farthest = np.sqrt(6.0 / sum(matrix.shape))
            matrix[:] = rng.uniform(-farthest, farthest, matrix.shape)
            intercept[:] = rng.uniform(-farthest, farthest, intercept.shape)
        return weights

    def hidden(self, weights: Floats, x: Floats) -> list[Floats]:
        """Return the rows as each layer gets them: (inputs, rows) of every layer."""
        matrices, intercepts = self.layers(weights)
        seen = [x]
        for matrix, intercept in zip(matrices[:-1], intercepts[:-1], strict=True):
            z = matrix.T @ seen[-1] + intercept[:, None]
            seen.append(np.maximum(z, 0.0, out=z))
        return seen

    def gradient(self, weights: Floats, x: Floats, y: Floats) -> tuple[float, Floats]:
        """Return the sum of the rows' losses, and the gradient of their mean.

        Args:
            weights: (size,).
            x: (columns, rows).
            y: (rows,), as in a `Block`; standardised for a regression.
        """
        matrices, intercepts = self.layers(weights)
        seen = self.hidden(weights, x)
        loss, error = self._output(
            matrices[-1].T @ seen[-1] + intercepts[-1][:, None], y
        )
        error /= len(y)
        found = np.empty_like(weights)
        by_matrix, by_intercept = self.layers(found)
        for place in reversed(range(len(matrices))):
            by_matrix[place][:] = seen[place] @ error.T
            by_intercept[place][:] = error.sum(axis=1)
            if place:
                error = (matrices[place] @ error) * (seen[place] > 0.0)
        return loss, found

    def _output(self, z: Floats, y: Floats) -> tuple[float, Floats]:
        """Return the sum of losses and its derivative by `z` (outputs, rows)."""
        if self.kind == "regression":
            error = z - y
            losses = 0.5 * np.square(error[0])
        elif self.kind == "binary":
            small = np.exp(-np.abs(z))  # never overflows
            losses = (np.log1p(small) + np.maximum(z, 0.0) - z * y)[0]
            error = np.where(z >= 0, 1.0, small) / (1.0 + small) - y
        else:
            error = np.exp(z - z.max(axis=0))
            error /= error.sum(axis=0)
            own = y.astype(np.int64), np.arange(len(y))
            losses = -np.log(np.maximum(error[own], np.finfo(np.float64).tiny))
            error[own] -= 1.0
        return float(np.minimum(losses, LARGEST_LOSS).sum()), error


def batches(
    design: Design, size: int, width: int, key: tuple[int, ...]
) -> Iterator[tuple[Floats, Floats]]:
    """Yield all rows once, about `size` at a time: x (columns, rows) and y (rows,).

    Their order comes from the key and the rows' hashes alone, not from how they are
    stored, up to `ROOM` values; a larger table is shuffled in rooms of that size.
    """
    secret = np.random.default_rng(key).integers(2**64, size=1, dtype=np.uint64)
    for block in design.blocks(max(size, ROOM // max(width, 1))):
        hashes = block.hashes
        if len(hashes) != block.rows:
            hashes = np.arange(block.rows, dtype=np.uint64)
        order = np.argsort(_mixed(hashes ^ secret), kind="stable")
        x, y = block.x[:, order], block.y[order]
        count = max(1, round(block.rows / size))
        for part in np.array_split(np.arange(block.rows), count):
            begin, end = part[0], part[-1] + 1
            yield x[:, begin:end], y[begin:end]


def _mixed(words: Array) -> Array:
    """Return splitmix64's finaliser of each word (Steele, Lea & Flood 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> np.uint64(31)))
