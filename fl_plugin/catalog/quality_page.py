"""A product's measured quality as its page shows it."""

from collections.abc import Iterator

from fl_plugin.catalog.access_words import promised
from fl_plugin.catalog.markdown import code, plain, table, unbroken
from fl_plugin.catalog.measured import mark_of
from fl_plugin.catalog.published import (
    PublishedBias,
    PublishedGroup,
    PublishedProfile,
    Range,
)
from fl_plugin.catalog.view import View
from fl_plugin.catalog.words import listed, percent, size_words, spaced
from fl_plugin.manifest.types import Product

_DASH = "\N{EN DASH}"
_VERDICTS = {
    "even": "the groups that are large enough are alike, as far as ranges can tell",
    "uneven": "**the groups differ**",
    "unknown": "too few people to say",
}


def quality_section(view: View, product: Product) -> str:
    """Return what was measured beside what is promised, then drift and fairness."""
    profile = view.measured(product).profile
    parts = [_measures(view, product)]
    mark = mark_of(product, profile)
    if mark:
        parts.insert(0, f"**{plain(mark[:1].upper() + mark[1:])}.**")
    if profile is not None:
        parts += [_drift(profile), *(_bias(bias) for bias in profile.bias)]
    return "\n\n".join(parts)


def share_words(value: float | None) -> str:
    """Return a measured share; all but a whole one are what is surely reached."""
    if value is None:
        return "not in the catalog"
    return percent(value) if value == 1 else f"at least {percent(value)}"


def _measures(view: View, product: Product) -> str:
    found, floors = view.measured(product), promised(product)
    shares = {
        "completeness": ("Filled cells among those that must be", found.completeness),
        "validity": ("Rows that pass every value test", found.validity),
        "uniqueness": ("Rows with a key of their own", found.uniqueness),
    }
    rows = [
        [plain(label), _state(share_words(value), broken), plain(floor or _DASH)]
        for name, (label, value) in shares.items()
        for floor, broken in [(floors.get(name), name in found.broken)]
        if value is not None or floor
    ]
    rows.append(["Last built", _age(view, product), plain(floors.get("age", _DASH))])
    if found.rows is not None:
        size = f", {size_words(found.size)}" if found.size is not None else ""
        rows.append(["Size, rounded", f"about {found.rows:,} rows{size}", _DASH])
    return table(["Measure", "Measured", "Promised"], rows)


def _state(words: str, broken: bool) -> str:  # noqa: FBT001 a word is worse
    return f"**{words}: broken**" if broken else words


def _age(view: View, product: Product) -> str:
    found = view.measured(product)
    if found.last_built is None:
        return "never" if not found.built else "not measured"
    late = found.is_fresh(product, view.now) is False
    when = f"{found.last_built:%Y-%m-%d %H:%M} UTC"
    return f"{when}, **too long ago**" if late else when


def _drift(profile: PublishedProfile) -> str:
    if profile.approved_at is None:
        return "Drift: no steward has approved a profile to compare with yet."
    since = unbroken(f"{profile.approved_at:%Y-%m-%d}")
    moved = [d for d in profile.drift if d.verdict != "stable"]
    if not profile.drift:
        return f"Drift since {since}: not measured."
    if not moved:
        return f"Drift since {since}: every column is stable."
    words = [
        f"{plain(d.column)} **{d.verdict}**"
        + (f" (index {d.index_words})" if d.index_words else "")
        for d in moved
    ]
    return f"Drift since {since}: {listed(words)}; the other columns are stable."


def _bias(bias: PublishedBias) -> str:
    title = f"{code(bias.label)} by {code(bias.protected)}"
    said = f"{title}: {_VERDICTS[bias.verdict]}."
    if not any(g.share or g.than_all for g in bias.groups):
        return said
    head = ["Group", "Share of rows", "Label rate", "Beside all rows"]
    if not any(g.share or g.rate for g in bias.groups):
        head = [head[0], head[3]]  # restricted: nothing in numbers
    rows = [list(_group(group, len(head))) for group in bias.groups]
    return f"{said}\n\n{table(head, rows)}"


def _group(group: PublishedGroup, cells: int) -> Iterator[str]:
    yield plain(spaced(group.group))
    hidden = group.share is None and group.than_all is None
    if cells > 2:  # noqa: PLR2004 with numbers
        yield _range(group.share) if group.share else _DASH
        yield _range(group.rate) if group.rate else _DASH
    yield group.than_all or ("too few" if hidden else _DASH)


def _range(rate: Range) -> str:
    return f"{percent(rate[0])} to {percent(rate[1])}"
