"""How well the common model ranks, judged where the labels are.

Only figures leave: means over users with their intervals, and a rounded number of
users.
"""

from typing import Any

import numpy as np

from fl_plugin.alignment.counts import bucket
from fl_plugin.evaluation.interval import Interval
from fl_plugin.evaluation.ranking_per_user import rank_per_user
from fl_plugin.party.answer import rounded
from fl_plugin.party.matched.state import Matched
from fl_plugin.party.session import Session
from fl_plugin.summand import Floats

FEDERATED, POPULARITY, CHANCE, OWN = "federated", "popularity", "chance", "own"


def ranking(
    session: Session, matched: Matched, predictions: Floats, own: Floats | None
) -> dict[str, Any] | None:
    """Return the figures of every way to rank; None where nobody is ranked.

    Args:
        session: An open run at the label's domain.
        matched: Its rows.
        predictions: (test rows,) of the common model.
        own: (test rows,) of a model of the domain's own columns.
    """
    wanted = session.wanted
    if not matched.lookups or wanted.group is None or wanted.predicts.kind != "binary":
        return None
    y = matched.rows().target[matched.test]
    _, groups = np.unique(
        session.rows.groups[matched.places][matched.test], return_inverse=True
    )
    scores = {
        FEDERATED: predictions,
        POPULARITY: popularity(session, matched),
        CHANCE: np.zeros(len(y)),
        **({} if own is None else {OWN: own}),
    }
    found = {n: rank_per_user(s, y, groups) for n, s in scores.items()}
    judged = found.pop(FEDERATED)
    if judged.users < session.min_cohort:
        return None
    return {
        "users": list(bucket(judged.users, min_cohort=session.min_cohort)),
        "candidates": rounded(float(judged.candidates.mean())),
        "figures": {FEDERATED: _told(judged.means())}
        | {name: _told(of.means()) for name, of in found.items()},
        "above": {name: _told(judged.above(of)) for name, of in found.items()},
    }


def popularity(session: Session, matched: Matched) -> Floats:
    """Return of each test row how often its item is true among the training rows.

    The item is what is looked up by another key than the group's.
    """
    rows, places = matched.rows(), matched.places
    total = np.zeros(int(matched.test.sum()))
    for lookup in matched.lookups.values():
        if lookup.key == session.wanted.group:
            continue
        items = lookup.places[places]
        true = (rows.target > 0) & ~matched.test
        counts = np.bincount(items[true], minlength=int(items.max()) + 1)
        total += counts[items[matched.test]]
    return total


def _told(of: dict[str, Interval]) -> dict[str, dict[str, float | None]]:
    return {
        name: {
            "value": rounded(i.value),
            "low": rounded(i.low),
            "high": rounded(i.high),
        }
        for name, i in of.items()
    }
