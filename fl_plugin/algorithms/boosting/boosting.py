"""The coordinator's half of boosting: trees from sums, one after another.

Chen & Guestrin (2016), "XGBoost: A scalable tree boosting system", sections 2 and 3,
as scikit-learn's `HistGradientBoosting*` does it. A tree takes the first round for its
root and about ten for the rest (`growth.py`); where the loss has no bound of its own,
or may end the training early, one more.
"""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fl_plugin.algorithms.base import Fitted, Question, Rounds, Task
from fl_plugin.algorithms.boosting.answers import packing_for
from fl_plugin.algorithms.boosting.compiled import BITSET_WORDS, SplitRules
from fl_plugin.algorithms.boosting.grids import Grid, grid_of
from fl_plugin.algorithms.boosting.growth import Growth, Shape, Tree
from fl_plugin.algorithms.boosting.layout import Layout, layout_of
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.algorithms.boosting.options import Options
from fl_plugin.algorithms.boosting.questions import Asked
from fl_plugin.algorithms.boosting.splitting import Finder, Node, routed, spread
from fl_plugin.algorithms.boosting.trees import flat, joined
from fl_plugin.summand import Array, Arrays, Floats


@dataclass
class _Run:
    """What the coordinator knows while trees grow."""

    options: Options
    task: Task
    loss: Loss
    rows: int  # that train
    masses: tuple[float, float]  # what they weigh, and those that are held out
    counts: Array
    finder: Finder
    squares: tuple[float, float] = (0.0, 0.0)
    finished: list[dict[str, Array]] = field(default_factory=list)
    scores: list[tuple[float, float]] = field(default_factory=list)
    rounds: int = 0


def boost(options: Options, loss: Loss, task: Task) -> Rounds:
    """Yield questions; return trees as arrays (`trees.py`), `start` and `scores`."""
    layout = layout_of(task.columns)
    opened = yield Question(arrays=Asked(opens=True).arrays())
    rows = int(opened["rows"][0])
    start = loss.start(opened["targets"], rows)
    missing = opened["counts"][layout.missing] > 0
    finder = Finder(layout, rules_of(options, layout, loss, missing))
    masses = _masses(loss, opened)
    run = _Run(options, task, loss, rows, masses, opened["counts"], finder, rounds=1)
    yield from _train(run, start)
    scores = np.array(run.scores, dtype=np.float64).reshape(-1, 2)
    iterations = len(run.finished) // loss.trees
    stopped = f"Stopped early, after {iterations} iterations."
    return Fitted(
        model={**joined(run.finished), "start": start, "scores": scores},
        rounds=run.rounds,
        loss=-float(scores[-1, 0]) if len(scores) else None,
        notes=(stopped,) if iterations < options.max_iter else (),
    )


def _masses(loss: Loss, opened: Arrays) -> tuple[float, float]:
    if not loss.weights:
        return float(opened["rows"][0]), float(opened["rows"][1])
    train, held = (
        opened[name] @ np.array(loss.weights) for name in ("targets", "held")
    )
    return float(train), float(held)


def _train(run: _Run, start: Floats) -> Generator[Question, Arrays, None]:
    ask = Asked(start=start)
    for iteration in range(run.options.max_iter + 1):
        last = iteration == run.options.max_iter
        if run.options.early_stopping or not (run.loss.bounded or last):
            sums = yield from _send(run, replace(ask, scores=True))
            _score(run, sums["scores"])
            ask = Asked()
        if last or (run.options.early_stopping and _stops(run)):
            return
        ask = yield from _iterate(run, ask)


def _iterate(run: _Run, ask: Asked) -> Generator[Question, Arrays, Asked]:
    """Grow one tree, or one per class at once; return what the parties must be told."""
    weight = (run.rows, run.masses[0])
    grid = grid_of(run.loss, weight, run.counts, run.squares, run.task.parties)
    roots = np.array([[tree, 0] for tree in range(run.loss.trees)])
    ask = replace(ask, plants=True, wanted=roots)
    found = yield from _histograms(run, ask, grid)
    shape = shape_of(run.options)
    trees = [Tree(run.finder, shape, histogram) for histogram in found]
    while True:
        growths = [tree.grow() for tree in trees]
        ask = _told(growths)
        if not len(ask.wanted):
            break
        found = yield from _histograms(run, ask, grid)
        for tree, growth in zip(trees, growths, strict=True):
            tree.learn([found.pop(0) for _ in growth.wanted])
    rate = run.options.learning_rate
    run.finished += [flat(tree, rate) for tree in trees]
    leaves = [
        (number, node, value)
        for number, tree in enumerate(trees)
        for node, value in _values(tree, rate)
    ]
    return replace(
        ask,
        leaves=np.array([leaf[:2] for leaf in leaves], dtype=np.int64),
        values=np.array([leaf[2] for leaf in leaves], dtype=np.float64),
    )


def _histograms(
    run: _Run, ask: Asked, grid: Grid
) -> Generator[Question, Arrays, list[Array]]:
    ask = replace(ask, grid=grid.exponents, bounds=grid.bounds)
    sums = yield from _send(run, ask)
    packing = packing_for(ask, run.loss, run.task.parties)
    units = tuple(math.ldexp(1.0, -exponent) for exponent in grid.exponents.tolist())
    layout = layout_of(run.task.columns)
    return [
        spread(layout, packing.unpack(sums["sums"][:, i]), units)
        for i in range(len(ask.wanted))
    ]


def _send(run: _Run, ask: Asked) -> Generator[Question, Arrays, Arrays]:
    run.rounds += 1
    told = {"trees": float(len(run.finished))}
    if run.scores:
        told["loss"] = -run.scores[-1][0]
    return (yield Question(arrays=ask.arrays(), progress=told))


def _told(growths: Sequence[Growth]) -> Asked:
    """Return the question that makes the parties' trees grow."""
    splits, members, wanted = [], [], []
    for tree, growth in enumerate(growths):
        for node in growth.splits:
            if node.split is None or node.children is None:
                continue
            left, right = (child.number for child in node.children)
            split = node.split
            numbers = (split.column, split.bins, int(split.missing_left))
            splits.append((tree, node.number, left, right, *numbers))
            members.append(routed(split))
        wanted += [(tree, node.number) for node in growth.wanted]
    return Asked(
        splits=np.array(splits, dtype=np.int64).reshape(-1, 7),
        members=np.array(members, dtype=np.int64).reshape(-1, BITSET_WORDS),
        wanted=np.array(wanted, dtype=np.int64).reshape(-1, 2),
    )


def _values(tree: Tree, rate: float) -> list[tuple[int, float]]:
    """Return the value of each node in which parties' rows lie.

    A node that was split in vain is a leaf of the tree: all below it take its value.
    """
    kept = set(tree.kept())
    values: list[tuple[int, float]] = []
    stack: list[tuple[Node, float | None]] = [(tree.root, None)]
    while stack:
        node, value = stack.pop()
        if value is None and node not in kept:
            value = node.value * rate
        if node.children is None:
            values.append((node.number, float(value or 0.0)))
        else:
            stack += [(child, value) for child in node.children]
    return values


def _score(run: _Run, scores: Floats) -> None:
    """Keep the loss as scikit-learn does: its mean, negative; training and held out."""
    train, held = (
        -float(total) / (mass or 1.0)
        for total, mass in zip(scores[:2], run.masses, strict=True)
    )
    run.squares = (float(scores[2]), float(scores[3]))
    if run.options.early_stopping:
        run.scores.append((train, held))


def _stops(run: _Run) -> bool:
    """Whether none of the last scores is better than the one before them."""
    which = 1 if run.options.held_out else 0
    scores = [score[which] for score in run.scores]
    recent = run.options.n_iter_no_change
    if len(scores) <= recent:
        return False
    reference = scores[-recent - 1] + run.options.tol
    return not any(score > reference for score in scores[-recent:])


def rules_of(
    options: Options, layout: Layout, loss: Loss, missing: Array
) -> SplitRules:
    """Return what a split may be; `missing`: which columns training rows miss."""
    return SplitRules(
        bins=layout.bins,
        missing=missing,
        categorical=layout.categorical,
        monotonic=layout.monotonic,
        l2=options.l2_regularization,
        smallest_leaf=options.min_samples_leaf,
        constant_hessian=loss.constant_hessian,
    )


def shape_of(options: Options) -> Shape:
    """Return how large a tree may get."""
    return Shape(
        leaves=options.max_leaf_nodes,
        depth=options.max_depth,
        smallest_leaf=options.min_samples_leaf,
        ahead=options.growth == "ahead",
    )
