"""The layers of a net, each with its own derivative; rows first: (rows, units).

A layer remembers the rows of its last training pass until `backward` has used them.
`backward` turns the derivative by what the layer gave into that by what it got, and
leaves its own weights' derivatives, summed over the rows, in `slopes`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from fl_plugin.summand import Array, Arrays, Floats

_STEADY = 0.9  # share of the running moments that a batch leaves as they are
_SMALLEST_VARIANCE = 1e-5


class Layer(ABC):
    """One layer; `weights` are learnt, `kept` is remembered beside them."""

    decays: ClassVar[tuple[str, ...]] = ()  # weights that an L2 penalty pulls to 0

    def __init__(self) -> None:
        self.weights: dict[str, Floats] = {}
        self.kept: dict[str, Floats] = {}
        self.slopes: dict[str, Floats] = {}

    @abstractmethod
    def forward(self, x: Floats, *, training: bool) -> Floats:
        """Return what the next layer gets: (rows, units)."""

    @abstractmethod
    def backward(self, slope: Floats) -> Floats:
        """Return the derivative by the last training input."""


class Dense(Layer):
    """x W + b, W with orthogonal rows or columns (Saxe et al. 2014, arXiv:1312.6120).

    As large in the mean as Glorot & Bengio (2010) draw it.
    """

    decays: ClassVar[tuple[str, ...]] = ("weight",)

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator) -> None:
        super().__init__()
        drawn = _even(inputs, outputs, rng)
        self.weights = {"weight": drawn, "bias": np.zeros(outputs)}
        self._x = np.empty((0, inputs))

    def forward(self, x: Floats, *, training: bool) -> Floats:
        """Return x W + b."""
        if training:
            self._x = x
        return np.asarray(x @ self.weights["weight"] + self.weights["bias"])

    def backward(self, slope: Floats) -> Floats:
        """As of a linear map."""
        self.slopes = {"weight": self._x.T @ slope, "bias": slope.sum(axis=0)}
        return np.asarray(slope @ self.weights["weight"].T)


def _even(inputs: int, outputs: int, rng: np.random.Generator) -> Floats:
    """Return a first matrix that stretches all directions alike.

    Square matrices of independent draws all but lose some direction of what they get.
    Where a defence returns little but noise, nothing brings it back, and how much is
    lost is down to the seed.
    """
    most, least = max(inputs, outputs), min(inputs, outputs)
    turned, told = np.linalg.qr(rng.standard_normal((most, least)))
    turned *= np.where(np.diag(told) < 0, -1.0, 1.0)  # else not evenly distributed
    turned *= np.sqrt(2.0 * most / (inputs + outputs))
    return np.ascontiguousarray(turned if inputs >= outputs else turned.T)


class Rectifier(Layer):
    """What is negative becomes 0."""

    def __init__(self) -> None:
        super().__init__()
        self._on: Array = np.empty((0, 0), dtype=np.bool_)

    def forward(self, x: Floats, *, training: bool) -> Floats:
        """Return max(x, 0)."""
        if training:
            self._on = x > 0.0
        return np.maximum(x, 0.0)

    def backward(self, slope: Floats) -> Floats:
        """Let through where the input was positive."""
        return np.asarray(slope * self._on)


class Dropout(Layer):
    """Set a share of the units of each training row to 0 (Srivastava et al. 2014)."""

    def __init__(self, share: float, rng: np.random.Generator) -> None:
        super().__init__()
        self._share, self._rng = share, rng
        self._scale = np.empty((0, 0))

    def forward(self, x: Floats, *, training: bool) -> Floats:
        """Return x with some units at 0, the others scaled up in return."""
        if not training:
            return x
        stays = self._rng.random(x.shape) >= self._share
        self._scale = stays / (1.0 - self._share)
        return np.asarray(x * self._scale)

    def backward(self, slope: Floats) -> Floats:
        """Let through what stayed."""
        return np.asarray(slope * self._scale)


class BatchNorm(Layer):
    """Standardise every unit over the batch (Ioffe & Szegedy 2015).

    The moments are those of the party's own units: nothing of them travels. Scoring
    uses the running ones, in `kept`.
    """

    def __init__(self, units: int) -> None:
        super().__init__()
        self.weights = {"scale": np.ones(units), "shift": np.zeros(units)}
        self.kept = {"mean": np.zeros(units), "variance": np.ones(units)}
        self._z = np.empty((0, units))
        self._root = np.ones(units)

    def forward(self, x: Floats, *, training: bool) -> Floats:
        """Return the standardised units, scaled and shifted."""
        if not training:
            mean, variance = self.kept["mean"], self.kept["variance"]
            z = (x - mean) / np.sqrt(variance + _SMALLEST_VARIANCE)
            return np.asarray(z * self.weights["scale"] + self.weights["shift"])
        mean, variance = x.mean(axis=0), x.var(axis=0)
        for name, now in (("mean", mean), ("variance", variance)):
            self.kept[name] = _STEADY * self.kept[name] + (1.0 - _STEADY) * now
        self._root = np.sqrt(variance + _SMALLEST_VARIANCE)
        self._z = (x - mean) / self._root
        return np.asarray(self._z * self.weights["scale"] + self.weights["shift"])

    def backward(self, slope: Floats) -> Floats:
        """Through the moments too."""
        z = self._z
        self.slopes = {"scale": (slope * z).sum(axis=0), "shift": slope.sum(axis=0)}
        inner = slope * self.weights["scale"]
        mean, along = inner.mean(axis=0), (inner * z).mean(axis=0)
        return np.asarray((inner - mean - z * along) / self._root)


class Fork(Layer):
    """Remembers what a later `Join` adds again."""

    def __init__(self) -> None:
        super().__init__()
        self.x = np.empty((0, 0))
        self.around = np.empty((0, 0))  # the slope that comes past the layers between

    def forward(self, x: Floats, *, training: bool) -> Floats:  # noqa: ARG002
        """Return x."""
        self.x = x
        return x

    def backward(self, slope: Floats) -> Floats:
        """Add the slope of both ways."""
        return np.asarray(slope + self.around)


class Join(Layer):
    """Adds what a `Fork` saw: the layers between learn a change (He et al. 2016)."""

    def __init__(self, fork: Fork) -> None:
        super().__init__()
        self._fork = fork

    def forward(self, x: Floats, *, training: bool) -> Floats:  # noqa: ARG002
        """Return the sum."""
        return np.asarray(x + self._fork.x)

    def backward(self, slope: Floats) -> Floats:
        """Give both ways the same slope."""
        self._fork.around = slope
        return slope


@dataclass(frozen=True)
class Coded:
    """Which columns of a block are numbers, and which are codes for a table.

    Args:
        numbers: Places of numeric columns.
        codes: Of each categorical column its place and how many codes it has; the
            last code is for what was unknown or missing.
    """

    numbers: tuple[int, ...]
    codes: tuple[tuple[int, int], ...] = ()


@dataclass
class _Looked:
    codes: Array = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))


class Embedding(Layer):
    """Look every code up in a table of its column; numbers go through.

    Args:
        coded: What the columns are.
        width: Numbers that stand for one code.
        rng: For the tables' first values.
    """

    def __init__(self, coded: Coded, width: int, rng: np.random.Generator) -> None:
        super().__init__()
        self._coded, self._width = coded, width
        self._numbers = list(coded.numbers)
        self._places = [place for place, _ in coded.codes]
        self._looked = _Looked()
        for index, (_, codes) in enumerate(coded.codes):
            self.weights[f"table{index}"] = rng.normal(0.0, 0.5, (codes, width))

    @property
    def units(self) -> int:
        """How many units it gives."""
        return len(self._numbers) + self._width * len(self._places)

    def forward(self, x: Floats, *, training: bool) -> Floats:
        """Return (rows, units): the numbers, then the tables' lines."""
        codes = x[:, self._places].astype(np.int64)
        if training:
            self._looked.codes = codes
        found = [
            self.weights[f"table{index}"][codes[:, index]]
            for index in range(len(self._places))
        ]
        return np.concatenate([x[:, self._numbers], *found], axis=1)

    def backward(self, slope: Floats) -> Floats:
        """Add up the slopes of each code; a block is learnt by nothing below it."""
        begin = len(self._numbers)
        for index, (_, codes) in enumerate(self._coded.codes):
            part = slope[:, begin : begin + self._width]
            table = np.zeros((codes, self._width))
            np.add.at(table, self._looked.codes[:, index], part)
            self.slopes[f"table{index}"] = table
            begin += self._width
        return slope[:, : len(self._numbers)]


def arrays_of(layers: list[Layer]) -> dict[str, Floats]:
    """Return all that a net's layers have learnt or kept, by name."""
    return {
        f"{place}.{name}": array
        for place, layer in enumerate(layers)
        for name, array in (layer.weights | layer.kept).items()
    }


def restore(layers: list[Layer], arrays: Arrays) -> None:
    """Put arrays of `arrays_of` back; their shapes must have been checked."""
    for place, layer in enumerate(layers):
        for held in (layer.weights, layer.kept):
            for name in held:
                held[name] = np.array(arrays[f"{place}.{name}"], dtype=np.float64)
