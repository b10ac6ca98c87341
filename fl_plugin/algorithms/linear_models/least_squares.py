"""What the models of least squares share: two exchanges that hold all of the rows.

The first adds the columns' sums and sums of squares, to know their means and sizes. The
second adds the products of all columns, centred and brought to one size, so that no
digits are lost to a large mean or to columns of unlike units. What the centring still
lacks is corrected by the columns' own sums (Chan, Golub & LeVeque 1983, "Algorithms for
computing the sample variance"). Where columns nearly repeat one another, a third kind
of exchange measures the gradient at the solution, to refine it: products lose twice
the digits that residuals lose (Bjorck 1996, "Numerical methods for least squares
problems", section 2.9).
"""

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import (
    BATCH,
    Block,
    Certificate,
    Design,
    Question,
    RowAlgorithm,
    Task,
)
from fl_plugin.algorithms.checks.arrays import checked, malformed, whole_number
from fl_plugin.algorithms.geometry.symmetric import full, half_size, triangle
from fl_plugin.algorithms.linear_models.questions import capped, point_of
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Array, Arrays, Floats, Summand

MOMENTS, PRODUCTS, RESIDUALS = range(3)
# A column's size is at least this share of its mean: beyond it there are no digits.
FLATTEST = 1e-7
SMALLEST, HUGEST = 1e-150, 1e150
REFINEMENTS = 5
# Of one rounding in float64, as a share of the largest term of a sum.
FLOAT_NOISE = 2.0**-50


@dataclass(frozen=True, kw_only=True)
class Gram:
    """All that least squares needs of the rows, in columns of mean 0 and size 1.

    Args:
        mean: Of the columns, then of the target, in their own units: (p+1,).
        scale: What they were divided by: (p+1,).
        matrix: Sums of products of the columns: (p, p).
        target: Sums of products of the columns with the target: (p,).
        square: Sum of squares of the target.
        rows: How many there are.
        rounding: How far an entry can be off.
        center: What was subtracted from the columns, close to the mean: (p+1,).
    """

    mean: Floats
    scale: Floats
    matrix: Floats
    target: Floats
    square: float
    rows: int
    rounding: float
    center: Floats

    @property
    def unit(self) -> Floats:
        """A coefficient in the columns' own units, over the same in ours: (p,)."""
        return np.asarray(self.scale[-1] / self.scale[:-1])

    def residue(self, scaled: Floats) -> float:
        """Return the sum of squared residuals in the target's own units."""
        explained = 2.0 * scaled @ self.target - scaled @ self.matrix @ scaled
        return max(0.0, self.square - float(explained)) * float(self.scale[-1]) ** 2

    def model(self, own: Floats) -> dict[str, Array]:
        """Return the model's arrays for coefficients in the columns' own units."""
        intercept = self.mean[-1:] - own @ self.mean[:-1]
        return {"coefficients": own, "intercept": intercept}

    def noise(self, scaled: Floats) -> float:
        """Return how far an entry of the gradient can be off by rounding."""
        reach = 1.0 + float(np.abs(scaled).sum())
        return (self.rounding + FLOAT_NOISE * self.rows) * reach

    def certify(self, found: "Solution", penalty: float) -> Certificate | None:
        """Return how far the optimum of half the squared loss can be, in own units.

        A quadratic's distance to its optimum is at most |gradient| over the smallest
        eigenvalue of its Hessian (Boyd & Vandenberghe 2004, section 9.1.2). The
        intercept follows from the coefficients.

        Args:
            found: What was found.
            penalty: Weight of half the squared coefficients, in own units.
        """
        sizes, target = self.scale[:-1], float(self.scale[-1])
        values = np.linalg.eigvalsh(self.matrix * sizes * sizes[:, None])
        off = len(values) * (self.rounding + FLOAT_NOISE * self.rows)
        smallest = max(0.0, values[0] - off * float((sizes**2).max())) + penalty
        if smallest <= 0.0:
            return None
        norm = float(np.linalg.norm(found.gradient * sizes)) * target
        unknown = self.noise(found.scaled) * float(np.linalg.norm(sizes)) * target
        return Certificate(
            gradient_norm=norm,
            smallest_eigenvalue=smallest,
            distance_bound=(norm + unknown) / smallest,
        )


@dataclass(frozen=True, kw_only=True)
class LeastSquares(RowAlgorithm):
    """Base of the models that are fitted from products of columns."""

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """Return `moments` (2, p+1), `gram` (upper triangle) or `gradient` (p+1,)."""
        stage = int(question["stage"][0])
        if stage == MOMENTS:
            return {"moments": _moments(task, design)}
        size = task.width + 2
        products, gradient = np.zeros((size, size)), np.zeros(size - 1)
        room = np.empty((size, BATCH))
        for block in design.blocks(BATCH):
            even = _even(block, question, room[:, : block.rows])
            if stage == PRODUCTS:
                products += even @ even.T
            else:
                columns = even[:-1]
                gradient += columns @ (even[-1] - question["point"] @ columns)
        if stage == PRODUCTS:
            return {"gram": triangle(products)}
        return {"gradient": gradient}

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """In columns of size 1 the squares add up to n; a factor 2 is for rounding.

        Nothing bounds the moments, so they take six words each.
        """
        capped(task.width)
        stage = whole_number(question, "stage", RESIDUALS)
        shape, total = (task.width + 1,), 2.0 * max(task.rows, 1)
        if stage == MOMENTS:
            return {"moments": Summand(shape=(2, *shape), bound=None)}
        center, scale = (checked(question, n, shape) for n in ("center", "scale"))
        if not (np.abs(center) <= HUGEST).all():
            raise malformed("center")
        if not ((scale >= SMALLEST) & (scale <= HUGEST)).all():
            raise malformed("scale")
        if stage == PRODUCTS:
            size = half_size(task.width + 2)
            return {"gram": Summand(shape=(size,), bound=total)}
        reach = 1.0 + float(np.abs(point_of(question, *shape)).sum())
        return {"gradient": Summand(shape=shape, bound=total * reach)}

    def gram(self, task: Task) -> Generator[Question, Arrays, Gram]:
        """Ask the two questions; return what least squares needs.

        Raises:
            TrainingError: There are no rows, or the target does not vary.
        """
        capped(task.width)
        sums = (yield Question(arrays={"stage": _stage(MOMENTS)}))["moments"]
        center, scale = _sizes(sums / max(task.rows, 1))
        question = _about(PRODUCTS, center, scale)
        raw = (yield question)["gram"]
        products, ones = full(raw, task.width + 2), task.width
        rows = max(task.rows, 1)
        left = np.delete(products[ones], ones)  # what centring still lacks, times n
        products = np.delete(np.delete(products, ones, axis=0), ones, axis=1)
        centred = products - np.outer(left, left) / rows
        rounding = task.parties * self.answers(question.arrays, task)["gram"].rounding
        return Gram(
            mean=center + scale * left / rows,
            scale=scale,
            matrix=centred[:-1, :-1],
            target=centred[:-1, -1],
            square=float(centred[-1, -1]),
            rows=rows,
            rounding=3.0 * rounding,
            center=center,
        )

    def refine(
        self, gram: Gram, penalty: Floats, solving: Callable[[Floats], Floats]
    ) -> Generator[Question, Arrays, "Solution"]:
        """Improve a solution by measured gradients for as long as that helps.

        Args:
            gram: Of the rows.
            penalty: Weight of half of each squared coefficient, in our units.
            solving: Returns the solution for a right side such as `gram.target`.
        """
        offset = (gram.mean - gram.center) / gram.scale
        size = np.sqrt(np.maximum(np.diag(gram.matrix), 0.0))
        scaled, last, asked = solving(gram.target), math.inf, 0
        while True:
            point = np.append(scaled, offset[-1] - scaled @ offset[:-1])
            sums = (yield _about(RESIDUALS, gram.center, gram.scale, point))["gradient"]
            asked += 1
            gradient = penalty * scaled - sums[:-1] + offset[:-1] * sums[-1]
            step = solving(-gradient)
            moved = float(np.abs(step * size).max(initial=0.0))
            if moved >= last / 2.0 or asked == REFINEMENTS:
                return Solution(scaled, gradient, asked)
            scaled, last = scaled + step, moved


@dataclass(frozen=True)
class Solution:
    """Coefficients in our units, the gradient there, and exchanges that it took."""

    scaled: Floats
    gradient: Floats
    asked: int = 0


def _stage(number: int) -> Array:
    return np.array([number], dtype=np.int64)


def _about(
    stage: int, center: Floats, scale: Floats, point: Floats | None = None
) -> Question:
    arrays = {"stage": _stage(stage), "center": center, "scale": scale}
    return Question(arrays=arrays if point is None else {**arrays, "point": point})


def _moments(task: Task, design: Design) -> Floats:
    sums = np.zeros((2, task.width + 1))
    for block in design.blocks(BATCH):
        sums[0, :-1] += block.x.sum(axis=1)
        sums[0, -1] += block.y.sum()
        sums[1, :-1] += np.einsum("ij,ij->i", block.x, block.x)
        sums[1, -1] += block.y @ block.y
    return sums


def _even(block: Block, question: Arrays, room: Floats) -> Floats:
    """Return the columns, ones and the target, centred and of one size, in `room`."""
    center, scale = question["center"], question["scale"]
    np.subtract(block.x, center[:-1, None], out=room[:-2])
    room[:-2] /= scale[:-1, None]
    room[-2] = 1.0
    room[-1] = (block.y - center[-1]) / scale[-1]
    return room


def _sizes(means: Floats) -> tuple[Floats, Floats]:
    """Return where to centre the columns and what to divide them by.

    Raises:
        TrainingError: A column is too large or too small for float64's squares.
    """
    center = means[0]
    spread = np.sqrt(np.maximum(means[1] - center**2, 0.0))
    scale = np.maximum(spread, FLATTEST * np.abs(center))
    scale = np.where(scale > SMALLEST, scale, 1.0)
    if not (np.isfinite(scale).all() and scale.max() <= HUGEST):
        raise TrainingError(
            "A column's values are too large to be squared.",
            remedy="Scale the numeric features in the study.",
        )
    return center, scale
