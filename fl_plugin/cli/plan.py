"""`fl plan`: what every domain decides, before a row is opened."""

import click

from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Shown
from fl_plugin.cli.session import Session, verb


@click.command()
@click.argument("study")
@verb
def plan(session: Session, study: str) -> None:
    """Ask every domain whether STUDY may run.

    Each one's rules are printed, and no row is opened. The exit code is 3 when a
    domain refuses.

    Example: fl plan credit_risk
    """
    # Pydantic is slow to import, and help must not wait for it.
    from fl_plugin.cli import decisions  # noqa: PLC0415

    mesh = session.mesh
    with suggesting(study, lambda: mesh.studies):
        found = mesh.plan(study)
    size = len(found.features)
    shown: list[Shown] = [
        f"{found.label}: {found.algorithm} for {found.consumer}, purpose "
        f"{found.purpose}; {size} features, target {found.target}.",
        *decisions.matched(found),
        *(decisions.decided(party) for party in found.parties),
    ]
    if found.allowed:
        shown.append(f"Every domain says yes. Next: fl train {found.study}")
    session.answer(decisions.plan_facts(found), shown, decisions.refusal_of(found))
