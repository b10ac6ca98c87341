"""`fl catalog`: find, read, build and serve the catalog."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from fl_plugin.cli.catalog_changes import FEED_NAME, changes, write_feed
from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import one_line
from fl_plugin.errors import PolicyError


@click.group()
def catalog() -> None:
    """Find products, read contracts, build and serve the catalog.

    Example: fl catalog search credit
    """


catalog.add_command(changes)


@catalog.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--as", "consumer", metavar="CONSUMER", help="What this one may see.")
@verb
def search(
    session: Session, words: tuple[str, ...], limit: int, consumer: str | None
) -> None:
    """Find what holds every one of WORDS, the best first.

    It looks at products, studies and columns: names, tags, contracts, descriptions.
    With --as, only at what the domains' permissions let that consumer describe.

    Example: fl catalog search credit age
    """
    # Contracts need pydantic, and help must not wait for it.
    import fl_plugin.catalog.search as room  # noqa: PLC0415
    from fl_plugin.catalog import reading  # noqa: PLC0415
    from fl_plugin.catalog.published import read_published  # noqa: PLC0415

    root = session.project.resolve()
    manifest = reading.read_contracts(root)
    hidden = session.mesh.policies.hidden_from(consumer) if consumer else ()
    found = tuple(
        hit
        for hit in room.search(manifest, words, read_published(root))
        if hit.kind == "study" or ".".join(hit.name.split(".")[:2]) not in hidden
    )
    rows = tuple(
        (h.kind, h.name, f"[{h.mark}] {h.summary}" if h.mark else h.summary)
        for h in found[:limit]
    )
    shown = Table(columns=("kind", "name", "what it is"), rows=rows)
    facts = {"found": found[:limit], "more": max(0, len(found) - limit)}
    session.answer(facts, [shown] if found else [])
    if session.as_json:
        return
    if len(found) > limit:
        click.echo(f"{len(found) - limit} more: see --limit.", err=True)
    if not found:
        click.echo(f"Nothing found. {room.suggestion(manifest, words)}", err=True)


@catalog.command()
@click.argument("product")
@click.option("--as", "consumer", metavar="CONSUMER", help="If this one may see it.")
@verb
def show(session: Session, product: str, consumer: str | None) -> None:
    """Show everything there is to know about PRODUCT.

    What is missing is told on stderr. The domain may be left out where no other
    domain has a product of that name.

    Example: fl catalog show consumer_banking.credit_profile
    """
    import fl_plugin.catalog.show as room  # noqa: PLC0415 as above
    from fl_plugin.catalog import reading  # noqa: PLC0415

    view = reading.read_view(session.project.resolve(), datetime.now(UTC))
    card = room.show(view, product)
    if consumer and card.product in session.mesh.policies.hidden_from(consumer):
        raise PolicyError(
            f"{consumer} holds no permission to describe {card.product}.",
            remedy="Ask its domain for one in permissions.yml.",
            reason="permission.missing",
        )
    session.answer({"card": card}, _shown(card))
    if session.as_json:
        return
    for problem in card.problems:
        click.echo(one_line(f"missing: {problem}"), err=True)


@catalog.command()
@click.option("--no-dbt", is_flag=True, help="Use the artifacts that are in target/.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The site's folder; target/catalog unless named.",
)
@verb
def build(session: Session, output: Path | None, *, no_dbt: bool) -> None:
    """Write the site: dbt docs with every contract in plain words.

    Example: fl catalog build
    """
    # scikit-learn, which reading the registry brings, is slow to import.
    from fl_plugin.catalog.site import build_site  # noqa: PLC0415

    root = session.project.resolve()
    site = build_site(root, output, run_dbt=not no_dbt, feed=FEED_NAME)
    feed = write_feed(session, site.folder)
    counts = {"products": site.products, "grants": site.grants, "studies": site.studies}
    facts = {
        **counts,
        "index": site.index,
        "static": site.static,
        "feed": feed,
        "problems": {name: str(error) for name, error in site.problems.items()},
    }
    rows = tuple(counts.items())
    paths = (("page", str(site.index)), ("in one file", str(site.static)))
    more = (("changes, as a feed", str(feed)),) if feed else ()
    told = Table(title="Catalog", rows=(*rows, *paths, *more))
    session.answer(facts, [told, "Look at it with `fl catalog serve`."])
    if session.as_json:
        return
    for name, problem in sorted(site.problems.items()):
        click.echo(one_line(f"not valid: {name}: {problem}"), err=True)


@catalog.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Of a built site; target/catalog unless named.",
)
@verb
def serve(session: Session, port: int, folder: Path | None) -> None:
    """Serve the built site to this machine, until Ctrl-C.

    Example: fl catalog serve --port 8080
    """
    import fl_plugin.catalog.serve as room  # noqa: PLC0415 as above
    from fl_plugin.catalog import reading  # noqa: PLC0415

    def ready(url: str) -> None:
        session.answer({"url": url}, [f"{url}  (Ctrl-C ends it)"])

    room.serve(folder or reading.site_folder(session.project.resolve()), port, ready)


def _shown(card: Any) -> list[Shown]:
    version = f" v{card.version}" if card.version is not None else ""
    kinds = [
        Table(title=kind.capitalize(), rows=tuple(facts.items()))
        for kind, facts in card.kinds.items()
    ]
    columns = Table(
        title="Columns",
        columns=("name", "type", "class", "role", "description"),
        rows=tuple(
            (c.name, c.data_type, c.classification, c.roles, c.description)
            for c in card.columns
        ),
    )
    return [f"{card.product}{version}", card.title, *kinds, columns]
