"""`fl access approve`, `confirm`, `reject` and `revoke`: what stewards say."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fl_plugin.cli.access_request import DAYS
from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb

if TYPE_CHECKING:
    from fl_plugin.access.deciding import Decided


def _names(function: Callable[..., None]) -> Callable[..., None]:
    """Give a verb `DOMAIN GRANT --by STEWARD`; `DOMAIN.GRANT` will do as well."""
    function = click.option(
        "--by", required=True, metavar="STEWARD", help="The steward who says so."
    )(function)
    function = click.argument("grant", default="")(function)
    return click.argument("domain")(function)


def _key(function: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--key",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Sign with this key.",
    )(function)


@click.command()
@_names
@click.option("--days", type=DAYS, help="For fewer days than were asked for.")
@_key
@verb
def approve(session: Session, domain: str, grant: str, **said: Any) -> None:
    """Approve the request GRANT of DOMAIN.

    Its stewards approve what they have looked at: the request, and the product's policy
    as the domain has built it. Where a restricted column needs two of them, the first
    one's approval waits for the second one's.

    Example: fl access approve auto_finance g_credit_risk --by risk@bank.example
    """
    voice, days = _voice(said), said["days"]
    _answer(session, session.mesh.access.approve(domain, grant, voice, days))


@click.command()
@_names
@_key
@verb
def confirm(session: Session, domain: str, grant: str, **said: Any) -> None:
    """Approve the changed policy for a grant that stopped.

    By the same rules as an approval. The grant ends when it would have ended.

    Example: fl access confirm auto_finance g_credit_risk --by risk@bank.example
    """
    _answer(session, session.mesh.access.confirm(domain, grant, _voice(said)))


@click.command()
@_names
@click.option("--reason", default="", metavar="TEXT", help="A comment in the file.")
@verb
def reject(session: Session, domain: str, grant: str, by: str, reason: str) -> None:
    """Say no to the request GRANT of DOMAIN.

    Example: fl access reject auto_finance g_credit_risk --by risk@bank.example
    """
    _answer(session, session.mesh.access.reject(domain, grant, by, reason))


@click.command()
@_names
@click.option("--reason", default="", metavar="TEXT", help="A comment in the file.")
@verb
def revoke(session: Session, domain: str, grant: str, by: str, reason: str) -> None:
    """End the approved GRANT of DOMAIN.

    At once where the domain's ledger is on this machine, in the middle of a run too;
    elsewhere with the domain's next build.

    Example: fl access revoke auto_finance g_credit_risk --by risk@bank.example
    """
    _answer(session, session.mesh.access.revoke(domain, grant, by, reason))


def _voice(said: dict[str, Any]) -> Any:
    from fl_plugin.access.deciding import Voice  # noqa: PLC0415 pydantic is slow
    from fl_plugin.signing.keys import load_key  # noqa: PLC0415

    file = said["key"]
    return Voice(by=said["by"], key=load_key(file) if file else None)


def _answer(session: Session, decided: "Decided") -> None:
    session.answer(asdict(decided), _shown(decided))


def _shown(decided: "Decided") -> list[Shown]:
    waits = decided.status == "requested"
    status = "one more approval" if waits else decided.status
    facts: list[tuple[str, Any]] = [
        ("grant", f"{decided.domain}.{decided.grant}"),
        ("status", status),
        ("by", ", ".join(decided.by)),
        ("until", decided.expires and str(decided.expires)),
        ("policy before", decided.before if decided.action == "confirm" else ""),
        ("policy", decided.policy),
        ("signed", "yes" if decided.signed else ""),
        ("file", decided.file),
        ("audit", _audit(decided)),
    ]
    shown: list[Shown] = [Table(rows=tuple((n, f) for n, f in facts if f))]
    if decided.began_again:
        shown.append(
            f"The earlier approval counts no longer: {decided.began_again}. Every "
            "steward looks at it again."
        )
    return [*shown, *_next(decided)]


def _audit(decided: "Decided") -> str:
    if decided.recorded:
        return "written into the domain's ledger"
    return "no record: the domain's ledger is on another machine"


def _next(decided: "Decided") -> list[str]:
    build = f"cd domains/{decided.domain} && dbt build"
    names = f"{decided.domain} {decided.grant}"
    commit = f"review and commit {decided.file}"
    if decided.action == "revoke":
        ends = "It has ended." if decided.at_once else "It ends with the next build."
        where = "" if decided.at_once else " To end it at once, run this there."
        return [f"{ends}{where}", f"Next: {commit}, then: {build}"]
    if decided.status == "rejected":
        return [f"Next: {commit}"]
    if decided.status == "requested":
        again = f"fl access approve {names} --by ANOTHER_STEWARD"
        return [
            f"{len(decided.by)} of {decided.needed} stewards have approved.",
            f"Next: {commit}, then: {again}",
        ]
    return [f"Next: {commit}, then: {build}"]
