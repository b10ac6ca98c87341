"""`fl contract`: check what domains promise, and what a change of it means."""

import click

from fl_plugin.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    verbs={
        "lint": "fl_plugin.cli.contract_lint",
        "diff": "fl_plugin.cli.contract_diff",
        "approve": "fl_plugin.cli.contract_approve",
        "export": "fl_plugin.cli.contract_export",
        "discover": "fl_plugin.cli.contract_discover",
        "sign": "fl_plugin.cli.contract_sign",
        "codeowners": "fl_plugin.cli.contract_codeowners",
    },
)
def contract() -> None:
    """Check contracts, and what a change of one means.

    Example: fl contract lint
    """
