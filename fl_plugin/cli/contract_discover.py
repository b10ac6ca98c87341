"""`fl contract discover`: a contract from a built table, or held against it."""

from pathlib import Path
from typing import Any

import click

from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.errors import ContractError, UsageError


@click.command()
@click.argument("domain")
@click.argument("relation")
@click.option("--diff", is_flag=True, help="Compare with the product's contract.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the proposal here instead of printing it.",
)
@verb
def discover(
    session: Session, domain: str, relation: str, output: Path | None, *, diff: bool
) -> None:
    """Propose a contract for RELATION of DOMAIN.

    It looks at the built table, where the domain's database lies: names, types,
    missing values and keys; no value is printed. With --diff it compares the table
    with its product's contract; the exit code is 4 when they disagree.

    Example: fl contract discover consumer_banking credit_profile --diff
    """
    # Contracts need pydantic, and help must not wait for it.
    from fl_plugin.contracts.discovered import Discovery  # noqa: PLC0415

    discovery = Discovery(session.project.resolve())
    if not diff:
        proposal = discovery.proposal(domain, relation)
        _propose(session, f"{domain}.{relation}", proposal, output)
        return
    if output is not None:
        raise UsageError(
            "--output is for a proposal, and --diff makes none.",
            remedy="Leave one of them out.",
        )
    found = discovery.differences(domain, relation)
    columns = ("column", "difference", "contract", "table")
    rows = tuple((d.column, d.kind, d.contract, d.table) for d in found)
    agreed = f"{relation} of {domain} is built as its contract says."
    failure = ContractError(
        f"{relation} of {domain} and its contract disagree in {len(found)} places.",
        remedy="Build the product again, or change its contract in a new version.",
    )
    session.answer(
        {"agree": not found, "differences": found},
        [Table(columns=columns, rows=rows)] if found else [agreed],
        failure if found else None,
    )


def _propose(
    session: Session, table: str, proposal: dict[str, Any], output: Path | None
) -> None:
    from fl_plugin.contracts.discovered import proposal_text  # noqa: PLC0415 as above
    from fl_plugin.contracts.exports import write_text  # noqa: PLC0415

    if output is not None:
        write_text(output, proposal_text(proposal, table))
        session.answer({"output": output}, [f"Written to {output}. Now fill it in."])
    elif session.as_json:
        session.answer({"proposal": proposal}, [])
    else:
        click.echo(proposal_text(proposal, table), nl=False)
