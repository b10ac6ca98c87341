"""`fl algorithms`: what can be trained with, and what of it leaves a domain."""

import re
from inspect import cleandoc

import click

from fl_plugin.cli.listing import ListingGroup
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb

LEARNS = {
    "binary": "two classes",
    "multiclass": "classes",
    "regression": "numbers",
    "count": "counts",
    "none": "no target",
}
# An option in the Args of a docstring, and its lines as far as they are indented more.
_OPTION = re.compile(r"^    (\w+): (.*(?:\n     +.*)*)", re.MULTILINE)
# What is shown first, and what an algorithm calls it: its `mode` may be an option.
_FACTS = {
    "name": "name",
    "title": "title",
    "mode": "partitioning",
    "paper": "paper",
    "exact": "exact",
    "leaves": "leaves",
}


@click.group(cls=ListingGroup)
def algorithms() -> None:
    """List algorithms, or show one.

    Without a verb it lists.

    Example: fl algorithms
    """


@algorithms.command("list")
@verb
def list_verb(session: Session) -> None:
    """List the installed algorithms.

    Those of other packages are among them.

    Example: fl algorithms list
    """
    # numpy is slow to import, and help must not wait for it.
    from fl_plugin.vertical.installed import all_algorithms as known  # noqa: PLC0415

    found = [
        {
            "name": a.name,
            "title": a.title,
            "mode": a.partitioning,
            "targets": list(a.targets),
            "prepares": a.prepares,
        }
        for a in known().values()
    ]
    table = Table(
        columns=("name", "mode", "learns", "title"),
        rows=tuple(
            (a.name, a.partitioning, ", ".join(LEARNS[t] for t in a.targets), a.title)
            for a in known().values()
        ),
    )
    session.answer({"algorithms": found}, [table])


@algorithms.command()
@click.argument("name")
@verb
def show(session: Session, name: str) -> None:
    """Show one algorithm: its parameters, what leaves.

    Each domain's `node.yml` says which algorithms it runs, and in which ranges.

    Example: fl algorithms show logistic_regression
    """
    # numpy is slow to import, and help must not wait for it.
    from fl_plugin.vertical import installed  # noqa: PLC0415

    with suggesting(name, installed.all_algorithms):
        found = installed.find_described(name)
    facts = {word: getattr(found, name) for word, name in _FACTS.items()}
    parameters = found().parameters()
    facts["study"] = f"algorithm: {{name: {found.name}}}"
    session.answer(
        {**facts, "targets": list(found.targets), "parameters": parameters},
        [
            Table(
                rows=(
                    *facts.items(),
                    ("learns", ", ".join(LEARNS[t] for t in found.targets)),
                )
            ),
            Table(
                title="Parameters",
                columns=("name", "default", "meaning"),
                rows=tuple(
                    (n, _written(value), _meanings(found).get(n, ""))
                    for n, value in parameters.items()
                ),
            ),
        ],
    )


def _meanings(found: type) -> dict[str, str]:
    """Return what an algorithm and the classes it is made of say of their options."""
    meanings: dict[str, str] = {}
    for part in found.__mro__:
        _, _, told = cleandoc(part.__doc__ or "").partition("\nArgs:\n")
        for name, text in _OPTION.findall(told.partition("\n\n")[0]):
            meanings.setdefault(name, " ".join(text.split()))
    return meanings


def _written(value: object) -> str:
    """Return a default as a study would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
