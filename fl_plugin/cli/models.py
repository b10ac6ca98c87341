"""`fl models`: what the registry holds."""

from typing import Any

import click

from fl_plugin.cli.listing import ListingGroup
from fl_plugin.cli.naming import MODEL_NAME, ModelName, suggesting
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import Cell, one_line


@click.group(cls=ListingGroup)
def models() -> None:
    """List registered models, or show one.

    Without a verb it lists.

    Example: fl models
    """


@models.command("list")
@click.argument("study", required=False)
@verb
def list_verb(session: Session, study: str | None) -> None:
    """List the registered models, the newest first.

    With STUDY, its models only.

    Example: fl models list credit_risk
    """
    mesh = session.mesh
    found = mesh.models
    rows = [_row(e) for e in found.entries if study in {None, e.study}]
    problems = {
        name: error
        for name, error in found.problems.items()
        if study in {None, name.partition("/")[0]}
    }
    if study is not None and not rows and not problems:
        with suggesting(study, lambda: (e.study for e in found.entries)):
            mesh.model(study)  # raises: there is none
    facts = {"models": rows, "problems": {n: e.problem for n, e in problems.items()}}
    session.answer(facts, [_table(rows)] if rows else [])
    if session.as_json:
        return
    if not rows and not problems:
        click.echo("No model yet. Run `fl train` with a study's name.", err=True)
    for name, error in problems.items():
        told = f"damaged: {name}: {error.problem} {error.remedy}"
        click.echo(one_line(told), err=True)


@models.command()
@click.argument("model", metavar="STUDY[@vN]", type=MODEL_NAME)
@verb
def show(session: Session, model: ModelName) -> None:
    """Show one model: its origin, its metrics, what left.

    The latest version is shown unless one is named.

    Example: fl models show credit_risk@v1
    """
    # scikit-learn is slow to import, and help must not wait for it.
    from fl_plugin.cli import records  # noqa: PLC0415

    mesh = session.mesh
    with suggesting(model.study, lambda: (e.study for e in mesh.models.entries)):
        entry = mesh.model(model.study, model.version)
    shown = [records.origin_table(entry), *records.run_shown(entry)]
    session.answer(records.run_facts(entry), shown)


def _row(entry: Any) -> dict[str, Cell]:
    auc = entry.run.metrics.get("roc_auc")
    return {
        "study": entry.study,
        "version": entry.version,
        "created_at": entry.run.created_at,
        "algorithm": entry.run.algorithm.name,
        "roc_auc": auc.value if auc else None,
        "domains": len(entry.run.products),
        "model_digest": entry.run.model_digest,
        "folder": str(entry.path),
    }


def _table(rows: list[dict[str, Cell]]) -> Table:
    names = ("study", "version", "created_at", "algorithm", "roc_auc", "domains")
    return Table(
        columns=(
            "study",
            "version",
            "created (UTC)",
            "algorithm",
            "ROC-AUC",
            "domains",
            "digest",
        ),
        rows=tuple(
            (
                *(_brief(row, n) for n in names),
                str(row["model_digest"]).removeprefix("sha256:")[:12],
            )
            for row in rows
        ),
    )


def _brief(row: dict[str, Cell], name: str) -> Cell:
    """Return a cell, a time without its zone: it is always UTC."""
    return str(row[name])[:19] if name == "created_at" else row[name]
