"""`fl quality`: measure products, approve a profile, see which promise is kept."""

from typing import TYPE_CHECKING, Any

import click

from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import Cell, one_line
from fl_plugin.errors import PolicyError

if TYPE_CHECKING:
    from fl_plugin.catalog.published import PublishedBias, PublishedProfile, Range
    from fl_plugin.quality.report import ProductQuality


@click.group()
def quality() -> None:
    """Measure products, and see which promise of a contract is kept.

    Example: fl quality report
    """


@quality.command()
@click.argument("product", required=False)
@click.option("--domain", metavar="NAME", help="This domain's products only.")
@verb
def profile(session: Session, product: str | None, domain: str | None) -> None:
    """Measure PRODUCT, or all, as they were built last.

    Counts stay in the domain's ledger. What may be known outside is written to
    target/quality.json of the domain: words and ranges, no group below the cohort.

    Example: fl quality profile consumer_banking.credit_profile
    """
    if product and domain:
        raise click.UsageError("Name a product or a domain, not both.")
    mesh = session.mesh
    with suggesting(product or "", lambda: mesh.products):
        found = mesh.quality.profile(product, domain=domain)
    rows = tuple(
        (p.product, p.version, p.rows, _worst(p), ", ".join(p.broken) or "none")
        for p in found.published
    )
    head = ("product", "version", "rows, about", "drift", "broken floors")
    facts = {
        "published": [p.model_dump(mode="json") for p in found.published],
        "files": found.files,
        "problems": {name: e.problem for name, e in found.problems.items()},
    }
    if not session.as_json:
        for name, error in sorted(found.problems.items()):
            click.echo(one_line(f"not measured: {name}: {error.problem}"), err=True)
    shown: list[Shown] = [Table(columns=head, rows=rows)] if rows else []
    failure = next(iter(found.problems.values()), None)
    session.answer(facts, shown, failure)


@quality.command()
@click.argument("product")
@click.option(
    "--by", metavar="ADDRESS", required=True, help="A steward of the product's group."
)
@verb
def approve(session: Session, product: str, by: str) -> None:
    """Take what was measured last of PRODUCT as normal.

    Drift is measured against it from now on. Only a steward of the product's group
    may; who it was stands in the domain's ledger.

    Example: fl quality approve auto_finance.credit_profile --by you@bank.example
    """
    mesh = session.mesh
    with suggesting(product, lambda: mesh.products):
        found = mesh.quality.approve(product, by=by)
    facts = {"product": found.product, "version": found.version, "by": by}
    told = f"Drift of {found.product} is measured against the build of"
    session.answer(
        facts | {"built_at": found.built_at},
        [f"{told} {found.built_at:%Y-%m-%d %H:%M} UTC."],
    )


@quality.command()
@click.option("--domain", metavar="NAME", help="This domain's products only.")
@click.option(
    "--check", is_flag=True, help="End with exit code 3 where a promise is not kept."
)
@verb
def report(session: Session, domain: str | None, *, check: bool) -> None:
    """Show each product's quality beside its promises.

    What is promised and was not measured counts as not kept.

    Example: fl quality report --domain consumer_banking
    """
    found = session.mesh.quality.report(domain)
    failing = [q for q in found if q.broken or q.unmeasured]
    failure = None
    if check and failing:
        failure = PolicyError(
            f"{failing[0].product} does not keep what its contract promises.",
            remedy="See `fl quality report`; its team mends it and builds it again.",
            reason="quality.broken",
            domain=failing[0].product.partition(".")[0],
        )
    shown = [part for q in found for part in _shown(q)]
    session.answer({"products": [_facts(q) for q in found]}, shown, failure)


def _facts(found: "ProductQuality") -> dict[str, Any]:
    profile = found.profile
    return {
        "product": found.product,
        "version": found.version,
        "measures": found.lines,
        "broken": found.broken,
        "not_measured": found.unmeasured,
        "stops": found.stops,
        "retrain": found.retrain,
        "profile": profile.model_dump(mode="json") if profile else None,
    }


def _shown(found: "ProductQuality") -> list[Shown]:
    version = f" v{found.version}" if found.version is not None else ""
    rows = tuple(
        (
            line.measure,
            line.found,
            line.promised or None,
            line.state,
            f"{line.since:%Y-%m-%d %H:%M}" if line.since else None,
        )
        for line in found.lines
    )
    head = ("measure", "measured", "promised", "state", "broken since")
    parts: list[Shown] = [
        Table(title=f"{found.product}{version}", columns=head, rows=rows)
    ]
    if found.broken:
        parts.append(
            "A broken floor stops every use of it."
            if found.stops
            else "Its contract only warns of a broken floor."
        )
    if found.profile is not None:
        parts += _people(found.profile)
    return parts


def _people(profile: "PublishedProfile") -> list[Shown]:
    parts: list[Shown] = []
    moved = [d for d in profile.drift if d.verdict != "stable"]
    if moved:
        rows = tuple((d.column, d.verdict, d.index_words or None) for d in moved)
        parts.append(Table(title="Moved", columns=("column", "", "index"), rows=rows))
    parts += [_bias(bias) for bias in profile.bias]
    return parts


def _bias(bias: "PublishedBias") -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            g.group,
            _range(g.share),
            _range(g.rate),
            g.than_all or ("too few" if g.share is None else None),
        )
        for g in bias.groups
    )
    columns: tuple[str, ...] = (
        "group",
        "share of rows",
        "label rate",
        "beside all rows",
    )
    if not any(g.share or g.rate for g in bias.groups):
        # Restricted, or too few: nothing in numbers.
        rows, columns = tuple((r[0], r[3]) for r in rows), (columns[0], columns[3])
    title = f"{bias.label} by {bias.protected}: {bias.verdict}"
    return Table(title=title, columns=columns, rows=rows)


def _range(found: "Range | None") -> str | None:
    return None if found is None else f"{100 * found[0]:g} to {100 * found[1]:g} %"


def _worst(profile: "PublishedProfile") -> str:
    worst = profile.worst_drift
    if worst is None:
        return "not compared"
    return f"{worst.verdict} ({worst.column})"
