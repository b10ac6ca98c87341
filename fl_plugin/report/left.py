"""What left the domains, as the report's table and its drawing tell it."""

from collections.abc import Iterator
from dataclasses import dataclass

from fl_plugin.registry.run_record import LeftDomain, RunRecord
from fl_plugin.report.wording import NOTHING, size

AGREEMENT = "agreement"
# In the order of a run; what is not named here stands before the agreement.
_ORDER = (
    "open",
    "channel",
    "match",
    "expand",
    "arrange",
    "vocabulary",
    "count",
    "cut",
    "prepare",
    "step",
    "turn",
    "keep",
    "score",
    "assess",
    "deliver",
    "judge",
    "evaluate",
    "compare",
)
_FORMS = {
    "masked sum": "masked sum",
    "number": "in the clear",
    "vocabulary": "in the clear",
}
# What an evaluation sums, by kind of target.
_JUDGED = {
    "binary": "rows by score bin and outcome; summed losses and their squares",
    "multiclass": "rows by class and answer, and by score bin; summed losses and their "
    "squares",
    "regression": "sums and squares of targets, predictions and errors, also by size "
    "of the prediction",
    "count": "sums and squares of targets, predictions, errors and deviances, also by "
    "size of the prediction",
    "none": "rows; summed losses and their squares",
}


@dataclass(frozen=True)
class LeftRow:
    """One kind of thing that left, with its size by domain."""

    kind: str
    what: str
    form: str
    rounds: str
    bytes: tuple[str, ...]


def senders(run: RunRecord) -> list[str]:
    """Return the domains that something left, in the order of the columns."""
    return sorted({item.domain for item in run.left_domain})


def left_rows(run: RunRecord) -> tuple[LeftRow, ...]:
    """Return one row per kind of thing that left, in the order of a run."""
    return tuple(_rows(run))


def left_the_same(run: RunRecord) -> bool:
    """Return whether every domain sent the same kinds of things, as often."""
    kinds = {(item.kind, item.what, item.form) for item in run.left_domain}
    found = {
        key: [i.rounds for i in run.left_domain if (i.kind, i.what, i.form) == key]
        for key in kinds
    }
    everybody = len(senders(run))
    return bool(kinds) and all(
        len(times) == everybody and len(set(times)) == 1 for times in found.values()
    )


def agreed(run: RunRecord) -> dict[str, int]:
    """Return the bytes by which domains agreed to a run and its masks, by domain."""
    told = {
        domain: sum(i.bytes for i in run.left_domain if i.domain == domain)
        for domain in senders(run)
    }
    return {
        domain: max(run.bytes.domains[domain].up - listed, 0)
        for domain, listed in told.items()
        if domain in run.bytes.domains
    }


def form_name(form: str) -> str:
    """Return a form as people read it."""
    return _FORMS.get(form, form)


def _rows(run: RunRecord) -> Iterator[LeftRow]:
    domains = senders(run)
    keys = dict.fromkeys((i.kind, i.what, i.form) for i in run.left_domain)
    for kind, what, form in sorted(keys, key=_place):
        same = [
            i for i in run.left_domain if (i.kind, i.what, i.form) == (kind, what, form)
        ]
        sent = {i.domain: size(i.bytes) for i in same}
        yield LeftRow(
            kind,
            _held(run, same[0]),
            form_name(form),
            str(max(i.rounds for i in same)),
            tuple(sent.get(d, NOTHING) for d in domains),
        )
    rest = agreed(run)
    if any(rest.values()):
        keys_too = (
            "; public keys and encrypted shares of them"
            if run.privacy.secure_aggregation and run.vertical is None
            else ""
        )
        yield LeftRow(
            AGREEMENT,
            f"the decision by policy, acknowledgements{keys_too}; nothing made of rows",
            "no data",
            NOTHING,
            tuple(size(rest[d]) if d in rest else NOTHING for d in domains),
        )


def _place(key: tuple[str, str, str]) -> int:
    return _ORDER.index(key[0]) if key[0] in _ORDER else len(_ORDER)


def _held(run: RunRecord, item: LeftDomain) -> str:
    # The record's words serve every kind of target; the page knows which it is.
    if item.kind != "evaluate" or run.target_kind not in _JUDGED:
        masked = item.form == "masked sum"
        return item.what if masked else item.what.replace("as masked ", "as ")
    what = _JUDGED[run.target_kind]
    return f"{what}; the same by group" if run.groups else what
