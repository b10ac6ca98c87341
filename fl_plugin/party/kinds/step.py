"""One round of the algorithm, for every fit that is not finished yet."""

from typing import ClassVar

from fl_plugin.algorithms.private.releases import PrivateAlgorithm
from fl_plugin.manifest.uses import TRAIN_HORIZONTAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, listed, numbered, prefixed
from fl_plugin.party.designing import training_design
from fl_plugin.party.session import Session
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.summand import Array, Summand


class Step(Kind):
    """Compute the algorithm's parts for the questions asked, fit by fit."""

    name: ClassVar[str] = "step"
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_HORIZONTAL})
    releases: ClassVar[str] = "the algorithm's sums over the training rows"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the parts of every fit that is asked about."""
        places = listed(ask, "jobs", int)
        parts: dict[str, Array] = {}
        noised: dict[str, Words] = {}
        expected: dict[str, Summand] = {}
        for i, question in enumerate(numbered(ask, len(places))):
            job = session.job(places[i])
            looks = job.algorithm.answers(question, job.task)
            expected |= prefixed(i, looks)
            if job.worker is None:
                design = training_design(session, job)
                job.worker = job.algorithm.worker(job.task, design)
            found = job.worker.answer(question)
            if job.guard is None:
                parts |= prefixed(i, found)
            elif isinstance(job.algorithm, PrivateAlgorithm):
                told = job.algorithm.releases(question, job.task)
                noised |= prefixed(i, job.guard.words(looks, found, told))
        return Answer(parts=parts, expected=expected, noised=noised)
