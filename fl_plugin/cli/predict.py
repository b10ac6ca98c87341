"""`fl predict`: score rows of a file with a registered model."""

from pathlib import Path

import click

from fl_plugin.cli.naming import MODEL_NAME, ModelName, suggesting
from fl_plugin.cli.session import Session, verb

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("model", metavar="STUDY[@vN]", type=MODEL_NAME)
@click.option(
    "--input",
    "source",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Rows to score: csv, parquet, jsonl or ndjson.",
)
@click.option(
    "--output",
    "target",
    type=FILE,
    metavar="FILE",
    help="Where to write them, by its extension; CSV on stdout unless named.",
)
@verb
def predict(
    session: Session, model: ModelName, source: Path, target: Path | None
) -> None:
    """Score the rows of a file with a registered model.

    Adds the columns `score` and `predicted`; other columns are kept. The latest
    version scores unless one is named.

    Example: fl predict credit_risk --input applications.csv --output scored.parquet
    """
    # pyarrow is slow to import, and help must not wait for it.
    from fl_plugin.mesh import tables  # noqa: PLC0415

    mesh = session.mesh
    if target is not None:
        tables.check_output(target)
    rows = tables.read_table(source)
    with suggesting(model.study, lambda: (e.study for e in mesh.models.entries)):
        run = mesh.model(model.study, model.version).run
    scored = mesh.predict(run.study, rows, version=run.version)
    facts = {"study": run.study, "version": run.version, "rows": scored.num_rows}
    if target is not None:
        tables.write_table(scored, target)
        told = f"Scored {scored.num_rows:,} rows: {target}"
        session.answer({**facts, "output": target}, [told])
    elif session.as_json:
        answers = scored.select(["score", "predicted"]).to_pylist()
        session.answer({**facts, "output": None, "predictions": answers}, [])
    else:
        click.echo(tables.csv_text(scored), nl=False)
