"""The messages of secure aggregation at a party: keys, shares, unmasking."""

from collections.abc import Callable, Mapping
from typing import Any

from fl_plugin.messages import Ask
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.privacy.party_masks import PartyMasks

Body = Mapping[str, Any]


def mask_stage(session: Session, ask: Ask) -> dict[str, Any]:
    """Return what a party says at one stage of the protocol.

    Raises:
        MessageError: The coordinator has left the protocol.
    """
    if session.masks is None:
        raise out_of_order()
    return STAGES[ask.kind](session.masks, ask.body)


def _keys(masks: PartyMasks, body: Body) -> dict[str, Any]:
    return {
        "announcement": masks.announce(_whole(body, "first"), _whole(body, "rounds"))
    }


def _share(masks: PartyMasks, body: Body) -> dict[str, Any]:
    return {"shares": masks.share(body.get("announcements"))}


def _accept(masks: PartyMasks, body: Body) -> dict[str, Any]:
    masks.accept(body.get("shares") or {})
    return {}


def _endorse(masks: PartyMasks, body: Body) -> dict[str, Any]:
    lists = _names(body, "alive"), _names(body, "lost")
    return {"endorsement": masks.endorse(_whole(body, "number"), *lists)}


def _unmask(masks: PartyMasks, body: Body) -> dict[str, Any]:
    lists = _names(body, "alive"), _names(body, "lost")
    endorsements = body.get("endorsements")
    if endorsements is not None and not isinstance(endorsements, dict):
        raise out_of_order()
    return {"shares": masks.unmask(_whole(body, "number"), *lists, endorsements)}


STAGES: Mapping[str, Callable[[PartyMasks, Body], dict[str, Any]]] = {
    "keys": _keys,
    "share": _share,
    "accept": _accept,
    "endorse": _endorse,
    "unmask": _unmask,
}


def _whole(body: Body, name: str) -> int:
    value = body.get(name)
    if type(value) is not int or value < 0:
        raise out_of_order()
    return value


def _names(body: Body, name: str) -> list[str]:
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise out_of_order()
    return value
