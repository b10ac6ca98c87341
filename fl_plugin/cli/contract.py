"""`fl contract`: check what domains promise, and what a change of it means."""

import click


@click.group()
def contract() -> None:
    """Check contracts, and what a change of one means.

    Example: fl contract lint
    """
