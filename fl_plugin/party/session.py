"""What a party remembers of one run, from its opening to its close."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.manifest.types import Product
from fl_plugin.party.answered import Answered, out_of_order
from fl_plugin.party.designs import Designs
from fl_plugin.party.job import Job
from fl_plugin.party.opened import OpenRows
from fl_plugin.party.spool import Spool
from fl_plugin.party.table import Codes, Wanted
from fl_plugin.policy.types import Decision, Facts, Request
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.fit import PreparationWorker
from fl_plugin.preparation.raw import Mask, RawRows
from fl_plugin.preparation.splits import Split
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.randomness import Randomness

__all__ = ["Session", "out_of_order", "read_splits"]

if TYPE_CHECKING:
    from fl_plugin.party.matched.state import Matched

# Draws for so many rows are made at a time: a few arrays of them, not of the table.
_AT_ONCE = 2**20


@dataclass
class Session:
    """One run at one party. The only mutable state a party has between messages.

    Args:
        facts: What the opening decision was taken on; looked at again at each release.
        wanted: Its features have all their categories once these are agreed.
        randomness: Where all draws of the run come from.
        masks: None where the study is plain.
        raw: The coded rows; None until the categories are agreed.
        protected: (rows,) codes of each protected column.
        preparers: The preparation that is under way for each selection of rows.
        portioned: Likewise, for each share of a selection that a search begins with.
        cutters: The searches for where folds, or the held-out time, begin.
        spool: Where what does not fit into memory lies; it goes with the run.
        matched: What belongs to a vertical run; None in a horizontal one.
        jobs: The fits of this run, in the order that the coordinator gave them.
        paid: Whether the run's privacy budget is spent.
        lasts: Whether the run can be taken up again after a crash.
        again: Whether it was taken up again.
        ended: Whether it is over at this party.
        answered: Its newest questions and replies.
    """

    run: str
    request: Request
    caller: str
    product: Product
    wanted: Wanted
    plan: PreparationPlan
    schema: Schema
    seed: int
    rows: OpenRows
    facts: Facts
    decision: Decision
    randomness: Randomness = field(default_factory=Randomness.fresh)
    spool: Spool | None = None
    masks: PartyMasks | None = None
    raw: RawRows | None = None
    protected: tuple[Codes, ...] = ()
    preparers: dict[Split, PreparationWorker] = field(default_factory=dict)
    portioned: dict[tuple[Split, float], PreparationWorker] = field(
        default_factory=dict
    )
    cutters: dict[str, PreparationWorker] = field(default_factory=dict)
    matched: "Matched | None" = None
    jobs: list[Job] = field(default_factory=list)
    designs: Designs = field(default_factory=Designs)
    paid: bool = False
    lasts: bool = True
    again: bool = False
    ended: bool = False
    answered: Answered = field(default_factory=lambda: Answered(""))

    @property
    def min_cohort(self) -> int:
        """The smallest number of rows a figure of this product may be about."""
        return self.decision.min_cohort

    def coded(self) -> RawRows:
        """Return the coded rows, once the categories are agreed."""
        if self.raw is None:
            raise out_of_order()
        return self.raw

    def chosen(self, split: Split) -> Mask:
        """Return which rows a split selects."""
        rows = self.rows
        found = np.empty(len(rows), dtype=np.bool_)
        for begin in range(0, len(rows), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            found[some] = split.select(
                rows.groups[some],
                self.seed,
                classes=rows.target[some] if split.cuts else None,
                times=rows.times[some] if len(rows.times) else None,
            )
        return found

    def end(self, *, keep: bool = False) -> None:
        """End the run here and remove what it has written to disk; once is enough.

        Args:
            keep: The own part of a vertical model stays: it is registered.
        """
        if self.ended:
            return
        self.ended = True
        if self.spool is not None:
            self.spool.close()
        if self.matched is not None and not keep:
            self.matched.forget()

    def job(self, place: int) -> Job:
        """Return one of the run's fits."""
        if not 0 <= place < len(self.jobs):
            raise out_of_order()
        return self.jobs[place]


def read_splits(raw: Sequence[dict[str, object]]) -> list[Split]:
    """Return the row selections that a message names."""
    return [Split.read(s) for s in raw]
