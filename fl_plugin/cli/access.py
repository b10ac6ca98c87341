"""`fl access`: ask for data, decide about it, and see why a study may or may not."""

import click

from fl_plugin.cli import (
    access_check,
    access_decide,
    access_keys,
    access_list,
    access_request,
)
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.session import Session, verb
from fl_plugin.errors import UsageError


@click.group()
def access() -> None:
    """Ask for data, decide about it, and see what was decided.

    A request is a file in each domain's own folder. Its stewards approve it there, and
    end it there; nothing counts before the domain has built it.

    Example: fl access request credit_risk --by ml-coe@bank.example
    """


for _verb in (
    access_request.request,
    access_decide.approve,
    access_decide.confirm,
    access_decide.reject,
    access_decide.revoke,
    access_list.list_,
    access_check.check,
    access_keys.keygen,
    access_keys.pin,
):
    access.add_command(_verb)


@access.command()
@click.argument("study")
@click.option("--domain", metavar="NAME", help="This domain only.")
@verb
def explain(session: Session, study: str, domain: str | None) -> None:
    """Say why each domain allows or refuses STUDY.

    With what to do and whom to ask. Explaining a refusal is a success: the exit
    code is 0, where that of `fl plan` is 3.

    Example: fl access explain credit_risk --domain auto_finance
    """
    # Pydantic is slow to import, and help must not wait for it.
    from fl_plugin.cli import decisions  # noqa: PLC0415

    mesh = session.mesh
    with suggesting(study, lambda: mesh.studies):
        plan = mesh.plan(study)
    names = [party.domain for party in plan.parties]
    if domain is not None and domain not in names:
        with suggesting(domain, lambda: names):
            raise UsageError(
                f"The study {plan.study} asks nothing of a domain {domain}.",
                remedy=f"It asks: {', '.join(names)}.",
            )
    parties = [p for p in plan.parties if domain in {None, p.domain}]
    facts = {
        "study": plan.study,
        "allowed": plan.allowed,
        "domains": [decisions.party_facts(party) for party in parties],
    }
    session.answer(facts, [s for p in parties for s in decisions.explained(p)])


@access.command()
@click.argument("product")
@verb
def fingerprint(session: Session, product: str) -> None:
    """Print the policy's fingerprint for a grant.

    A grant on PRODUCT must carry it. A grant that carries another one has stopped
    counting: the contract has changed since. Build the domain before you ask.

    Example: fl access fingerprint consumer_banking.credit_profile
    """
    mesh = session.mesh
    with suggesting(product, lambda: mesh.products):
        found = mesh.fingerprint(product)
    session.answer({"product": product, "fingerprint": found}, [found])
