"""Step 3: the contract's deny and allow rules."""

from collections.abc import Iterator, Mapping

from fl_plugin.manifest.contract import AllowRule, ColumnSelector, DenyRule
from fl_plugin.manifest.types import Product
from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.selection import selects
from fl_plugin.policy.types import Facts, Request

Attributes = Mapping[str, tuple[str, ...]]


class AccessRule(Rule):
    """No `deny` matches, and some one `allow` matches the whole request.

    A deny rule matches when its consumer, any of its purposes, any of its uses and any
    of its columns do; a line that is missing matches everything. Deny always wins.
    Remedy: leave out what is denied, or ask the owner.
    """

    step = 3
    name = "access"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Deny first."""
        product = facts.product
        if product is None:
            yield _not_allowed(facts, facts.node.domain)
            return
        attributes = facts.node.consumers.get(facts.caller, {})
        for rule in product.contract.deny:
            if _denies(rule, attributes, facts.request, product):
                yield _denied(rule, facts.request, product)
        allowed = product.contract.allow
        if not any(_allows(rule, attributes, facts.request) for rule in allowed):
            yield _not_allowed(facts, whom_to_ask(product))

    def says(self, facts: Facts) -> str:
        """Say for whom."""
        return f"{facts.request.product} allows {facts.caller} to ask for this."


def _not_allowed(facts: Facts, ask: str) -> Refusal:
    return Refusal(
        "access.not_allowed",
        f"No allow rule of {facts.request.product} covers {facts.caller} with this "
        "purpose and these uses.",
        f"Ask {ask} whether the contract should allow it.",
    )


def _denied(rule: DenyRule, request: Request, product: Product) -> Refusal:
    named = _selected(rule.columns, request, product) if rule.columns else []
    what = f" the column {named[0]} of" if named else ""
    return Refusal(
        "access.denied",
        f"A deny rule keeps {request.consumer} from{what} {product.name}.",
        f"Ask for less, or ask {whom_to_ask(product)}.",
    )


def _denies(
    rule: DenyRule, attributes: Attributes, request: Request, product: Product
) -> bool:
    return (
        _matches(rule.consumer, attributes)
        and (not rule.purposes or request.purpose in rule.purposes)
        and (not rule.uses or not set(rule.uses).isdisjoint(request.uses))
        and (rule.columns is None or bool(_selected(rule.columns, request, product)))
    )


def _allows(rule: AllowRule, attributes: Attributes, request: Request) -> bool:
    return (
        bool(rule.consumer)
        and _matches(rule.consumer, attributes)
        and request.purpose in rule.purposes
        and set(request.uses) <= set(rule.uses)
    )


def _matches(wanted: Attributes, attributes: Attributes) -> bool:
    """Keys are joined by and, values by or."""
    return all(
        not set(values).isdisjoint(attributes.get(key, ()))
        for key, values in wanted.items()
    )


def _selected(
    selector: ColumnSelector, request: Request, product: Product
) -> list[str]:
    """Return the requested columns that a selector is about.

    An unknown column is not here to be selected; step 5 refuses it.
    """
    wanted = sorted(set(request.columns) & set(product.columns))
    return [n for n in wanted if selects(selector, product.columns[n], product)]
