"""`fl contract`: check what domains promise, and what a change of it means."""

import click

from fl_plugin.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    verbs={
        "sign": "fl_plugin.cli.contract_sign",
    },
)
def contract() -> None:
    """Check contracts, and what a change of one means.

    Example: fl contract lint
    """
