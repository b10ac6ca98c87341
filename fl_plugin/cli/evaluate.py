"""`fl evaluate`: judge a registered model again, where the rows are."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from fl_plugin.cli.log import logged
from fl_plugin.cli.naming import MODEL_NAME, ModelName, suggesting
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import Cell
from fl_plugin.report.wording import metric_name


@click.command()
@click.argument("model", metavar="STUDY[@vN]", type=MODEL_NAME)
@click.option(
    "--engine",
    default="embedded",
    show_default=True,
    metavar="NAME",
    help="How the domains' parties run.",
)
@logged
@verb
def evaluate(session: Session, model: ModelName, engine: str) -> None:
    """Judge a registered model again, where the rows are.

    The rows held out in training are taken as they are today. Each domain decides
    first. The latest version is judged unless one is named.

    Example: fl evaluate credit_risk@v1
    """
    mesh = session.mesh
    with suggesting(model.study, lambda: (e.study for e in mesh.models.entries)):
        run = mesh.model(model.study, model.version).run
    with session.progress() as listener:
        found = mesh.evaluate(
            model.study, version=run.version, engine=engine, listener=listener
        )
    then = {name: estimate.value for name, estimate in run.metrics.items()}
    table = Table(
        title=f"{run.study} v{run.version}: on the hold-out today, 95 % interval",
        columns=("metric", "today", "low", "high", "when trained"),
        rows=tuple(_rows(found, then)),
    )
    facts = {
        "study": run.study,
        "version": run.version,
        "engine": engine,
        "metrics": found.to_json(),
    }
    session.answer(facts, [table])


def _rows(found: Any, then: Mapping[str, Cell]) -> Iterator[tuple[Cell, ...]]:
    for name, value in found.values().items():
        sure = found.intervals.get(name)
        ends = (sure.low, sure.high) if sure else (None, None)
        yield (metric_name(name), value, *ends, then.get(name))
