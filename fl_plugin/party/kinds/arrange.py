"""Prepare the own columns of matched rows, and begin a fit over them."""

from typing import Any, ClassVar

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.manifest.uses import TRAIN_VERTICAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, malformed
from fl_plugin.party.matched.matching import of_product
from fl_plugin.party.matched.state import (
    Matched,
    coded,
    matched_of,
    prepared_columns,
)
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.party.wanting import read_target
from fl_plugin.preparation.splits import Mask, Split
from fl_plugin.vertical.base import PROTECTED, SHARED, VerticalTask
from fl_plugin.vertical.installed import find_vertical

_MOST_WIDTH = 1_000_000


class Arrange(Kind):
    """Hold rows out and prepare the columns; then, told of all, begin the fit."""

    name: ClassVar[str] = "arrange"
    matched: ClassVar[bool] = True
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_VERTICAL})
    releases: ClassVar[str] = "the number of matched rows and of prepared columns"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the numbers of rows and columns, or nothing once the fit begins."""
        matched = matched_of(session)
        with of_product(session):
            if "widths" in ask.body:
                _begin(session, matched, ask)
                return Answer()
            return _prepare(session, matched, ask)


def _prepare(session: Session, matched: Matched, ask: Ask) -> Answer:
    matched.choose()
    train = _learned(session, matched, ask)
    features, raw = coded(session, matched.places)
    least = session.min_cohort
    if train.sum() < least or (~train).sum() < least:
        raise TrainingError(
            f"Too few rows of {session.product.name} that the other domains have too "
            "are left to learn from, or are held out.",
            remedy="Check how the keys are spelt, `match.normalise` in the study, and "
            "its `evaluation.holdout` and `holdout_by`.",
        )
    matched.raw, matched.test = raw, ~train
    matched.columns = prepared_columns(session, features, raw, train)
    matched.labelled = session.wanted.target is not None
    return Answer(
        body={
            "train": int(train.sum()),
            "test": int((~train).sum()),
            "width": len(matched.columns.all),
        }
    )


def _learned(session: Session, matched: Matched, ask: Ask) -> Mask:
    """Return which rows are learned from; the keys draw it, or it was told before."""
    if matched.expanded is not None:
        return matched.expanded.train
    split = Split.read({"name": "holdout", "part": "train", **_share(ask)})
    return split.select(matched.found().hashes, session.seed)


def task_of(session: Session, matched: Matched, ask: Ask, rows: int) -> VerticalTask:
    """Return what a message says of a fit, held against what is known here.

    Raises:
        MessageError: It says something else.
    """
    widths = ask.body.get("widths")
    owner, me = ask.body.get("label_party"), session.product.domain
    peers = {me, *matched.channel.peers}
    if not isinstance(widths, dict) or set(widths) != peers:
        raise malformed("widths")
    if not isinstance(owner, str) or owner not in peers:
        raise malformed("label_party")
    if any(type(w) is not int or not 0 <= w <= _MOST_WIDTH for w in widths.values()):
        raise malformed("widths")
    columns = matched.designed()
    if widths[me] != len(columns.all) or (owner == me) != matched.labelled:
        raise malformed("widths")
    target = read_target(ask.body.get("predicts"))
    if owner == me and target != columns.prepared.schema.target:
        raise malformed("predicts")
    return VerticalTask(
        target=target,
        widths=widths,
        label_party=owner,
        rows=rows,
        labels=_labels(session, ask),
        seed=session.seed,
    )


def _begin(session: Session, matched: Matched, ask: Ask) -> None:
    if matched.worker is not None or matched.part is not None:
        raise out_of_order()  # a fit is begun once, not over rows of a recalled model
    train = ~matched.test
    task = task_of(session, matched, ask, int(train.sum()))
    algorithm = find_vertical(session.request.algorithm).of(session.request.parameters)
    if task.labels not in algorithm.sharing:
        raise MessageError(
            f"{algorithm.name} cannot be trained where labels are {task.labels}.",
            remedy="Choose another algorithm.",
        )
    me = session.product.domain
    side = matched.side(me, train, session.randomness, labelled=me == task.label_party)
    matched.algorithm, matched.task = algorithm, task
    matched.worker = algorithm.worker(task, side)


def _labels(session: Session, ask: Ask) -> str:
    """Return how labels are shared; the label's own contract has the last word."""
    told, target = ask.body.get("labels"), session.wanted.target
    if not isinstance(told, str) or told not in {SHARED, PROTECTED}:
        raise malformed("labels")
    if target is not None and told == SHARED:
        sharing = session.product.columns[target].contract.label_sharing
        if sharing != SHARED:
            raise malformed("labels")
    return str(told)


def _share(ask: Ask) -> dict[str, Any]:
    share = ask.body.get("holdout")
    if type(share) is not float:
        raise malformed("holdout")
    return {"share": share}
