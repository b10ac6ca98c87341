"""`fl access request`: one file in each domain that is asked."""

from typing import TYPE_CHECKING, Any

import click

from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.errors import UsageError

if TYPE_CHECKING:
    from fl_plugin.access.asking import Asked

DAYS = click.IntRange(1, 36_500)


@click.command()
@click.argument("study", required=False)
@click.option("--by", required=True, metavar="ADDRESS", help="Who asks.")
@click.option("--days", type=DAYS, help="For how long; 90 unless a contract says less.")
@click.option("--domain", metavar="NAME", help="Ask this domain only.")
@click.option("--renew", is_flag=True, help="Ask although a grant holds.")
@click.option("--product", metavar="NAME", help="Without STUDY: look at this product.")
@click.option("--consumer", metavar="NAME", help="With --product: who will look.")
@click.option("--purpose", metavar="NAME", help="With --product: for what.")
@click.option("--columns", metavar="A,B", help="With --product: which columns.")
@click.option(
    "--uses",
    metavar="A,B",
    default="query",
    show_default=True,
    help="With --product: which uses.",
)
@verb
def request(session: Session, study: str | None, **asked: Any) -> None:
    """Ask the domains for what STUDY needs.

    Exactly its columns and uses, one file in each domain's folder: all files are
    written or none. What was asked for or granted before is left alone. With --product
    in the place of STUDY a look at some columns is asked for, for `fl sample`.

    Example: fl access request credit_risk --by ml-coe@bank.example --days 90
    """
    found = (
        _explored(session, asked) if study is None else _asked(session, study, asked)
    )
    rows = tuple(
        (one.domain, one.grant, one.outcome, one.days, one.wanted.terms.needed)
        for one in found
    )
    columns = ("domain", "grant", "request", "days", "stewards")
    shown: list[Shown] = [Table(columns=columns, rows=rows), *_words(found)]
    session.answer({"requests": [_facts(one) for one in found]}, shown)


def _asked(session: Session, study: str, asked: dict[str, Any]) -> "tuple[Asked, ...]":
    for word in ("product", "consumer", "purpose", "columns"):
        if asked[word]:
            raise UsageError(
                f"--{word} belongs to a request without a study.",
                remedy=f"Leave it out: the study {study} says what it needs.",
            )
    mesh = session.mesh
    with suggesting(study, lambda: mesh.studies):
        return mesh.access.request(study, _asking(asked), asked["domain"])


def _explored(session: Session, asked: dict[str, Any]) -> "tuple[Asked, ...]":
    # Pydantic is slow to import, and help must not wait for it.
    from fl_plugin.access.wanted import Exploration  # noqa: PLC0415

    words = ("product", "consumer", "purpose", "columns")
    missing = [word for word in words if not asked[word]]
    if missing:
        raise UsageError(
            f"Name a study, or a look with --{', --'.join(missing)}.",
            remedy="fl access request credit_risk --by ADDRESS",
        )
    exploration = Exploration(
        product=asked["product"],
        consumer=asked["consumer"],
        purpose=asked["purpose"],
        columns=_split(asked["columns"]),
        uses=_split(asked["uses"]),
    )
    return session.mesh.access.explore(exploration, _asking(asked))


def _asking(asked: dict[str, Any]) -> Any:
    from fl_plugin.access.asking import Asking  # noqa: PLC0415 pydantic is slow

    return Asking(by=asked["by"], days=asked["days"], renew=asked["renew"])


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _words(found: "tuple[Asked, ...]") -> list[Shown]:
    said: list[Shown] = [
        f"{one.domain}: {older} waits with other words; delete its file if it is not "
        "wanted."
        for one in found
        for older in one.older
    ]
    said += [
        f"{one.domain}: the policy has changed since. Next: fl access confirm "
        f"{one.domain} {one.grant} --by STEWARD"
        for one in found
        if one.outcome == "to be confirmed"
    ]
    waiting = [one for one in found if one.outcome in ("written", "asked already")]
    if any(one.outcome == "written" for one in waiting):
        said.append("Next: look at the files and commit them, for their stewards:")
        said += [f"  {one.file}" for one in waiting if one.outcome == "written"]
    for one in waiting:
        stewards = ", ".join(one.wanted.product.owner.stewards)
        said.append(
            f"{one.domain} decides ({stewards}): fl access approve {one.domain} "
            f"{one.grant} --by STEWARD"
        )
    if not waiting and all(one.outcome == "granted already" for one in found):
        said.append("Nothing to ask: every grant holds. For longer ones: --renew")
    return said


def _facts(one: "Asked") -> dict[str, Any]:
    wanted = one.wanted
    return {
        "domain": one.domain,
        "product": wanted.product.name,
        "grant": one.grant,
        "outcome": one.outcome.replace(" ", "_"),
        "file": one.file,
        "study": wanted.study,
        "consumer": wanted.consumer,
        "purpose": wanted.purpose,
        "uses": wanted.uses,
        "columns": wanted.columns,
        "epsilon": wanted.epsilon,
        "days": one.days,
        "approvers": wanted.terms.needed,
        "restricted": wanted.terms.restricted,
        "stewards": wanted.product.owner.stewards,
        "older": one.older,
    }
