"""Agree on the rows of a run in which a key may come many times.

The domain with the label chooses the order and what is held out; to each other domain
it says, sealed, which of that domain's rows each row needs. The coordinator carries
the letters and learns how many rows there are.
"""

from typing import ClassVar

import numpy as np

from fl_plugin.alignment.counts import bucket
from fl_plugin.alignment.exchange import only
from fl_plugin.alignment.lookup import Expanded, drawn_order, letter_for, tell, told
from fl_plugin.errors import PolicyError
from fl_plugin.manifest.uses import PREDICT, TRAIN_VERTICAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, malformed
from fl_plugin.party.domain import Domain
from fl_plugin.party.matched.matching import may_repeat
from fl_plugin.party.matched.state import Matched, matched_of
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.preparation.splits import Mask, Split

_ORDER = b"fl_plugin order of looked-up rows 1"


class Expand(Kind):
    """Tell the others which of their rows are meant; or take in that letter."""

    name: ClassVar[str] = "expand"
    matched: ClassVar[bool] = True
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_VERTICAL, PREDICT})
    releases: ClassVar[str] = (
        "sealed for each domain: which of its rows come, how often"
    )

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return letters and rounded numbers of rows, or nothing."""
        matched = matched_of(session)
        if matched.expanded is not None:
            raise out_of_order()
        if may_repeat(session):
            return _tell(session, matched, ask)
        (letter,) = only(ask.arrays, "sealed")
        if matched.peer is None:
            raise out_of_order()
        matched.expanded = told(matched.channel, matched.peer, letter, matched.found())
        return Answer()


def _tell(session: Session, matched: Matched, ask: Ask) -> Answer:
    if set(matched.lookups) != set(matched.channel.peers):
        raise out_of_order()
    all_of = {peer: lookup.places for peer, lookup in matched.lookups.items()}
    whole = np.flatnonzero(np.all([p >= 0 for p in all_of.values()], axis=0))
    least, hashes = session.min_cohort, session.rows.hashes
    if len(whole) < least:
        raise PolicyError(
            f"Fewer than {least} rows of {session.product.name} have all they need in "
            "the other domains.",
            remedy="Check that the keys are spelt alike, and how they are normalised.",
            reason="matching_limit",
        )
    secret = Domain(matched.folder).identity.sign(_ORDER).encode()
    order = whole[drawn_order(hashes[whole], secret, session.seed)]
    train = _learned(session, ask)[order]
    letters = tell(
        matched.channel, {peer: p[order] for peer, p in all_of.items()}, train
    )
    matched.expanded = Expanded(rows=order, train=train)
    lost = len(hashes) - len(whole)
    return Answer(
        body={
            "rows": list(bucket(len(whole), min_cohort=least)),
            "lost": list(bucket(lost, min_cohort=least)),
        },
        plain={letter_for(peer): letter for peer, letter in letters.items()},
    )


def _learned(session: Session, ask: Ask) -> Mask:
    """Return which own rows are learned from; none where they are only scored."""
    by, share, rows = ask.body.get("by"), ask.body.get("holdout"), session.rows
    if session.wanted.target is None:
        return np.zeros(len(rows), dtype=np.bool_)
    if by == "hash" and type(share) is float:
        split = Split.read({"name": "holdout", "part": "train", "share": share})
        return split.select(rows.groups, session.seed)
    if by != "last" or session.wanted.group is None or not session.wanted.timed:
        raise malformed("holdout")
    groups, of_row = np.unique(rows.groups, return_inverse=True)
    latest = np.full(len(groups), -np.inf)
    np.maximum.at(latest, of_row, rows.times)
    return np.asarray(rows.times < latest[of_row])
