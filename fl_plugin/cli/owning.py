"""The options of whoever answers for a mesh or a domain."""

from collections.abc import Callable
from typing import Any

import click

OPTIONS = (
    click.option("--owner", metavar="TEXT", help="The team's name."),
    click.option("--email", metavar="ADDRESS", help="Where the team is written to."),
    click.option(
        "--steward",
        "stewards",
        metavar="ADDRESS",
        multiple=True,
        help="Who approves grants; name two or more.",
    ),
    click.option(
        "--support", metavar="TEXT", help="Where to ask; the email unless named."
    ),
)


def team_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a verb --owner, --email, --steward and --support."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def team_from(group: str, said: dict[str, Any]) -> Any:
    """Return the team that the options describe."""
    # Pydantic is slow to import, and help must not wait for it.
    from fl_plugin.scaffold.team import team_of  # noqa: PLC0415

    return team_of(
        group,
        name=said["owner"],
        email=said["email"],
        stewards=tuple(said["stewards"]),
        support=said["support"],
    )
