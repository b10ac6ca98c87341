"""A product's card: the five kinds of metadata that save a phone call to an expert."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fl_plugin.catalog.access_words import promised, who
from fl_plugin.catalog.published import PublishedProfile
from fl_plugin.catalog.quality_page import share_words
from fl_plugin.catalog.search import product_named
from fl_plugin.catalog.view import View
from fl_plugin.catalog.words import (
    counted,
    first_paragraph,
    size_words,
    spaced,
    use_words,
)
from fl_plugin.manifest.types import Product
from fl_plugin.policy.selection import selected

KINDS = ("technical", "business", "tracking", "quality", "access")
Facts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ColumnLine:
    """One column, in words for people."""

    name: str
    data_type: str
    classification: str
    roles: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything there is to know about a product.

    Args:
        kinds: Label to fact, for each of the five kinds.
        problems: What is missing, by kind; empty is what a product should be.
    """

    product: str
    version: int | None
    title: str
    kinds: Mapping[str, Facts]
    columns: tuple[ColumnLine, ...]
    problems: tuple[str, ...]


def show(view: View, name: str) -> Card:
    """Return the card of a product.

    Raises:
        ContractError: Its contract is not valid.
        UsageError: There is no such product.
    """
    product = product_named(view.manifest, name)
    kinds = {
        "technical": dict(_technical(view, product)),
        "business": dict(_business(product)),
        "tracking": dict(_tracking(view, product)),
        "quality": dict(_quality(view, product)),
        "access": dict(_access(view, product)),
    }
    return Card(
        product=product.name,
        version=product.version,
        title=first_paragraph(product.description),
        kinds=kinds,
        columns=tuple(_columns(product)),
        problems=tuple(_problems(view, product)),
    )


def _technical(view: View, product: Product) -> Iterator[tuple[str, str]]:
    found, at = view.measured(product), product.relation
    yield "Relation", f"{at.database}.{at.schema}.{at.identifier}"
    yield "Kind", product.materialized
    yield "Key", ", ".join(product.key) or "none"
    yield "Columns", str(len(product.columns))
    if found.rows is not None:
        yield "Rows", f"about {found.rows:,}"
    if found.size is not None:
        yield "Size", f"about {size_words(found.size)}"
    if found.last_built is not None:
        yield "Last built", f"{found.last_built:%Y-%m-%d %H:%M} UTC"


def _business(product: Product) -> Iterator[tuple[str, str]]:
    contract, owner = product.contract, product.owner
    yield "Domain", spaced(product.domain)
    yield "Status", contract.status
    yield "Owner", f"{owner.name} <{owner.email}>" if owner.email else owner.name
    if owner.support:
        yield "Support", owner.support
    yield "Classification", contract.classification
    yield "Purposes", ", ".join(spaced(p) for p in contract.purposes)
    if contract.tags:
        yield "Tags", ", ".join(f"{k}: {v}" for k, v in contract.tags.items())


def _tracking(view: View, product: Product) -> Iterator[tuple[str, str]]:
    if product.version is not None:
        newest = product.version == product.latest_version
        yield "Version", f"v{product.version}, {'the newest' if newest else 'older'}"
    if product.deprecation_date is not None:
        yield "Ends", product.deprecation_date.isoformat()
    sources = _upstream(view.artifact, product.unique_id)
    if sources:
        yield "Made from", ", ".join(sources)
    studies = [s.name for s in view.studies_of(product)]
    yield "Used by", ", ".join(studies) or "no study yet"
    if product.contract.retention_days is not None:
        yield "Kept for", counted(product.contract.retention_days, "day")


def _upstream(artifact: Mapping[str, Any], unique_id: str) -> list[str]:
    """Return the seeds and sources below a product, through every model between."""
    parents = artifact.get("parent_map")
    below: Mapping[str, Any] = parents if isinstance(parents, Mapping) else {}
    found, seen, ahead = [], set(), [unique_id]
    while ahead:
        current = ahead.pop()
        if current in seen:
            continue
        seen.add(current)
        if current.startswith(("seed.", "source.")):
            found.append(current.rsplit(".", 1)[1])
        ahead += [p for p in below.get(current) or [] if isinstance(p, str)]
    return sorted(found)


def _quality(view: View, product: Product) -> Iterator[tuple[str, str]]:
    found, floors = view.measured(product), promised(product)
    for name, value in (
        ("completeness", found.completeness),
        ("validity", found.validity),
        ("uniqueness", found.uniqueness),
    ):
        if value is None and name not in floors:
            continue
        floor = f" (promised: {floors[name]})" if name in floors else ""
        yield name.capitalize(), f"{share_words(value)}{floor}"
    if "age" in floors:
        fresh = view.measured(product).is_fresh(product, view.now)
        told = {True: "fresh", False: "too old", None: "not measured"}[fresh]
        yield "Age", f"{told} (promised: {floors['age']})"
    yield from _published(found.profile)
    yield "Tests", counted(_tests(view.artifact, product.unique_id), "dbt test")


def _published(profile: PublishedProfile | None) -> Iterator[tuple[str, str]]:
    if profile is None:
        yield "Profile", "not measured yet: fl quality profile"
        return
    worst = profile.worst_drift
    if worst is not None:
        yield "Drift", f"{worst.verdict} ({worst.column})"
    elif profile.approved_at is None:
        yield "Drift", "no profile approved yet"
    for bias in profile.bias:
        yield f"{bias.label} by {bias.protected}", bias.verdict
    for floor, since in profile.broken.items():
        yield f"Broken: {floor}", f"since {since:%Y-%m-%d %H:%M} UTC"


def _tests(artifact: Mapping[str, Any], unique_id: str) -> int:
    children = artifact.get("child_map")
    below = children.get(unique_id) if isinstance(children, Mapping) else None
    return sum(str(c).startswith(("test.", "unit_test.")) for c in below or [])


def _access(view: View, product: Product) -> Iterator[tuple[str, str]]:
    contract, approval = product.contract, product.contract.approval
    for rule in contract.allow:
        purposes = ", ".join(spaced(p) for p in rule.purposes)
        uses = ", ".join(use_words(u) for u in rule.uses)
        yield f"May ask: {who(rule.consumer)}", f"{uses}; for {purposes}"
    for deny in contract.deny:
        columns = selected(deny.columns, product) if deny.columns else ["everything"]
        yield f"Never: {who(deny.consumer)}", ", ".join(columns) or "no column today"
    yield "Rows read", f"where {contract.row_filter}" if contract.row_filter else "all"
    yield "Smallest cohort", f"{view.cohort_floor(product)} rows"
    yield (
        "Approval",
        f"{counted(approval.approvers, 'steward')}, {approval.restricted_approvers} "
        f"for restricted columns; at most {approval.max_days} days",
    )
    yield "Stewards", ", ".join(product.owner.stewards) or "none"
    for state in view.grants_on(product):
        yield f"Grant {state.grant.name}", f"{state.grant.consumer}: {state.words}"


def _columns(product: Product) -> Iterator[ColumnLine]:
    for name, column in product.columns.items():
        contract = column.contract
        yield ColumnLine(
            name=name,
            data_type=column.data_type,
            classification=contract.classification or product.contract.classification,
            roles=", ".join(contract.roles),
            description=first_paragraph(column.description),
        )


def _problems(view: View, product: Product) -> Iterator[str]:
    found, contract = view.measured(product), product.contract
    silent = [n for n, c in product.columns.items() if not c.description.strip()]
    missing = (
        ("technical: it has no key", not product.key),
        ("technical: it is not built", not found.built),
        ("business: it has no description", not product.description.strip()),
        (f"business: no description of {', '.join(silent)}", bool(silent)),
        ("business: nobody can be reached", not (product.owner.email)),
        (
            "tracking: it does not say how long rows are kept",
            contract.retention_days is None,
        ),
        ("quality: nothing was measured", found.completeness is None),
        ("quality: it promises nothing", not promised(product)),
        (
            "quality: it is older than promised",
            found.is_fresh(product, view.now) is False,
        ),
        (f"quality: below its promise: {', '.join(found.broken)}", bool(found.broken)),
        ("access: nobody may ask", not contract.allow),
        ("access: it has no steward", not product.owner.stewards),
    )
    yield from (words for words, is_so in missing if is_so)
