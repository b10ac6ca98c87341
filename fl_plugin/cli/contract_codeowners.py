"""`fl contract codeowners`: who must look at a change of which file."""

import click

from fl_plugin.cli.session import Session, verb
from fl_plugin.errors import ContractError


@click.command()
@click.option("--check", is_flag=True, help="Fail where the file is not current.")
@click.option("--write", is_flag=True, help="Write .github/CODEOWNERS.")
@verb
def codeowners(session: Session, *, check: bool, write: bool) -> None:
    """Print CODEOWNERS from the groups' owners and stewards.

    Each domain's folder belongs to its own people, what all domains share to the
    mesh's owner. With --check the exit code is 4 where the file is stale.

    Example: fl contract codeowners --check
    """
    if check and write:
        raise click.UsageError("--check and --write exclude each other.")
    file = session.mesh.contracts.codeowners
    if write:
        path = str(file.write().relative_to(session.mesh.root))
        session.answer({"file": path}, [f"Written: {path}. Commit it."])
        return
    problem = file.problem() if check else ""
    failure = ContractError(
        f"{problem}.", remedy="Write it: fl contract codeowners --write"
    )
    text = file.text()
    shown = ["CODEOWNERS is current."] if check and not problem else []
    session.answer(
        {"text": text, "current": not file.problem()},
        shown,
        failure if problem else None,
    )
    if not check and not session.as_json:
        click.echo(text, nl=False)
