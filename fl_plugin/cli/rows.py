"""The rows of a query or a sample: on the screen, as JSON, or in a file."""

from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session
from fl_plugin.cli.text import Cell
from fl_plugin.errors import UsageError

if TYPE_CHECKING:
    from fl_plugin.mesh.exploring import Result

FORMATS = ("table", "csv", "arrow", "parquet")
form_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How to give the rows; by the extension of --output unless named.",
)
output_option = click.option(
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write the rows; the screen unless named.",
)
consumer_option = click.option(
    "--as",
    "consumer",
    metavar="CONSUMER",
    help="On whose behalf; whom the grants name unless named.",
)
study_option = click.option(
    "--study",
    default="exploration",
    show_default=True,
    metavar="NAME",
    help="What the grant was given for.",
)


def check_target(form: str | None, target: Path | None) -> None:
    """Look at where the rows shall go, before the domain is asked for any.

    Raises:
        UsageError: The format needs a file, or the file's name says another format.
    """
    from fl_plugin.mesh import tables  # noqa: PLC0415 pyarrow is slow to import

    if target is None:
        if form in {"arrow", "parquet"}:
            raise UsageError(
                f"A screen cannot show {form}.", remedy=f"Add --output rows.{form}."
            )
        return
    tables.check_output(target)
    if form is not None and target.suffix.lower() != f".{form}":
        raise UsageError(
            f"{target.name} is no name for --format {form}.",
            remedy=f"Name the file like rows.{form}, or leave --format out.",
        )


def give(
    session: Session, result: "Result", form: str | None, target: Path | None
) -> None:
    """Give the rows to whoever asked, and always the id they are on record under."""
    from fl_plugin.mesh import tables  # noqa: PLC0415 pyarrow is slow to import

    facts = {
        "query_id": result.query_id,
        "product": result.product,
        "consumer": result.consumer,
        "grant": result.grant,
        "columns": result.columns,
        "masks": result.masks,
        "released": result.released,
        "truncated": result.truncated,
        "output": target,
    }
    if target is not None:
        tables.write_table(result.arrow, target)
        told = f"Wrote {len(result):,} rows: {target}"
        session.answer(facts | {"rows": len(result)}, [told, *_said(result)])
    elif form == "csv" and not session.as_json:
        click.echo(tables.csv_text(result.arrow), nl=False)
        click.echo(f"query {result.query_id}", err=True)
    else:
        rows = [
            {name: _plain(value) for name, value in row.items()}
            for row in result.to_pylist()
        ]
        session.answer(facts | {"rows": rows}, [_table(result), *_said(result)])


def _table(result: "Result") -> Table:
    columns = [column.to_pylist() for column in result.arrow.columns]
    return Table(
        title=result.product,
        columns=tuple(_cell(name) for name in result.arrow.column_names),
        rows=tuple(
            tuple(_shown(value) for value in row) for row in zip(*columns, strict=True)
        ),
    )


def _said(result: "Result") -> list[Shown]:
    said: list[Shown] = []
    if result.truncated:
        said.append(f"Only the first {len(result):,} rows: there are more.")
    masks = ", ".join(f"{name} ({mask})" for name, mask in result.masks.items())
    if masks:
        said.append(f"Masked by the domain: {masks}.")
    said.append(f"On record at {result.product.partition('.')[0]} as {result.query_id}")
    return said


def _cell(name: str) -> str:
    from fl_plugin.cli.text import one_line  # noqa: PLC0415

    return one_line(name)


def _shown(value: Any) -> Cell:
    plain = _plain(value)
    return (
        plain if plain is None or isinstance(plain, str | int | float) else str(plain)
    )


def _plain(value: Any) -> Any:
    """Return a value of any SQL type as what JSON knows."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value.hex() if isinstance(value, bytes) else str(value)
