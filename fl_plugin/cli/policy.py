"""`fl policy`: what a product's policy says, and what it would allow."""

from typing import TYPE_CHECKING, Any

import click

from fl_plugin.cli.lazy import LazyGroup
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb

if TYPE_CHECKING:
    from fl_plugin.manifest.types import Product
    from fl_plugin.policy.types import Decision, Node


@click.group(cls=LazyGroup, verbs={"permissions": "fl_plugin.cli.policy_permissions"})
def policy() -> None:
    """Read a product's policy, or ask what it would allow.

    Example: fl policy explain consumer_banking.credit_profile
    """


@policy.command()
@click.argument("product")
@verb
def explain(session: Session, product: str) -> None:
    """Say what the policy of PRODUCT is, as its domain has it.

    Who may ask and who never may, each column with its class and uses, what every
    grant is held to, and the permissions of the domain that are about it.

    Example: fl policy explain consumer_banking.credit_profile
    """
    mesh = session.mesh
    with suggesting(product, lambda: mesh.products):
        found, node = mesh.policies.product(product)
    session.answer(_facts(found, node), _shown(found, node))


@policy.command()
@click.argument("product")
@click.option("--as", "consumer", metavar="CONSUMER", required=True, help="Who asks.")
@click.option("--purpose", metavar="NAME", required=True, help="What for.")
@click.option(
    "--use", "uses", metavar="NAME", multiple=True, required=True, help="How."
)
@click.option(
    "--columns", metavar="A,B", help="Which; all that have a role unless named."
)
@click.option(
    "--algorithm", metavar="NAME", default="logistic_regression", help="With what."
)
@verb
def simulate(session: Session, product: str, **asked: Any) -> None:
    """Ask what the domain of PRODUCT would allow.

    No row is opened. It decides twice: as things are, and as if its stewards had approved just this. The
    exit code is 0 where a grant is all that is missing, 3 where no grant would help.
    A column takes the first role of its contract, or the one you name: age:feature.

    Example: fl policy simulate auto_finance.credit_profile --as ml_coe --purpose credit_risk --use evaluate
    """  # noqa: E501 an example is one line
    from fl_plugin.errors import PolicyError  # noqa: PLC0415
    from fl_plugin.mesh.policies import Wish  # noqa: PLC0415 pydantic is slow

    mesh = session.mesh
    with suggesting(product, lambda: mesh.products):
        found, _ = mesh.policies.product(product)
    wish = Wish(
        product=product,
        consumer=asked["consumer"],
        purpose=asked["purpose"],
        uses=tuple(asked["uses"]),
        columns=_columns(asked["columns"], found),
        algorithm=asked["algorithm"],
    )
    simulated = mesh.policies.simulate(wish)
    refusal = simulated.with_grant.refusal
    error = None
    if refusal is not None:
        error = PolicyError(
            f"{found.domain} would refuse, whatever its stewards approve: "
            f"{refusal.sentence}",
            remedy=refusal.remedy,
            reason=refusal.reason,
            domain=found.domain,
        )
    facts = {
        "product": product,
        "consumer": asked["consumer"],
        "allowed_now": simulated.now.allowed,
        "allowed_with_grant": simulated.allowed,
        "columns": simulated.request.columns,
        "now": simulated.now.outcomes,
        "with_grant": simulated.with_grant.outcomes,
    }
    session.answer(facts, _compared(simulated.now, simulated.with_grant), error)


def _compared(now: "Decision", supposed: "Decision") -> list[Shown]:
    """Return both decisions side by side, the reason of the one that goes further."""
    rows = tuple(
        (
            before.step,
            before.rule,
            before.status.replace("_", " "),
            after.status.replace("_", " "),
            before.sentence if before.status == "refused" else after.sentence,
        )
        for before, after in zip(now.outcomes, supposed.outcomes, strict=True)
    )
    columns = ("step", "rule", "today", "with a grant", "because")
    shown: list[Shown] = [Table(columns=columns, rows=rows)]
    if now.allowed:
        shown.append("Allowed today.")
    elif supposed.allowed:
        shown.append(f"A grant is all that is missing. Ask {now.contact}.")
    return shown


def _columns(text: str | None, product: "Product") -> dict[str, str] | None:
    if text is None:
        return None
    wanted = {}
    for word in filter(None, (w.strip() for w in text.split(","))):
        name, _, role = word.partition(":")
        column = product.columns.get(name)
        own = column.contract.roles if column else ()
        wanted[name] = role or (own[0] if own else "feature")
    return wanted


def _shown(product: "Product", node: "Node") -> list[Shown]:
    contract = product.contract
    approval = contract.approval
    general = (
        ("status", contract.status),
        ("classification", contract.classification),
        ("tags", _pairs(contract.tags)),
        ("purposes", ", ".join(contract.purposes)),
        ("uses", ", ".join(contract.uses)),
        ("rows", contract.row_filter or "all"),
        ("smallest group", contract.min_cohort or "the mesh's floor"),
        ("approvers", approval.approvers),
        ("approvers for restricted columns", approval.restricted_approvers),
        ("longest grant", f"{approval.max_days} days"),
        ("stewards", ", ".join(product.owner.stewards)),
        ("signatures required under", ", ".join(node.require_signatures) or "nothing"),
        ("policy", _fingerprint(product)),
    )
    return [
        Table(title=product.name, rows=general),
        Table(
            title="Who may ask, and who never may",
            columns=("rule", "consumer", "purposes", "uses", "columns"),
            rows=tuple(_access_rows(product)),
        ),
        Table(
            title="Columns",
            columns=("column", "class", "personal data", "roles", "uses"),
            rows=tuple(_column_rows(product)),
        ),
        _permissions(node),
    ]


def _access_rows(product: "Product") -> list[tuple[str, ...]]:
    allow = [
        ("allow", _pairs(r.consumer), ", ".join(r.purposes), ", ".join(r.uses), "")
        for r in product.contract.allow
    ]
    deny = [
        (
            "deny",
            _pairs(r.consumer) or "everybody",
            ", ".join(r.purposes) or "any",
            ", ".join(r.uses) or "any",
            _pairs(r.columns.model_dump(exclude_defaults=True)) if r.columns else "any",
        )
        for r in product.contract.deny
    ]
    return [*deny, *allow]


def _column_rows(product: "Product") -> list[tuple[str, ...]]:
    return [
        (
            name,
            column.contract.classification or product.contract.classification,
            column.contract.pii or "",
            ", ".join(column.contract.roles),
            "as the product"
            if column.contract.uses is None
            else ", ".join(column.contract.uses) or "none",
        )
        for name, column in product.columns.items()
    ]


def _permissions(node: "Node") -> Shown:
    if node.permissions is None:
        return f"{node.domain} has no permissions.yml: its contracts decide alone."
    return Table(
        title=f"Permissions of {node.domain}; each counts while its giver holds it",
        columns=(
            "name",
            "effect",
            "given by",
            "to",
            "verbs",
            "may pass on",
            "resource",
        ),
        rows=tuple(
            (
                p.name,
                p.effect,
                str(p.given_by),
                str(p.to),
                ", ".join(p.verbs),
                ", ".join(p.grant_option),
                str(p.resource),
            )
            for p in node.permissions
        ),
    )


def _pairs(block: Any) -> str:
    return "; ".join(
        f"{key}: {value if isinstance(value, str) else ' or '.join(value)}"
        for key, value in block.items()
    )


def _fingerprint(product: "Product") -> str:
    from fl_plugin.policy.fingerprint import policy_fingerprint  # noqa: PLC0415

    return policy_fingerprint(product)


def _facts(product: "Product", node: "Node") -> dict[str, Any]:
    return {
        "product": product.name,
        "version": product.version,
        "policy": _fingerprint(product),
        "stewards": product.owner.stewards,
        "contract": product.contract.model_dump(mode="json"),
        "columns": {
            name: column.contract.model_dump(mode="json")
            for name, column in product.columns.items()
        },
        "permissions": None
        if node.permissions is None
        else [p.model_dump(mode="json", exclude_unset=True) for p in node.permissions],
        "require_signatures": node.require_signatures,
    }
