"""Find out which own rows all domains have, and learn nothing else of theirs."""

from typing import ClassVar

from fl_plugin.manifest.uses import PREDICT, TRAIN_VERTICAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, malformed
from fl_plugin.party.matched.matching import (
    begin,
    begin_with,
    of_product,
    salt_of,
)
from fl_plugin.party.matched.state import matched_of
from fl_plugin.party.session import Session, out_of_order


class Match(Kind):
    """Say whether there is a salt; begin; then answer the matching, step by step."""

    name: ClassVar[str] = "match"
    matched: ClassVar[bool] = True
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_VERTICAL, PREDICT})
    releases: ClassVar[str] = "blinded keys, sealed messages, numbers of rows"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the matching's arrays."""
        with of_product(session):
            return _answer(session, ask)


def _answer(session: Session, ask: Ask) -> Answer:
    matched = matched_of(session)
    if matched.matching is not None and not ask.body:
        return Answer(plain=matched.matching.answer(ask.arrays))
    if not ask.body:
        return Answer(body={"salted": bool(salt_of(matched.folder))})
    rule, salted = ask.body.get("rule"), ask.body.get("salted")
    if not isinstance(rule, str) or type(salted) is not bool:
        raise malformed("terms")
    peer, key = ask.body.get("with"), ask.body.get("key")
    if peer is None and matched.matching is None:
        matched.matching = begin(session, rule, salted=salted)
    elif isinstance(peer, str) and isinstance(key, str):
        matched.matching = begin_with(session, rule, peer, key, salted=salted)
    else:
        raise out_of_order()
    return Answer()
