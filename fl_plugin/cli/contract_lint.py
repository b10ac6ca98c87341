"""`fl contract lint`: everything that is wrong with the contracts."""

from typing import TYPE_CHECKING

import click

from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.errors import ContractError

if TYPE_CHECKING:
    from fl_plugin.contracts.check import Finding


@click.command()
@click.option("--domain", metavar="NAME", help="This domain only.")
@verb
def lint(session: Session, domain: str | None) -> None:
    """Find everything that is wrong with the contracts.

    Owners and stewards, the five kinds of metadata, where tables lie, CODEOWNERS: as
    each domain's own manifest has it. A domain that dbt has to parse is an error. The
    exit code is 4 where there is an error; warnings do not fail.

    Example: fl contract lint --domain consumer_banking
    """
    found = session.mesh.contracts.lint(domain)
    errors = [f for f in found if f.level == "error"]
    facts = {"errors": len(errors), "findings": found}
    failure = None
    if errors:
        failure = ContractError(
            f"The contracts have {_counted(len(errors), 'error')}.",
            remedy=errors[0].remedy
            if len(errors) == 1
            else "Each line says what to do; the last column of the table.",
        )
    session.answer(facts, _shown(found), failure)


def _shown(found: tuple["Finding", ...]) -> list[Shown]:
    if not found:
        return ["Nothing is wrong with the contracts."]
    rows = tuple((f.level, f.rule, f.where, f.sentence, f.remedy) for f in found)
    columns = ("level", "rule", "where", "what", "do")
    warnings = sum(f.level == "warning" for f in found)
    table = Table(columns=columns, rows=rows)
    return [table] if warnings < len(found) else [table, "No errors."]


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
