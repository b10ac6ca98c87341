"""What a kind of work answers with, and how its sums become arrays on the wire."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.messages import Ask, content_digest
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.privacy.encoding import encode_part, pack
from fl_plugin.privacy.fixed_point import Words
from fl_plugin.summand import Array, Arrays, Summand


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A party's answer before it is encoded.

    Args:
        body: Facts about this party alone, in the clear.
        parts: What its rows contribute to sums over all parties.
        expected: What each part looks like; the same at every party.
        noised: Parts that are words already, with noise in them.
        plain: Arrays that are no part of a sum: sent as they are.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    parts: Arrays = field(default_factory=dict)
    expected: Mapping[str, Summand] = field(default_factory=dict)
    noised: Mapping[str, Words] = field(default_factory=dict)
    plain: Arrays = field(default_factory=dict)

    def arrays(self, session: Session, ask: Ask) -> dict[str, Array]:
        """Return every part as words, masked where there are masks, cut to width.

        Masks hang on what was asked: where two parties were asked different things
        they do not cancel, and nobody learns a sum.
        """
        if self.plain:
            return dict(self.plain)
        exact = {n: s for n, s in self.expected.items() if n not in self.noised}
        words = encode_part(session.product.domain, exact, self.parts)
        words |= self.noised
        if session.masks is None or not words:
            return {n: pack(w, self.expected[n].width) for n, w in words.items()}
        number = ask.body.get("mask")
        if type(number) is not int:
            raise malformed("mask")
        context = content_digest(ask)
        return session.masks.hide(words, self.expected, number, context)


class Kind(ABC):
    """One kind of work that a coordinator may ask an open party for.

    `opened_by` names the uses that open it: the run's request must have one of them,
    as the contract and the grant must. Work of sums is refused in a run that matches
    rows, and the reverse: the one has no masks, the other no rows in common.
    """

    name: ClassVar[str]
    matched: ClassVar[bool] = False  # whether it is work on matched rows
    opened_by: ClassVar[frozenset[str]]
    releases: ClassVar[str]  # what leaves, in words, for the audit and the report

    @classmethod
    def check_opened(cls, session: Session) -> None:
        """Refuse work that the run was not decided on for.

        Raises:
            PolicyError: The request has none of the uses that open it.
            MessageError: It is work of the other mode.
        """
        if cls.matched != bool(session.request.match):
            raise out_of_order()
        check_uses(session, cls.opened_by)

    @abstractmethod
    def answer(self, session: Session, ask: Ask) -> Answer:
        """Do the work."""


def check_uses(session: Session, opened_by: frozenset[str]) -> None:
    """Refuse work that the run was not decided on for.

    Raises:
        PolicyError: The request has none of the uses that open it.
    """
    if opened_by & set(session.request.uses):
        return
    named = " or ".join(sorted(opened_by))
    raise PolicyError(
        f"A message asks {session.product.domain} for work that the use "
        f"{named} opens, and its request was not for that use.",
        remedy="Ask for the use in the study's grant, then start a new run.",
        reason="use.not_requested",
        domain=session.product.domain,
    )


def numbered(ask: Ask, count: int) -> list[dict[str, Array]]:
    """Return a message's arrays by the job that they are for: `<job>.<name>`.

    Raises:
        MessageError: An array is for no job.
    """
    found: list[dict[str, Array]] = [{} for _ in range(count)]
    for name, array in ask.arrays.items():
        place, dot, rest = name.partition(".")
        if not (dot and rest and place.isdigit() and int(place) < count):
            raise malformed("array names")
        found[int(place)][rest] = array
    return found


def prefixed(place: int, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same, named for the job at a place."""
    return {f"{place}.{name}": value for name, value in arrays.items()}


def listed(ask: Ask, name: str, kind: type) -> Sequence[Any]:
    """Return a list of a message's body whose entries are all of one type."""
    raw = ask.body.get(name)
    if not isinstance(raw, list) or not raw or any(type(v) is not kind for v in raw):
        raise malformed(name)
    return raw


def rounded(value: float | None, digits: int = 4) -> float | None:
    """Return a figure rounded as it may leave; None where there is none."""
    return None if value is None or not math.isfinite(value) else round(value, digits)


def malformed(what: str) -> MessageError:
    """Return the error for a message that no coordinator of ours sends."""
    return MessageError(
        f"A message's {what} is missing or malformed.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
