"""What a message says a run reads, checked field by field."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import MessageError
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.party.rows import Wanted
from fl_plugin.plan.wire import read_features

_KINDS = ("binary", "multiclass", "regression", "count", "none")
MOST_CLASSES, MOST_KEYS = 1_024, 15
TWO = 2


def read_wanted(body: Mapping[str, Any]) -> Wanted:
    """Return what a message wants of the rows.

    Raises:
        MessageError: It is malformed.
    """
    target, group = body.get("target"), body.get("group")
    timed, match = body.get("timed", False), body.get("match", [])
    if not isinstance(match, list) or not all(isinstance(key, str) for key in match):
        raise _malformed()
    if len(match) > MOST_KEYS or len(set(match)) < len(match):
        raise _malformed()
    if not all(t is None or isinstance(t, str) for t in (target, group)) or (
        timed not in (True, False)
    ):
        raise _malformed()
    predicts = read_target(body.get("predicts"))
    if (target is None) != (predicts.kind == "none"):
        raise _malformed()
    return Wanted(
        features=read_features(body.get("features")),
        protected=read_features(body.get("protected", [])),
        target=target,
        predicts=predicts,
        group=group,
        timed=bool(timed),
        match=tuple(match),
    )


def read_preparation(raw: Any) -> PreparationPlan:
    """Return the preparation that a message asks for.

    Raises:
        MessageError: It is malformed.
    """
    try:
        return PreparationPlan.model_validate(raw)
    except ValidationError:
        raise _malformed() from None


def read_target(raw: Any) -> Target:
    """Return what a message says is predicted.

    Raises:
        MessageError: It is malformed.
    """
    if not isinstance(raw, dict) or set(raw) != {"kind", "classes"}:
        raise _malformed()
    kind, classes = raw["kind"], raw["classes"]
    if kind not in _KINDS or not isinstance(classes, list):
        raise _malformed()
    kinds = {type(c) for c in classes}
    if len(classes) > MOST_CLASSES or not kinds <= {str, bool, int}:
        raise _malformed()
    if len(set(classes)) < len(classes):
        raise _malformed()
    fewest = {"binary": TWO, "multiclass": TWO}.get(kind, 0)
    most = {"binary": TWO, "multiclass": MOST_CLASSES}.get(kind, 0)
    if not fewest <= len(classes) <= most or len(kinds) > 1:
        raise _malformed()
    return Target(kind=kind, classes=tuple(classes))


def _malformed() -> MessageError:
    return MessageError(
        "A message says in a malformed way what a run reads.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
