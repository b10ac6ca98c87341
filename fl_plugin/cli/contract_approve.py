"""`fl contract approve`: a steward's yes to what a change loosens."""

from pathlib import Path
from typing import Any

import click

from fl_plugin.cli.contract_diff import MANIFEST
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb


@click.command()
@click.option(
    "--base",
    type=MANIFEST,
    required=True,
    metavar="MANIFEST",
    help="manifest.json as it was: the mesh's, or one domain's.",
)
@click.option(
    "--head",
    type=MANIFEST,
    metavar="MANIFEST",
    help="As it would be; what dbt parsed last unless named.",
)
@click.option("--domain", metavar="NAME", help="This domain's products only.")
@click.option("--product", metavar="NAME", help="This product only.")
@click.option(
    "--by",
    required=True,
    metavar="STEWARD",
    help="Who approves: a steward before and after the change.",
)
@click.option(
    "--author",
    metavar="ADDRESS",
    help="Whose change it is, else the product's owner's; nobody approves their own.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why, in a sentence.")
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The steward's private key, to sign with.",
)
@verb
def approve(
    session: Session,
    *,
    base: Path,
    by: str,
    author: str | None,
    reason: str,
    **more: Any,
) -> None:
    """Record a steward's approval of what is loosened.

    It goes into `approvals.yml` of the domain and covers this change alone: both states
    are named by digest. As many must approve as for a grant. Look at
    `fl contract diff` with the same manifests first.

    Example: fl contract approve --base base.json --by steward.auto@bank.example
    """
    from fl_plugin.contracts.approving import Yes  # noqa: PLC0415 pydantic is slow
    from fl_plugin.signing.keys import load_key  # noqa: PLC0415 as above

    file = more.pop("key")
    key = load_key(file) if file is not None else None
    yes = Yes(by=by, author=author, reason=reason, key=key)
    recorded = session.mesh.contracts.approve(base, yes, **more)
    rows = tuple((a.product, ", ".join(a.by)) for a in recorded)
    facts = {
        "approved": [
            a.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            for a in recorded
        ]
    }
    shown = Table(title="Approved", columns=("product", "by"), rows=rows)
    session.answer(facts, [shown, "Commit approvals.yml with the change."])
