"""What the vertical generalised linear models share: both halves, fitted and scored.

The protocol, what each side sees and what it can tell from that:
docs/decisions/0010-vertical-glm.md.
"""

from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.checks.options import positive, within
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays
from fl_plugin.vertical.base import (
    Asks,
    Replies,
    Rounds,
    Scorer,
    ScoringRounds,
    Side,
    VerticalAlgorithm,
    VerticalFitted,
    VerticalTask,
    VerticalWorker,
)
from fl_plugin.vertical.glm import scoring
from fl_plugin.vertical.glm.features import FeatureWorker
from fl_plugin.vertical.glm.label import LabelWorker
from fl_plugin.vertical.glm.links import Link
from fl_plugin.vertical.glm.looks import Looks
from fl_plugin.vertical.glm.seal import require_tenseal
from fl_plugin.vertical.glm.search import Found, minimise
from fl_plugin.vertical.glm.turns import ROWS_EACH, Terms, require_room

MOST_LOOKS = 200


@dataclass(frozen=True, kw_only=True)
class VerticalGLM(VerticalAlgorithm):
    """Base of the three.

    Args:
        tolerance: Stop when the next step moves no coefficient of an even column by
            more than this.
        max_rounds: Give up after so many gradients, or a tenth of the rows if fewer.
    """

    leaves: ClassVar[str] = (
        "to other domains: ciphertexts, blinds and, at the end, one number for the "
        "intercept; to the coordinator: sums over all rows of products with the "
        "domain's columns, in directions that only the domain knows"
    )
    tolerance: float = 1e-7
    max_rounds: int = 60

    def __post_init__(self) -> None:
        """Refuse a tolerance or a number of rounds that no fit can keep."""
        positive(self.name, "tolerance", self.tolerance)
        within(self.name, "max_rounds", self.max_rounds, (1, MOST_LOOKS))

    @abstractmethod
    def link(self) -> Link:
        """Return the family."""

    @abstractmethod
    def penalty(self, task: VerticalTask) -> float:
        """Return the weight of half the squared coefficients beside all losses."""

    def terms(self, task: VerticalTask) -> Terms:
        """Return what all sides agree on."""
        return Terms(
            link=self.link(), penalty=self.penalty(task), looks=self.looks(task)
        )

    def looks(self, task: VerticalTask) -> int:
        """Return how many gradients may be asked for: few rows allow few."""
        return min(self.max_rounds, task.rows // ROWS_EACH)

    def require_packages(self) -> None:
        """Check that ciphertexts can be made here.

        Raises:
            UsageError: TenSEAL is not installed.
        """
        require_tenseal()

    def worker(self, task: VerticalTask, side: Side) -> VerticalWorker:
        """Return a party's half of a fit.

        Raises:
            UsageError: TenSEAL is not installed.
        """
        require_tenseal()
        label = side.party == task.label_party
        made = LabelWorker if label else FeatureWorker
        return made(task, side, self.terms(task))

    def rounds(self, task: VerticalTask) -> Rounds:
        """Search by gradients; then tell every party its own coefficients."""
        terms = self.terms(task)
        require_room(task, terms)
        looks = Looks(task, terms)
        yield from looks.start()
        found = yield from self._search(looks)
        yield from looks.finish(found.at)
        figures = {
            "gradient_norm": float(np.linalg.norm(found.gradient)),
            "step": found.step,
        }
        return VerticalFitted(part={}, rounds=looks.exchanges, figures=figures)

    def _search(self, looks: Looks) -> Generator[Asks, Replies, Found]:
        search = minimise(looks.size, self.tolerance, looks.terms.looks, self.name)
        at, told = next(search)
        while True:
            gradient = yield from looks.gradient(at, told)
            try:
                at, told = search.send(gradient)
            except StopIteration as end:
                found: Found = end.value
                return found

    def scorer(self, task: VerticalTask, side: Side, part: Arrays) -> Scorer:
        """Return a party's half of scoring."""
        label = side.party == task.label_party
        made = scoring.LabelScorer if label else scoring.FeatureScorer
        return made(task, side, part, self.link())

    def scoring(self, task: VerticalTask, part: Arrays) -> ScoringRounds:  # noqa: ARG002
        """Have partial predictions added up at the label party."""
        return scoring.rounds(task)


def require_target(task: VerticalTask, name: str, kinds: tuple[str, ...]) -> None:
    """Check that an algorithm can learn a target.

    Raises:
        TrainingError: It cannot.
    """
    if task.target.kind not in kinds:
        raise TrainingError(
            f"{name} cannot learn a target of kind {task.target.kind}.",
            remedy="Choose another algorithm in the study.",
        )
