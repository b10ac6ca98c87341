"""The label party's half: it grows the trees, from sums or from released bins."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Block, DesignColumn, Rounds, Task
from fl_plugin.algorithms.boosting import boosting
from fl_plugin.algorithms.boosting.compiled import N_BINS
from fl_plugin.algorithms.boosting.layout import layout_of
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.algorithms.boosting.options import Options
from fl_plugin.algorithms.boosting.parts import parts_of
from fl_plugin.algorithms.boosting.rows import Rows
from fl_plugin.summand import Array, Arrays
from fl_plugin.vertical.base import Side, VerticalTask, VerticalWorker
from fl_plugin.vertical.boosting import release
from fl_plugin.vertical.boosting.joint import Joint
from fl_plugin.vertical.boosting.lattice import Public
from fl_plugin.vertical.boosting.parameters import SEED
from fl_plugin.vertical.boosting.peers import SealedPeers, counts_of
from fl_plugin.vertical.boosting.table import Places, columns_of, require_bins
from fl_plugin.vertical.boosting.trees import apart
from fl_plugin.vertical.boosting.turns import (
    CLOSE,
    OPEN,
    RELEASE,
    Speaker,
    Talk,
    array_of,
    number,
    out_of_order,
    peers_of,
)


class LabelWorker(VerticalWorker):
    """Grows trees; ends with their shape, the leaves' values and its own splits.

    Args:
        task: Of the fit.
        side: The party's own.
        fit: Options, loss, and whether others' bins stay with them.
    """

    def __init__(
        self, task: VerticalTask, side: Side, fit: tuple[Options, Loss, bool]
    ) -> None:
        require_bins(side.block.x, side.columns, task.rows)
        options, loss, strict = fit
        grower = Grower(task, side, options, loss)
        talk = grower.strict() if strict else grower.released()
        self._speaker: Speaker[Arrays] = Speaker(task, side, talk)
        grower.speaker = self._speaker

    def answer(self, question: Arrays) -> Arrays:
        """Return what to ask the others, sealed for each."""
        return self._speaker.answer(question)

    def part(self) -> Arrays:
        """Return the shape of the trees, their values and the party's own splits."""
        if self._speaker.result is None:
            raise out_of_order()
        return self._speaker.result


@dataclass
class Grower:
    """One fit.

    Args:
        task: Of the fit.
        side: The label party's.
        options: Of the trees.
        loss: What is minimised.
        speaker: Is told how many trees there are, for people.
    """

    task: VerticalTask
    side: Side
    options: Options
    loss: Loss
    speaker: Speaker[Arrays] | None = None

    def strict(self) -> Talk[Arrays]:
        """Grow trees from encrypted sums."""
        source = self.side.draws.stream("lattice")
        seed = source(SEED)
        asks: Arrays = {
            "kind": number(OPEN),
            "seed": np.frombuffer(seed, dtype=np.uint8),
        }
        told = yield dict.fromkeys(peers_of(self.task), asks)
        places = self._places(told)
        peers = SealedPeers(self.task, places, Public.of(seed, self.task.rows), source)
        yield from peers.hints()
        rows = Joint(
            places=places,
            layout=layout_of(places.columns),
            loss=self.loss,
            party=self.side.party,
            x=self.side.block.x,
            y=np.ascontiguousarray(self.side.block.y, dtype=np.float64),
            counts=self._counts(told, places),
            peers=peers,
        )
        task = self._joined(places)
        parts_of(Block(rows.x, rows.y), task, self.loss, 0.0)  # refuses wrong targets
        rounds = boosting.boost(self.options, self.loss, task)
        question = next(rounds)
        while True:
            if self.speaker is not None:
                self.speaker.trees = int(question.progress.get("trees", 0))
            sums = yield from rows.answer(question.arrays)
            try:
                question = rounds.send(sums)
            except StopIteration as end:
                return (yield from self._close(end.value.model, places))

    def released(self) -> Talk[Arrays]:
        """Grow trees from the bins that the others release."""
        peers = peers_of(self.task)
        yield {p: {"kind": number(OPEN)} for p in peers}
        told = yield {p: {"kind": number(RELEASE)} for p in peers}
        places = self._places(told)
        bins = {self.side.party: self.side.block.x}
        for party in peers:
            shape = (self.task.widths[party], self.task.rows)
            x = array_of(told[party], "bins", np.uint8, shape)
            require_bins(x, places.of_party(party, self.task), self.task.rows)
            bins[party] = x
        joined = np.concatenate([bins[p] for p in self.task.parties if p in bins])
        block = Block(joined, self.side.block.y)
        model = alone(self.options, self.loss, self._joined(places), block)
        return (yield from self._close(model, places))

    def _places(self, told: Mapping[str, Arrays]) -> Places:
        columns: dict[str, tuple[DesignColumn, ...]] = {}
        columns |= dict.fromkeys(self.task.parties, ())
        for p in peers_of(self.task):
            facts = told[p].get("columns")
            columns[p] = columns_of(facts, self.task.widths[p], p)
        return Places.of(self.task, {**columns, self.side.party: self.side.columns})

    def _joined(self, places: Places) -> Task:
        return Task(
            target=self.task.target,
            columns=places.columns,
            rows=self.task.rows,
            seed=self.task.seed,
        )

    def _counts(self, told: Mapping[str, Arrays], places: Places) -> Array:
        """Return rows by bin of all columns, (columns, N_BINS)."""
        counts = {
            p: counts_of(told[p], places.of_party(p, self.task), self.task.rows)
            for p in peers_of(self.task)
        }
        own = [np.bincount(column, minlength=N_BINS) for column in self.side.block.x]
        counts[self.side.party] = np.array(own, dtype=np.int64).reshape(-1, N_BINS)
        return np.concatenate([counts[p] for p in self.task.parties if p in counts])

    def _close(self, model: Arrays, places: Places) -> Talk[Arrays]:
        """Tell each owner its splits, and keep the rest."""
        own, splits = apart(model, places, self.task)
        yield {
            p: {"kind": number(CLOSE), **splits[p].arrays()}
            for p in peers_of(self.task)
        }
        maps = release.identity(len(self.side.columns))
        return {**own, **splits[self.side.party].arrays(), "maps": maps}


def alone(options: Options, loss: Loss, task: Task, block: Block) -> Arrays:
    """Return the trees that one who has all rows and columns grows."""
    layout = layout_of(task.columns)
    rules = boosting.rules_of(options, layout, loss, layout.bins < 0)
    parts = parts_of(block, task, loss, 0.0)
    rows = Rows(layout, loss, rules, parts, task.parties)
    rounds: Rounds = boosting.boost(options, loss, task)
    question = next(rounds)
    while True:
        try:
            question = rounds.send(rows.answer(question.arrays))
        except StopIteration as end:
            return dict(end.value.model)
