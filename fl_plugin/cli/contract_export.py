"""`fl contract export`: contracts as Open Data Contract Standard documents."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import one_line
from fl_plugin.errors import ContractError, UsageError

if TYPE_CHECKING:
    from fl_plugin.contracts.exports import Exports


@click.command()
@click.argument("product", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["odcs"]),
    default="odcs",
    show_default=True,
    help="Open Data Contract Standard 3.1, as YAML.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write here instead of printing.",
)
@click.option(
    "--all",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a file for every version of every product.",
)
@verb
def export(
    session: Session,
    product: str | None,
    form: Literal["odcs"],
    output: Path | None,
    folder: Path | None,
) -> None:
    """Write PRODUCT's contract, or all of them, for other tools.

    It is read from the domain's manifest: run `dbt parse` after a change. With --all
    a contract that is not valid is told and left out; the exit code is then 4.

    Example: fl contract export consumer_banking.credit_profile --output profile.yaml
    """
    if (product is None) == (folder is None) or (folder and output):
        raise UsageError(
            "Name one product, or a folder with --all.",
            remedy="fl contract export consumer_banking.credit_profile",
        )
    if folder is not None:
        _export_all(session, folder)
    elif product is not None:
        _export_one(session, product, output, form)


def _export_one(session: Session, product: str, output: Path | None, form: str) -> None:
    # Contracts need pydantic, and help must not wait for it.
    from fl_plugin.contracts.exports import Exports, write_text  # noqa: PLC0415
    from fl_plugin.contracts.yaml_text import yaml_text  # noqa: PLC0415

    exports = Exports(session.project.resolve())
    with suggesting(product, lambda: _known(exports)):
        document = exports.odcs(product)
    facts = {"product": product, "format": form, "output": output}
    if output is not None:
        write_text(output, yaml_text(document))
        session.answer(
            facts, [Table(rows=tuple((k, str(v)) for k, v in facts.items()))]
        )
    elif session.as_json:
        session.answer(facts | {"contract": document}, [])
    else:
        click.echo(yaml_text(document), nl=False)


def _export_all(session: Session, folder: Path) -> None:
    from fl_plugin.contracts.exports import Exports  # noqa: PLC0415 as above

    exports = Exports(session.project.resolve())
    found = exports.all_odcs()
    exports.write(found.documents, folder)
    problems = {name: str(error) for name, error in found.problems.items()}
    if not session.as_json:
        for name, problem in sorted(problems.items()):
            click.echo(one_line(f"not exported: {name}: {problem}"), err=True)
    written = [str(folder / name) for name in found.documents]
    table = Table(columns=("written",), rows=tuple((name,) for name in written))
    failure = ContractError(
        f"{len(problems)} of the mesh's contracts could not be exported.",
        remedy="See what is wrong with them: fl contract lint",
    )
    facts = {"written": written, "problems": problems}
    session.answer(facts, [table], failure if problems else None)


def _known(exports: "Exports") -> list[str]:
    return [str(d["name"]) for d in exports.all_odcs().documents.values()]
