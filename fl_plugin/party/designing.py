"""The prepared rows of a fit: those it learns from, and those it is judged on."""

from fl_plugin.algorithms.base import Design
from fl_plugin.party.designs import Streamed
from fl_plugin.party.job import Job
from fl_plugin.party.portions import portion_of
from fl_plugin.party.session import Session
from fl_plugin.preparation.raw import Mask


def training_design(session: Session, job: Job) -> Design:
    """Return the rows that a fit learns from."""
    chosen = portion_of(session, job.split, job.portions)
    return _design(session, job, chosen, ("train", job.portions))


def test_design(session: Session, job: Job) -> tuple[Design, Mask]:
    """Return the rows that a fit did not learn from, and which of all they are."""
    chosen = session.chosen(job.split.other())
    return _design(session, job, chosen, ("test", ())), chosen


def _design(
    session: Session, job: Job, chosen: Mask, part: tuple[str, tuple[float, ...]]
) -> Design:
    key = (job.split, part, job.prepared_as)
    return session.designs.get(
        key, lambda: Streamed(session.coded(), chosen, job.prepared)
    )
