"""Products and versions that came, went, were built again or miss a promise."""

from collections.abc import Iterator
from datetime import datetime

from fl_plugin.changes.event import Change, Kind
from fl_plugin.changes.published import Published, PublishedVersion
from fl_plugin.changes.touched import touched_by

_FLOORS = {
    "freshness": "was last built longer ago than its contract promises",
    "tests": "has data tests that fail",
    "drift": "has drifted further than its contract allows",
}


def product_changes(before: Published, now: Published) -> Iterator[Change]:
    """Yield what is different about the products themselves."""
    known = {v.product for v in before.versions.values()}
    for node, version in now.versions.items():
        old = before.versions.get(node)
        if old is None:
            yield _added(version, now, known)
            known.add(version.product)
        elif _later(version.built_at, old.built_at):
            yield _updated(version, now)
        yield from _deprecated(version, old, now)
        yield from _breached(version, old, now)
    for node, version in before.versions.items():
        if node not in now.versions:
            yield _removed(version, before, now)


def about(kind: Kind, version: PublishedVersion, published: Published) -> Change:
    """Return a change of a version that says nothing yet, to whom it concerns."""
    whom = touched_by(version, published)
    return Change(
        kind=kind,
        product=version.product,
        version=version.version,
        node=version.node,
        sentence="",
        remedy=f"Look at it: fl catalog show {version.product}",
        concerns=whom.concerns,
        consumers=whom.consumers,
    )


def told(change: Change, sentence: str, remedy: str = "") -> Change:
    """Return a change with its words."""
    words = {"sentence": sentence, "remedy": remedy or change.remedy}
    return Change(**{**vars(change), **words})


def _added(version: PublishedVersion, now: Published, known: set[str]) -> Change:
    if version.product in known:
        change = about("version.added", version, now)
        return told(change, f"{version.product} has a new version, v{version.version}.")
    change = about("product.added", version, now)
    return told(change, f"{version.product} is a product of the mesh.")


def _updated(version: PublishedVersion, now: Published) -> Change:
    when = f"{version.built_at:%Y-%m-%d %H:%M:%S} UTC" if version.built_at else ""
    studies = touched_by(version, now).studies
    again = f"See whether to train again: fl evaluate {studies[0]}" if studies else ""
    change = about("product.updated", version, now)
    return told(change, f"{version.name} was built again on {when}.", again)


def _removed(version: PublishedVersion, before: Published, now: Published) -> Change:
    left = [v for v in now.versions.values() if v.product == version.product]
    whom = touched_by(version, before)
    change = about("product.removed", version, before)
    if left:
        newest = max(left, key=lambda v: v.version or 0)
        return told(
            change,
            f"{version.name} is gone; {newest.name} is there.",
            f"Name the version that is there, and ask {version.ask} for a grant on it.",
        )
    named = f" Take it out of: {', '.join(whom.studies)}." if whom.studies else ""
    return told(
        change,
        f"{version.name} is gone.",
        f"Ask {version.ask} what replaces it.{named}",
    )


def _deprecated(
    version: PublishedVersion, old: PublishedVersion | None, now: Published
) -> Iterator[Change]:
    ends = version.deprecation
    if ends is None:
        return
    moved = old is None or old.deprecation != ends
    if version.past and (moved or (old is not None and not old.past)):
        yield told(
            about("version.deprecated", version, now),
            f"{version.name} is past its date, {ends}: every request is refused.",
            f"Move to a newer version, or ask {version.ask}.",
        )
    elif moved and not version.past:
        yield told(
            about("version.deprecated", version, now),
            f"{version.name} ends on {ends}: from then on every request is refused.",
            f"Move to a newer version before that day, or ask {version.ask}.",
        )


def _breached(
    version: PublishedVersion, old: PublishedVersion | None, now: Published
) -> Iterator[Change]:
    was = set(old.breaches) if old else set()
    for floor in version.breaches:
        if floor in was:
            continue
        words = _FLOORS.get(floor, f"is below the {floor} that its contract promises")
        domain = version.product.partition(".")[0]
        yield told(
            about("sla.breached", version, now),
            f"{version.name} {words}.",
            f"Ask {version.ask} to mend it and run: cd domains/{domain} && dbt build",
        )


def _later(now: datetime | None, before: datetime | None) -> bool:
    if now is None or before is None:
        return now is not None
    # One source of a build's time rounds it down to the minute.
    return now > before and now.replace(second=0) != before
