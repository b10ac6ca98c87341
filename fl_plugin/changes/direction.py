"""Which words of a policy differ, and whether each lets more or less happen.

For telling people, not for deciding: `contract diff` is the review. What it does not
know gets no direction.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fl_plugin.changes.event import Direction
from fl_plugin.changes.published import Policy, PublishedVersion

Way = Direction | Literal["unknown"]
_Judge = Callable[[Any, Any], Way]
_CLASSES = ("public", "internal", "confidential", "restricted")


@dataclass(frozen=True)
class Difference:
    """A word that differs, and which way; `column` is "" for the product's own."""

    word: str
    way: Way
    column: str = ""

    @property
    def name(self) -> str:
        """`uses`, or `uses of age`."""
        return f"{self.word} of {self.column}" if self.column else self.word


def policy_differences(
    before: PublishedVersion, now: PublishedVersion
) -> list[Difference]:
    """Return every word of two policies that differs, but for added columns' words."""
    found = [
        Difference(w, way) for w, way in _words(before.policy, now.policy, _PRODUCT)
    ]
    for name, column in now.columns.items():
        old = before.columns.get(name)
        if old is None or old.policy == column.policy:
            continue
        was, is_ = _effective(old.policy, before), _effective(column.policy, now)
        pairs = _words(was, is_, _COLUMN)
        found += [Difference(word, way, name) for word, way in pairs]
    return found


def direction_of(differences: list[Difference]) -> Direction | None:
    """Return where a policy went: one loosened word makes it loosened."""
    ways = {d.way for d in differences}
    if "loosened" in ways:
        return "loosened"
    return "tightened" if ways == {"tightened"} else None


def _words(
    before: Policy, now: Policy, judges: Mapping[str, _Judge]
) -> Iterator[tuple[str, Way]]:
    was, is_ = dict(_flat(before)), dict(_flat(now))
    # A word that only one of them has came or went with a release of this package.
    for word in sorted(set(was) & set(is_)):
        if was[word] != is_[word]:
            judge = judges.get(word)
            yield word, judge(was[word], is_[word]) if judge else "unknown"


_BLOCKS = ("dp", "approval", "quality")


def _flat(policy: Policy) -> Iterator[tuple[str, Any]]:
    for word, value in policy.items():
        inside = value if word in _BLOCKS else None
        if isinstance(inside, Mapping):
            yield from ((f"{word}.{below}", v) for below, v in inside.items())
            if word == "dp":
                yield word, "set"
        elif word == "dp":
            yield word, None
        else:
            yield word, value


def _effective(policy: Policy, version: PublishedVersion) -> Policy:
    """A column's word that is not said is the product's."""
    own = {w: policy.get(w) or version.policy.get(w) for w in ("classification",)}
    uses = policy.get("uses")
    return policy | own | {"uses": version.policy["uses"] if uses is None else uses}


def _more_is_looser(before: Any, now: Any) -> Way:
    was, is_ = set(map(repr, before or ())), set(map(repr, now or ()))
    if was == is_:
        return "unknown"
    return "tightened" if is_ < was else "loosened"


def _more_is_tighter(before: Any, now: Any) -> Way:
    was, is_ = set(map(repr, before or ())), set(map(repr, now or ()))
    if was == is_:
        return "unknown"
    return "tightened" if was < is_ else "loosened"


def _higher_is_looser(before: Any, now: Any) -> Way:
    """No limit at all is the highest one."""
    was = math.inf if before is None else before
    is_ = math.inf if now is None else now
    return "loosened" if is_ > was else "tightened"


def _lower_is_looser(before: Any, now: Any) -> Way:
    was = -math.inf if before is None else before
    is_ = -math.inf if now is None else now
    return "loosened" if is_ < was else "tightened"


def _in_order(order: tuple[Any, ...]) -> _Judge:
    """Return a judge of words of which the first is the loosest."""

    def judge(before: Any, now: Any) -> Way:
        if before not in order or now not in order:
            return "unknown"
        return "loosened" if order.index(now) < order.index(before) else "tightened"

    return judge


def _absence_is_looser(before: Any, now: Any) -> Way:
    """Any other change of it is to be looked at: it may let more happen."""
    return "tightened" if before is None and now is not None else "loosened"


def _always_loosened(before: Any, now: Any) -> Way:  # noqa: ARG001 a judge's form
    return "loosened"


_PRODUCT: Mapping[str, _Judge] = {
    "status": _in_order(("active", "draft", "retired")),
    "access": _in_order(("public", "protected", "private")),
    "classification": _in_order(_CLASSES),
    "purposes": _more_is_looser,
    "uses": _more_is_looser,
    "allow": _more_is_looser,
    "deny": _more_is_tighter,
    "row_filter": _absence_is_looser,
    "min_cohort": _lower_is_looser,
    "dp": _absence_is_looser,
    "dp.epsilon": _higher_is_looser,
    "dp.delta": _higher_is_looser,
    "dp.period_days": _lower_is_looser,
    "dp.required_for": _more_is_tighter,
    "approval.approvers": _lower_is_looser,
    "approval.restricted_approvers": _lower_is_looser,
    "approval.max_days": _higher_is_looser,
    "quality.completeness": _lower_is_looser,
    "quality.validity": _lower_is_looser,
    "quality.uniqueness": _lower_is_looser,
    "quality.drift_psi": _higher_is_looser,
    "quality.on_breach": _in_order(("warn", "stop")),
    "freshness_hours": _higher_is_looser,
    "retention_days": _higher_is_looser,
    # Who approves is not a matter of more or fewer: a swap is to be looked at.
    "stewards": _always_loosened,
}
_COLUMN: Mapping[str, _Judge] = {
    "roles": _more_is_looser,
    "uses": _more_is_looser,
    "classification": _in_order(_CLASSES),
    "pii": _absence_is_looser,
    "label_sharing": _in_order(("shared", None, "protected")),
    "mask": _absence_is_looser,
}
