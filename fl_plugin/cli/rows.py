"""The rows of a query or a sample: on the screen, as JSON, or in a file."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import Cell, one_line
from fl_plugin.errors import UsageError

if TYPE_CHECKING:
    from fl_plugin.mesh.exploring import Result

FORMATS = ("table", "csv", "arrow", "parquet")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Whose rows, and where they shall go."""

    consumer: str | None
    study: str
    form: str | None
    target: Path | None

    def check(self) -> None:
        """Look at where the rows shall go, before the domain is asked for any.

        Raises:
            UsageError: The format needs a file, or the file's name says another one.
        """
        from fl_plugin.mesh import tables  # noqa: PLC0415 pyarrow is slow to import

        form, target = self.form, self.target
        if target is None and form in {"arrow", "parquet"}:
            raise UsageError(
                f"A screen cannot show {form}.", remedy=f"Add --output rows.{form}."
            )
        if target is None:
            return
        tables.check_output(target)
        if form is not None and target.suffix.lower() != f".{form}":
            raise UsageError(
                f"{target.name} is no name for --format {form}.",
                remedy=f"Name the file like rows.{form}, or leave --format out.",
            )


def rows_verb(function: Callable[..., None]) -> Callable[..., None]:
    """Make a verb that gives rows: a session, and what is wanted of them."""

    @click.option(
        "--as",
        "consumer",
        metavar="CONSUMER",
        help="On whose behalf; whom the grants name unless named.",
    )
    @click.option(
        "--study",
        default="exploration",
        show_default=True,
        metavar="NAME",
        help="What the grant was given for.",
    )
    @click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        help="How to give the rows; by the extension of --output unless named.",
    )
    @click.option(
        "--output",
        "target",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Where to write the rows; the screen unless named.",
    )
    @verb
    @functools.wraps(function)
    def with_wanted(session: Session, **words: Any) -> None:
        names = [f.name for f in fields(Wanted)]
        wanted = Wanted(**{name: words.pop(name) for name in names})
        wanted.check()
        function(session, wanted, **words)

    return with_wanted


def give(session: Session, wanted: Wanted, result: "Result") -> None:
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
        "output": wanted.target,
    }
    if wanted.target is not None:
        tables.write_table(result.arrow, wanted.target)
        told = f"Wrote {len(result):,} rows: {wanted.target}"
        session.answer(facts | {"rows": len(result)}, [told, *_said(result)])
    elif wanted.form == "csv" and not session.as_json:
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
        columns=tuple(one_line(name) for name in result.arrow.column_names),
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
