"""`fl new`: start a domain, a product or a study of the mesh."""

from pathlib import Path
from typing import Any

import click

from fl_plugin.cli.owning import team_from, team_options
from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb


@click.group()
def new() -> None:
    """Start a domain, a product or a study from a template.

    Example: fl new domain lending
    """


@new.command()
@click.argument("name")
@team_options
@verb
def domain(session: Session, name: str, **said: Any) -> None:
    """Start the domain NAME: a dbt project of its own.

    It has an owner, two stewards and a place for its data, builds at once, and allows
    nobody anything.

    Example: fl new domain lending --owner Lending --email lending@bank.example
    """
    mesh = session.mesh
    team = team_from(name, said)
    made = mesh.scaffold.domain(name, team)
    place = f"domains/{made.name}"
    shown: list[Shown] = [_files(place, made.files)]
    if team.stand_ins:
        shown.append(
            f"Addresses that you did not name are stand-ins: put yours into "
            f"{place}/models/owner.yml."
        )
    shown.append(f"Next: fl new product {made.name}.NAME --from-csv FILE")
    facts = {"domain": made.name, "folder": made.folder, "files": made.files}
    session.answer({**facts, "stand_ins": team.stand_ins}, shown)


@new.command()
@click.argument("name", metavar="DOMAIN.NAME")
@click.option(
    "--from-csv",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What it is made from; a few made-up rows unless named.",
)
@click.option("--key", metavar="COLUMN", help="Says which row it is.")
@click.option("--label", metavar="COLUMN", help="What a model is to learn.")
@click.option("--purpose", "purposes", metavar="NAME", multiple=True, help="What for.")
@click.option("--description", metavar="TEXT", help="What a row is.")
@click.option(
    "--keep-in-git",
    is_flag=True,
    help="Make the file a dbt seed: for public data alone.",
)
@verb
def product(session: Session, name: str, **said: Any) -> None:
    """Start a product of a domain: a draft that allows nobody.

    Names and types come from the file, which goes into the domain's data/ and not into
    git; no value of it stands in the contract. What a column may be is guessed from its
    name, on the guarded side.

    Example: fl new product lending.credits --from-csv credits.csv --label is_bad
    """
    from fl_plugin.scaffold.product import Wanted  # noqa: PLC0415 as in `fl init`

    made = session.mesh.scaffold.product(name, Wanted(**said))
    place = f"domains/{made.folder.name}"
    columns = Table(
        title="Columns, as far as names and types tell",
        columns=("name", "type", "class", "role"),
        rows=tuple(
            (c.name, c.data_type, c.guess.classification, c.guess.role or None)
            for c in made.columns
        ),
    )
    facts = {
        "product": made.name,
        "contract": made.folder / made.contract,
        "files": made.files,
        "columns": [
            {
                "name": c.name,
                "data_type": c.data_type,
                "classification": c.guess.classification,
                "role": c.guess.role or None,
                "why": c.guess.why,
            }
            for c in made.columns
        ],
    }
    shown: list[Shown] = [
        _files(place, made.files),
        columns,
        f"It is a draft that nobody may use: read {place}/{made.contract} and do the "
        "three things that are numbered there.",
        f"Next: fl build {made.folder.name}",
    ]
    session.answer(facts, shown)


@new.command()
@click.argument("name")
@click.option(
    "--products",
    metavar="A.B,C.D",
    required=True,
    help="One of each domain, apart by commas.",
)
@click.option("--target", metavar="COLUMN", required=True, help="What is to be learnt.")
@click.option(
    "--features",
    metavar="A,B",
    help="What it is learnt from; all that every product offers unless named.",
)
@click.option("--consumer", metavar="NAME", required=True, help="Who learns.")
@click.option("--purpose", metavar="NAME", required=True, help="What for.")
@click.option("--algorithm", metavar="NAME", default="logistic_regression")
@click.option("--label", metavar="TEXT", help="Its name for people.")
@click.option("--description", metavar="TEXT", help="What the model is for.")
@click.option("--owner", metavar="TEXT", help="Who answers; the consumer unless named.")
@click.option("--email", metavar="ADDRESS", help="The consumer's contact unless named.")
@verb
def study(
    session: Session, name: str, products: str, features: str | None, **said: Any
) -> None:
    """Start the study NAME over products that are built.

    Products and columns are those that the domains have built last.

    Example: fl new study risk --products a.x,b.x --target y --consumer ml --purpose p
    """
    from fl_plugin.scaffold.study import Question  # noqa: PLC0415 as in `fl init`

    question = Question(
        products=_words(products),
        features=_words(features) if features is not None else None,
        **said,
    )
    made = session.mesh.scaffold.study(name, question)
    facts = {
        "study": made.name,
        "file": made.file,
        "products": made.products,
        "features": made.features,
    }
    shown: list[Shown] = [
        f"{made.file}: {len(made.features)} features of {len(made.products)} products.",
        f"Next: fl build --mesh-only, fl access request {made.name} --by ADDRESS, "
        f"fl plan {made.name}",
    ]
    session.answer(facts, shown)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _files(place: str, files: tuple[str, ...]) -> Table:
    return Table(title=f"Written below {place}", rows=tuple((f,) for f in files))
