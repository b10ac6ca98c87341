"""Which of a selection's rows a portion keeps: drawn by the keyed hash of each row."""

from collections.abc import Sequence

import numpy as np

from fl_plugin.errors import MessageError
from fl_plugin.party.session import Session
from fl_plugin.preparation.raw import Mask
from fl_plugin.preparation.splits import Split, uniform

# The stream of keyed draws that decides which training rows a portion has.
PORTION_STREAM = 2**20
# Of one selection a portion is at least so many times another, as the rungs of a
# search are: portions that hardly differ would tell sums over single rows.
LEAST_STEP = 1.5

Portions = tuple[float, ...]


def portion_of(session: Session, split: Split, portions: Portions) -> Mask:
    """Return which rows of a selection its portion keeps.

    Args:
        session: An open run.
        split: The selection.
        portions: The share that is kept: of each class, or one of all rows.
    """
    chosen = session.chosen(split)
    if min(portions) < 1.0:
        draws = uniform(session.rows.hashes, session.seed, PORTION_STREAM)
        classes = session.rows.target.astype(np.int64) * (len(portions) > 1)
        chosen &= draws < np.asarray(portions)[classes]
    return chosen


def check_portions(session: Session, split: Split, portions: Portions) -> None:
    """Refuse portions that hardly differ from others of the same selection.

    Raises:
        MessageError: They do.
    """
    before = [job.portions for job in session.jobs if job.split == split]
    prepared = [(share,) for of, share in session.portioned if of == split]
    for others in (*before, *prepared):
        if any(_too_near(a, b) for a, b in _pairs(portions, others)):
            raise MessageError(
                "A message asks for a portion of rows that hardly differs from another "
                "of the same run: their difference would be single rows.",
                remedy="Start the run again from a plan.",
            )


def _pairs(
    first: Sequence[float], second: Sequence[float]
) -> Sequence[tuple[float, float]]:
    """Return class by class; what is about all rows is about their largest share."""
    if len(first) == len(second):
        return list(zip(first, second, strict=True))
    return [(max(first), max(second))]


def _too_near(a: float, b: float) -> bool:
    low, high = min(a, b), max(a, b)
    return low < high < LEAST_STEP * low
