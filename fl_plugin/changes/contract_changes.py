"""Schemas that changed, breaking their readers or not, and policies."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fl_plugin.changes.direction import direction_of, policy_differences
from fl_plugin.changes.event import Change, Kind
from fl_plugin.changes.product_changes import about, told
from fl_plugin.changes.published import Published, PublishedColumn, PublishedVersion
from fl_plugin.changes.touched import touched_by

_SHOWN = 8  # of the columns or words in one sentence


@dataclass(frozen=True)
class _Step:
    """One version before and now; `text` says what is different, by column."""

    before: PublishedVersion
    now: PublishedVersion
    published: Published


def contract_changes(before: Published, now: Published) -> Iterator[Change]:
    """Yield what is different about the contracts of versions that stayed."""
    for node, version in now.versions.items():
        old = before.versions.get(node)
        if old is not None:
            step = _Step(old, version, now)
            yield from _schema(step, "schema.breaking", _breaking(step))
            yield from _schema(step, "schema.changed", _harmless(step))
            yield from _policy(step)


def _schema(
    step: _Step, kind: Kind, differences: Iterable[tuple[str, str]]
) -> Iterator[Change]:
    found = list(differences)
    if not found:
        return
    ask, breaks = step.now.ask, kind == "schema.breaking"
    words = "broke its promised schema" if breaks else "changed its schema"
    remedy = (
        f"Change what reads it, or ask {ask} to bring it back and publish a new version"
        if breaks
        else f"Nothing needs to change; new columns need a grant: ask {ask}"
    )
    change = about(kind, step.now, step.published)
    change = told(
        change,
        f"{step.now.name} {words}: {_listed([text for _, text in found])}.",
        f"{remedy}.{_stopped(step)}",
    )
    yield replace(change, columns=tuple(sorted({c for c, _ in found if c})))


def _breaking(step: _Step) -> Iterator[tuple[str, str]]:
    if step.before.enforced and not step.now.enforced:
        yield "", "its contract is no longer enforced"
    if step.before.key != step.now.key:
        yield "", "its key is another one"
    for name, old in step.before.columns.items():
        column = step.now.columns.get(name)
        if column is None:
            yield name, f"{name} is gone"
            continue
        if column.type_digest != old.type_digest:
            yield name, f"{name} is {_types(old, column)}"
        if column.nullable and not old.nullable:
            yield name, f"{name} may be null"
        if old.nullable and not column.nullable:
            yield name, f"{name} may no longer be null"


def _types(old: PublishedColumn, column: PublishedColumn) -> str:
    if column.data_type == old.data_type:
        return f"another {column.data_type} than it was"
    return f"{column.data_type}, was {old.data_type}"


def _harmless(step: _Step) -> Iterator[tuple[str, str]]:
    if step.now.enforced and not step.before.enforced:
        yield "", "its contract is enforced now"
    for name, column in step.now.columns.items():
        old = step.before.columns.get(name)
        if old is None:
            yield name, f"{name} is new"
        elif old.accepted != column.accepted:
            yield name, f"{name} accepts other values"


def _policy(step: _Step) -> Iterator[Change]:
    """Compare words: the fingerprint covers the schema, but not the mesh's floor."""
    found = policy_differences(step.before, step.now)
    if not found:
        return
    way = direction_of(found)
    words = f"was {way}" if way else "changed"
    change = told(
        about("policy.changed", step.now, step.published),
        f"The policy of {step.now.name} {words}: {_listed([d.name for d in found])}.",
        f"See what it is now: fl catalog show {step.now.product}.{_stopped(step)}",
    )
    columns = tuple(sorted({d.column for d in found if d.column}))
    yield replace(change, columns=columns, direction=way)


def _stopped(step: _Step) -> str:
    if step.before.fingerprint == step.now.fingerprint:
        return ""
    grants = touched_by(step.now, step.published).stopped
    if not grants:
        return ""
    named = _listed(list(grants))
    return f" Until {step.now.ask} confirms it, this grant stops: {named}."


def _listed(words: list[str]) -> str:
    more = len(words) - _SHOWN
    return "; ".join(words[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
