"""Step 5: purpose, uses and columns, in the contract and in one grant."""

from collections.abc import Iterator

from fl_plugin.manifest.types import Column, Grant, Product
from fl_plugin.manifest.uses import MATCH_BY_HASH, OF_MATCHED_ROWS, OF_SUMS
from fl_plugin.policy.column_masks import mask_fits
from fl_plugin.policy.grants import covering_grant, live_grants
from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.types import Facts, Request

# A label in this role is sent to other parties in the clear.
SHARED_LABEL = "shared_label"


class PurposeUseRule(Rule):
    """Purpose, uses and columns stand in the contract and in one grant alone.

    A protected label may be trained on where it lies, in the role `label`; the role
    `shared_label` needs `label_sharing: shared`. A query sends every value in the
    clear, so a label has the role `shared_label` in it. A masked column is for queries
    alone: training would learn from what its mask hides. Remedy: ask for less, or ask
    the stewards for a wider grant.
    """

    step = 5
    name = "purpose_use"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Compare with the contract first, then with the grant."""
        product, request = facts.product, facts.request
        if product is None:
            yield _no_use(request, facts.node.domain)
            return
        ask = whom_to_ask(product)
        if request.purpose not in product.contract.purposes:
            yield _no_purpose(request, ask)
        if not request.uses or not set(request.uses) <= set(product.contract.uses):
            yield _no_use(request, ask)
        yield from _mode_refusals(request, ask)
        if not request.columns:
            yield Refusal(
                "column.unknown",
                f"The request to {product.domain} names no column.",
                "Name the columns that the study needs.",
            )
        for name, role in sorted(request.columns.items()):
            yield from _column_refusals(product, name, role, request)
        if covering_grant(facts) is None:
            yield from _grant_refusals(live_grants(facts, product), request, ask)

    def says(self, facts: Facts) -> str:
        """Name the purpose."""
        return f"Contract and grant cover {facts.request.purpose} with these columns."


def _no_purpose(request: Request, ask: str) -> Refusal:
    return Refusal(
        "purpose.not_allowed",
        f"{request.product} may not be used for {request.purpose}.",
        f"Ask {ask}, or use another product.",
    )


def _no_use(request: Request, ask: str) -> Refusal:
    uses = ", ".join(request.uses) or "nothing"
    return Refusal(
        "use.not_allowed",
        f"{request.product} may not be used in this way: {uses}.",
        f"Ask {ask}.",
    )


def _mode_refusals(request: Request, ask: str) -> Iterator[Refusal]:
    """What a request says it is for has to be what it can then be used for."""
    alien = OF_SUMS if request.match else OF_MATCHED_ROWS
    if alien & set(request.uses):
        kind = "matches rows" if request.match else "matches no rows"
        yield Refusal(
            "use.mode",
            f"A request for {request.product} {kind}, and asks for a use of the other "
            "mode.",
            "Start the run again from a plan of the study.",
        )
    if request.match == "keyed_hash" and MATCH_BY_HASH not in request.uses:
        yield Refusal(
            "use.not_allowed",
            f"A request for {request.product} matches rows by keyed hashes, and does "
            f"not ask for the use {MATCH_BY_HASH}.",
            f"Ask {ask} for it, or set `match: {{how: private}}` in the study.",
        )


def _column_refusals(
    product: Product, name: str, role: str, request: Request
) -> Iterator[Refusal]:
    ask = f"Ask {whom_to_ask(product)}, or leave the column out."
    where = f"The column {name} of {product.name}"
    column = product.columns.get(name)
    if column is None:
        yield Refusal(
            "column.unknown",
            f"{product.name} has no column {name}.",
            f"See its columns: fl catalog show {product.name}",
        )
        return
    if not _fits(column, role) or _bares_a_label(column, request):
        yield Refusal("column.role", f"{where} may not be a {role}.", ask)
    yield from _mask_refusals(column, request, where, ask)
    uses = column.contract.uses
    if uses is not None and not set(request.uses) <= set(uses):
        yield Refusal("column.use", f"{where} may not be used in this way.", ask)


def _mask_refusals(
    column: Column, request: Request, where: str, ask: str
) -> Iterator[Refusal]:
    mask = column.contract.mask
    if mask is None:
        return
    if request.uses != ("query",):
        yield Refusal(
            "column.masked",
            f"{where} is masked ({mask}): a query sees its mask, and nothing else may "
            "use it.",
            ask,
        )
    if not mask_fits(mask, column.data_type):
        yield Refusal(
            "column.mask_unfit", f"{where} is of a type that {mask} cannot mask.", ask
        )


def _fits(column: Column, role: str) -> bool:
    contract = column.contract
    if role == SHARED_LABEL:
        return "label" in contract.roles and contract.label_sharing == "shared"
    return role in contract.roles


def _bares_a_label(column: Column, request: Request) -> bool:
    """Return whether rows would leave with a protected label, whatever its role."""
    contract = column.contract
    protected = "label" in contract.roles and contract.label_sharing != "shared"
    return protected and "query" in request.uses


def _grant_refusals(
    live: tuple[Grant, ...], request: Request, ask: str
) -> Iterator[Refusal]:
    """Say what the newest live grant does not cover."""
    if not live:
        yield Refusal("grant.missing", "No grant holds.", f"Ask {ask} for one.")
        return
    grant = live[0]
    if grant.purpose != request.purpose:
        yield _no_purpose(request, ask)
    if not set(request.uses) <= set(grant.uses):
        yield _no_use(request, ask)
    missing = sorted(set(request.columns) - set(grant.columns))
    if missing:
        yield Refusal(
            "column.not_granted",
            f"The grant {grant.name} does not cover the column {missing[0]} of "
            f"{request.product}.",
            f"Ask {ask} for it, or leave the column out of the study.",
        )
