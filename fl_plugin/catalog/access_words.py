"""Who may use a product, and what never happens, in Markdown."""

from collections.abc import Iterator, Mapping

from fl_plugin.catalog.markdown import code, codes, plain, table
from fl_plugin.catalog.view import View
from fl_plugin.catalog.words import (
    counted,
    filter_words,
    listed,
    percent,
    spaced,
    use_words,
)
from fl_plugin.manifest.contract import DenyRule
from fl_plugin.manifest.types import Product
from fl_plugin.policy.people import is_restricted
from fl_plugin.policy.selection import selected


def who_may(product: Product) -> str:
    """Return the table of uses: who may ask, for which purposes, who approves."""
    rows = [
        [
            plain(use_words(use)),
            plain(who(rule.consumer)),
            plain(", ".join(spaced(p) for p in rule.purposes)),
            plain(_approval(product, use)),
        ]
        for rule in product.contract.allow
        for use in rule.uses
    ]
    if not rows:
        return "Nobody may ask for it: the contract has no `allow` rule."
    return table(["Use", "Who may ask", "Purposes", "Approval"], rows)


def who(consumer: Mapping[str, tuple[str, ...]]) -> str:
    """Return a rule's consumers: keys are joined by and, values by or."""
    parts = [
        f"{spaced(key)} {listed([spaced(v) for v in values], 'or')}"
        for key, values in sorted(consumer.items())
    ]
    return listed(parts) if parts else "every consumer"


def _approval(product: Product, use: str) -> str:
    """Say how many stewards, and whether a column that this use may ask for is more."""
    approval = product.contract.approval
    few = counted(approval.approvers, "steward")
    guarded = any(
        is_restricted(product, name) and column.contract.roles and use in uses
        for name, column in product.columns.items()
        for uses in [column.contract.uses or product.contract.uses]
    )
    if not guarded or approval.restricted_approvers == approval.approvers:
        return f"{few}, at most {approval.max_days} days"
    return (
        f"{few}, {approval.restricted_approvers} for restricted columns; "
        f"at most {approval.max_days} days"
    )


def never(view: View, product: Product) -> str:
    """Return the list of what no grant can change."""
    return "\n".join(f"- {line}" for line in _nevers(view, product))


def _nevers(view: View, product: Product) -> Iterator[str]:
    contract = product.contract
    if "query" not in contract.uses:
        yield "No row leaves the domain: only sums over many rows, and models, do."
    for rule in contract.deny:
        yield _denied(rule, product)
    if contract.row_filter is not None:
        said = filter_words(contract.row_filter)
        where = f"where {plain(said)} ({code(contract.row_filter)})" if said else ""
        where = where or f"that satisfy {code(contract.row_filter)}"
        yield f"Only rows {where} are ever read."
    floor = view.cohort_floor(product)
    said = "" if "query" in contract.uses else ", or said about,"
    yield f"Nothing is learned from{said} fewer than {floor} rows."
    if contract.retention_days is not None:
        yield f"No row is kept for more than {counted(contract.retention_days, 'day')}."
    yield from _column_nevers(product)
    if contract.dp and contract.dp.required_for:
        needs = listed([spaced(w) for w in contract.dp.required_for])
        yield (
            f"Without differential privacy, nothing for {plain(needs)}: epsilon "
            f"{contract.dp.epsilon:g} in {counted(contract.dp.period_days, 'day')}."
        )


def _denied(rule: DenyRule, product: Product) -> str:
    """Return a deny rule: any of its columns, uses and purposes is enough."""
    whom = plain(who(rule.consumer))
    subject = "No consumer" if not rule.consumer else f"No consumer with {whom}"
    columns = selected(rule.columns, product) if rule.columns else []
    if rule.columns and not columns:
        what = "any column that the rule selects (today none)"
    else:
        what = f"{codes(columns)}" if columns else "this product"
    to = f" to {plain(listed([use_words(u) for u in rule.uses], 'or'))}"
    why = f" for {plain(listed([spaced(p) for p in rule.purposes], 'or'))}"
    return (
        f"{subject} may use {what}{to if rule.uses else ''}"
        f"{why if rule.purposes else ''}."
    )


def _column_nevers(product: Product) -> Iterator[str]:
    guarded = [n for n, c in product.columns.items() if "protected" in c.contract.roles]
    if guarded:
        yield (
            f"A model never learns from {codes(guarded)}: only whether it treats "
            "people alike may be looked at."
        )
    labels = [
        name
        for name, column in product.columns.items()
        if "label" in column.contract.roles
        and column.contract.label_sharing != "shared"
    ]
    if labels:
        yield (
            f"{codes(labels)} is a protected label: no value of it, nor anything "
            "computed from a single one, reaches another party in the clear."
        )


def promised(product: Product) -> dict[str, str]:
    """Return the quality that the contract promises, by measure."""
    floors, hours = product.contract.quality, product.contract.freshness_hours
    found = {
        name: percent(value) if value == 1 else f"at least {percent(value)}"
        for name, value in (
            ("completeness", floors.completeness),
            ("validity", floors.validity),
            ("uniqueness", floors.uniqueness),
        )
        if value is not None
    }
    if hours is not None:
        found["age"] = f"at most {hours:g} hours"
    return found
