"""`fl audit head`: the newest record of a ledger, signed, for somebody else to keep."""

import json
from pathlib import Path

import click

from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.session import Session, verb


@click.command()
@click.argument("domain")
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The domain's private key; `fl access keygen` makes one.",
)
@verb
def head(session: Session, domain: str, key: Path) -> None:
    """Print the newest record of a ledger, signed.

    It is signed with the domain's key. Keep it outside the domain: with it,
    `fl audit verify --head FILE` shows a ledger that was cut or written anew, whoever
    did it.

    Example: fl audit head consumer_banking --key domain.pem
    """
    mesh = session.mesh

    def known() -> list[str]:
        return sorted(f.parent.name for f in mesh.root.glob("domains/*/node.yml"))

    with suggesting(domain, known):
        signed = mesh.signatures.sign_head(domain, key)
    facts = signed.model_dump(mode="json")
    session.answer(facts, [json.dumps(facts)])
