"""`fl contract sign`: the domain's key under a product's policy."""

from pathlib import Path

import click

from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.session import Session, verb


@click.command()
@click.argument("product")
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The domain's private key; `fl access keygen` makes one.",
)
@verb
def sign(session: Session, product: str, key: Path) -> None:
    """Sign the policy of PRODUCT as it was built last.

    Where the domain's node.yml says `require_signatures: [contracts]`, a contract that
    was changed since counts for nothing until it is signed again.

    Example: fl contract sign consumer_banking.credit_profile --key domain.pem
    """
    mesh = session.mesh
    with suggesting(product, lambda: mesh.products):
        file = mesh.signatures.sign_contract(product, key)
    name = str(file.relative_to(mesh.root))
    session.answer(
        {"product": product, "file": name},
        [f"Signed: {product}, in {name}. Commit that file."],
    )
