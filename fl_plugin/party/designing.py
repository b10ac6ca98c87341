"""The prepared rows of a fit: those it learns from, and those it is judged on."""

import numpy as np

from fl_plugin.algorithms.base import Design
from fl_plugin.party.designs import Streamed
from fl_plugin.party.job import Job
from fl_plugin.party.session import Session
from fl_plugin.preparation.raw import Mask
from fl_plugin.preparation.splits import uniform

# The stream of keyed draws that decides which training rows a portion has.
PORTION_STREAM = 2**20


def training_design(session: Session, job: Job) -> Design:
    """Return the rows that a fit learns from."""
    chosen = session.chosen(job.split)
    if min(job.portions) < 1.0:
        draws = uniform(session.rows.hashes, session.seed, PORTION_STREAM)
        classes = session.rows.target.astype(np.int64) * (len(job.portions) > 1)
        chosen &= draws < np.asarray(job.portions)[classes]
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
