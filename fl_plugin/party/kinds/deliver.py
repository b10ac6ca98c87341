"""Write what was predicted into the label domain's own database, and nowhere else."""

from typing import ClassVar

import numpy as np
import pyarrow as pa

from fl_plugin.algorithms.base import Target
from fl_plugin.ledger.buckets import rows_bucket
from fl_plugin.manifest.types import Relation
from fl_plugin.manifest.uses import PREDICT
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, malformed
from fl_plugin.party.domain import Domain
from fl_plugin.party.matched.state import matched_of
from fl_plugin.party.rows import Rows
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.summand import Floats

SCHEMA = "predictions"


class Deliver(Kind):
    """Write key and prediction of every matched row to `predictions.<study>`."""

    name: ClassVar[str] = "deliver"
    matched: ClassVar[bool] = True
    opened_by: ClassVar[frozenset[str]] = frozenset({PREDICT})
    releases: ClassVar[str] = "a rounded number of rows that were scored"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return where the predictions lie, and about how many there are."""
        matched = matched_of(session)
        scorer, rows = matched.scorer, session.rows
        if scorer is None or scorer.predictions is None:
            raise out_of_order()
        if matched.worker is not None:  # held-out rows of a fit are no predictions
            raise out_of_order()
        if not isinstance(rows, Rows):
            raise out_of_order()
        places = pa.array(matched.places)
        target = matched.designed().prepared.schema.target
        found = _scores(scorer.predictions, target, _threshold(ask))
        keys = {_beside(found, name): v.take(places) for name, v in rows.keys.items()}
        columns = keys | found
        relation = Relation(
            database="", schema=SCHEMA, identifier=session.request.study
        )
        Domain(matched.folder).database().publish(relation, pa.table(columns))
        told = rows_bucket(len(places), min_cohort=max(session.min_cohort, 1))
        return Answer(body={"table": f"{SCHEMA}.{session.request.study}", "rows": told})


def _beside(scores: dict[str, pa.Array], key: str) -> str:
    """Return the name of a key's column; no figure may take its place."""
    return f"key_{key}" if key.lower() in map(str.lower, scores) else key


def _scores(found: Floats, target: Target, threshold: float) -> dict[str, pa.Array]:
    """Return columns as `fl predict` names them."""
    if target.kind == "binary":
        classes = np.array(target.classes)[(found > threshold).astype(np.int64)]
        return {"score": pa.array(found), "predicted": pa.array(classes.tolist())}
    if target.kind == "multiclass":
        likely = np.array(target.classes, dtype=object)[found.argmax(axis=1)]
        scores = {f"score_{c}": pa.array(found[:, i]) for i, c in _numbered(target)}
        return {"predicted": pa.array(likely.tolist()), **scores}
    return {"predicted": pa.array(found)}


def _numbered(target: Target) -> list[tuple[int, object]]:
    return list(enumerate(target.classes))


def _threshold(ask: Ask) -> float:
    threshold = ask.body.get("threshold")
    if type(threshold) is not float:
        raise malformed("threshold")
    return threshold
