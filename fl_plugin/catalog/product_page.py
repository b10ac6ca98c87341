"""A product's page: what its team says, then what its contract means."""

from collections.abc import Iterator

from fl_plugin.catalog.access_words import never, who_may
from fl_plugin.catalog.markdown import (
    address,
    code,
    link,
    plain,
    prose,
    table,
    unbroken,
)
from fl_plugin.catalog.quality_page import quality_section
from fl_plugin.catalog.view import View, grant_id
from fl_plugin.catalog.words import (
    listed,
    pii_words,
    role_words,
    spaced,
    use_words,
)
from fl_plugin.manifest.types import Column, Product
from fl_plugin.policy.people import is_restricted

_DASH = "\N{EN DASH}"


def product_meta(view: View, product: Product) -> dict[str, str]:
    """Return the contract's `mesh` block as the few facts one wants at a glance."""
    contract = product.contract
    facts = {
        "Domain": spaced(product.domain),
        "Status": contract.status,
        "Classification": contract.classification,
        "Purposes": ", ".join(spaced(p) for p in contract.purposes),
        "Smallest cohort": f"{view.cohort_floor(product)} rows",
    }
    if view.measured(product).broken:
        facts["Quality"] = "below its promise"
    return facts


def product_description(view: View, product: Product) -> str:
    """Return the whole description in Markdown."""
    sections = [
        prose(product.description) or "*Its team has not described it.*",
        "---",
        "**Who may use it, and how**",
        who_may(product),
        "**What never happens**",
        never(view, product),
        "**Quality, as the last build measured it**",
        quality_section(view, product),
        "**Grants**",
        _grants(view, product),
        "**Studies and consumers**",
        _studies(view, product),
        "**Ask for access**",
        *_ask(view, product),
    ]
    return "\n\n".join(sections)


def _grants(view: View, product: Product) -> str:
    states = view.grants_on(product)
    if not states:
        return "None yet: nobody may use this product today."
    rows = [
        [
            link(spaced(s.grant.study), "exposure", grant_id(s.grant)),
            plain(view.consumer_name(s.grant)),
            plain(", ".join(use_words(u) for u in s.grant.uses)),
            str(len(s.grant.columns)),
            f"**{unbroken(s.words)}**" if s.live else unbroken(s.words),
        ]
        for s in states
    ]
    return table(["Study", "Consumer", "Uses", "Columns", "State"], rows)


def _studies(view: View, product: Product) -> str:
    studies = view.studies_of(product)
    if not studies:
        return "No study learns from it yet."
    lines = []
    for study in studies:
        page = link(study.label or study.name, "exposure", view.study_id(study))
        by = plain(study.owner.name)
        lines.append(f"- {page}, by {by}, for {plain(spaced(study.contract.purpose))}")
    return "\n".join(lines)


def _ask(view: View, product: Product) -> Iterator[str]:
    owner = product.owner
    if owner.stewards:
        people = listed([address(person) for person in owner.stewards])
        yield f"The stewards decide: {people}."
    reach = [address(owner.email)] if owner.email else []
    reach += [plain(owner.support)] if owner.support else []
    at = f" ({', '.join(reach)})" if reach else ""
    yield f"{plain(owner.name)}{at} answers for the product and its contract."
    studies = view.studies_of(product)
    if studies:
        name = studies[0].name
        yield (
            f"{code(f'fl access explain {name}')} says, rule by rule, why a study may "
            f"or may not use it; {code(f'fl plan {name}')} asks every domain that the "
            "study names, and reads no row."
        )
        asking = f"fl access request {name} --by ADDRESS"
    else:
        yield (
            "Describe what you want to learn as a study: `fl new study`. "
            "`fl access explain` with its name then says what is missing, rule by rule."
        )
        asking = "fl access request STUDY --by ADDRESS"
    if "query" in product.contract.uses:
        yield (
            f"{code(f'fl sample {product.name}')} shows rows of the granted columns, "
            f"once a grant for it holds: {code('fl access request --product')}."
        )
    yield (
        f"{code(asking)} writes the request for the stewards. Before that, "
        f"{code(f'fl policy simulate {product.name}')} says whether a grant is all "
        "that is missing."
    )


def column_description(product: Product, column: Column) -> str:
    """Return a column's description with its class and role in words."""
    said = prose(column.description)
    note = f"*{plain('; '.join(_column_facts(product, column)))}*"
    return f"{said}\n\n{note}" if said else note


def column_meta(product: Product, column: Column) -> dict[str, str]:
    """Return a column's `mesh` block as readable keys."""
    contract = column.contract
    facts = {
        "Class": contract.classification or product.contract.classification,
        "Role": ", ".join(role_words(r) for r in contract.roles) or "none",
    }
    if contract.pii is not None:
        facts["Personal data"] = pii_words(contract.pii)
    if contract.bounds is not None:
        facts["Range"] = _range(contract.bounds)
    if contract.uses is not None:
        facts["Uses"] = ", ".join(use_words(u) for u in contract.uses)
    return facts


def _column_facts(product: Product, column: Column) -> Iterator[str]:
    contract = column.contract
    guarded = is_restricted(product, column.name)
    own = contract.classification or product.contract.classification
    yield f"{own}, two people must agree" if guarded and _more(product) else own
    roles = [role_words(role) for role in contract.roles]
    yield " and ".join(roles) if roles else "no role: it may not be asked for"
    if contract.pii is not None:
        yield pii_words(contract.pii)
    if contract.bounds is not None:
        yield f"from {_range(contract.bounds)}"
    if contract.uses is not None:
        yield f"only to {listed([use_words(u) for u in contract.uses], 'or')}"
    if "label" in contract.roles:
        shared = contract.label_sharing == "shared"
        yield "may be shared" if shared else "never shown to another party"


def _more(product: Product) -> bool:
    return product.contract.approval.restricted_approvers == 2  # noqa: PLR2004


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:,g} to {bounds[1]:,g}"
