"""Requests, features and decisions as JSON, and back, checked field by field."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from fl_plugin.errors import MessageError
from fl_plugin.policy.types import Decision, Request
from fl_plugin.preparation.features import Feature

T = TypeVar("T")
LONGEST_TEXT = 256
MOST_COLUMNS = 4_096

_REQUEST = TypeAdapter(Request)
_DECISION = TypeAdapter(Decision)
_FEATURES = TypeAdapter(tuple[Feature, ...], config=ConfigDict(strict=False))


def request_json(request: Request) -> dict[str, Any]:
    """Return a request as plain JSON values."""
    return dict(_REQUEST.dump_python(request, mode="json"))


def read_request(raw: Any) -> Request:
    """Return the request in a message.

    Raises:
        MessageError: It is malformed.
    """
    request = _read(_REQUEST, raw, "request")
    texts = [v for v in vars(request).values() if isinstance(v, str)]
    texts += [*request.uses, *request.columns, *request.columns.values()]
    # What the ledger could not write down must not be decided on.
    if max(map(len, texts)) > LONGEST_TEXT or len(request.columns) > MOST_COLUMNS:
        raise _malformed("request")
    return request


def decision_json(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain JSON values."""
    return dict(_DECISION.dump_python(decision, mode="json"))


def read_decision(raw: Any) -> Decision:
    """Return the decision in a message.

    Raises:
        MessageError: It is malformed.
    """
    return _read(_DECISION, raw, "decision")


def features_json(features: tuple[Feature, ...]) -> list[Mapping[str, Any]]:
    """Return features as plain JSON values."""
    return list(_FEATURES.dump_python(features, mode="json"))


def read_features(raw: Any) -> tuple[Feature, ...]:
    """Return the features in a message.

    Raises:
        MessageError: They are malformed.
    """
    return _read(_FEATURES, raw, "list of features")


def _read(adapter: "TypeAdapter[T]", raw: Any, what: str) -> T:
    try:
        return adapter.validate_python(raw)
    except (ValidationError, RecursionError):
        raise _malformed(what) from None


def _malformed(what: str) -> MessageError:
    return MessageError(
        f"A message holds a malformed {what}.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
