"""The first page and a page per domain: what there is today, with links."""

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from fl_plugin.catalog.markdown import (
    address,
    link,
    plain,
    prose,
    table,
    unbroken,
)
from fl_plugin.catalog.view import View, grant_id, version_words
from fl_plugin.catalog.words import (
    counted,
    first_paragraph,
    listed,
    percent,
    spaced,
    use_words,
)
from fl_plugin.manifest.types import Product

_DASH = "\N{EN DASH}"
_WELCOME = """\
# The data mesh

Every domain owns its data, its contracts and the decision who may learn from them.
Nothing is copied together: a model travels to the data, and only sums come back.

- **A product is a promise.** Its page says what it holds, who may use it and how, and
  what its last build measured.
- **The domain decides**, in its own process, from its own contract. Without a live
  grant the answer is no.
- **A named algorithm is approved, never code**, and rows stay where they are.
- **Everything leaves a trace**: each decision is in the domain's own ledger.

| To | Run |
| --- | --- |
| find a product | `fl catalog search credit` |
| read all about it | `fl catalog show` and its name |
| see what each domain would decide | `fl plan` and the study's name |
| know why one refuses | `fl access explain` and the study's name |
| ask for access | `fl access request` and the study's name |
| train where the data are | `fl train` and the study's name |"""


def overview(view: View, said: str) -> str:
    """Return the first page; `said` is what the mesh's own team wrote for it."""
    return "\n\n".join([prose(said) or _WELCOME, *_today(view)])


def _today(view: View) -> Iterator[str]:
    yield "---"
    yield f"## In the mesh on {view.now:%Y-%m-%d}"
    yield _products(view, view.latest, with_domain=True)
    yield "### Studies"
    yield _studies(view)
    if view.feed:
        yield "### Changes"
        feed = f"[{plain(view.feed)}]({quote(view.feed)})"
        yield f"{feed} tells a feed reader what is new; `fl catalog changes` tells you."
    broken = sorted(view.manifest.problems)
    if broken:
        yield "### Not valid, and so refused"
        yield "\n".join(f"- {plain(name)}" for name in broken)


def domain_page(view: View, domain: str, said: str) -> str:
    """Return a domain's page; `said` is what its team wrote for it."""
    products = [p for p in view.latest if p.domain == domain]
    own = prose(said)
    return "\n\n".join(
        [
            *([own] if own else [f"# {spaced(domain).title()}", *_promises(products)]),
            "---",
            f"## On {view.now:%Y-%m-%d}",
            _products(view, products, with_domain=False),
            "### Who is allowed what",
            _live(view, products),
            # A team that writes its own page says there who it is.
            *([] if own else ["### Who answers", *_people(products)]),
        ]
    )


def _promises(products: Iterable[Product]) -> Iterator[str]:
    for product in products:
        page = link(version_words(product), "model", product.unique_id)
        yield f"**{page}**: {plain(first_paragraph(product.description))}"


def _live(view: View, products: Iterable[Product]) -> str:
    rows = [
        [
            link(spaced(s.grant.study), "exposure", grant_id(s.grant)),
            plain(view.consumer_name(s.grant)),
            link(version_words(product), "model", product.unique_id),
            plain(", ".join(use_words(u) for u in s.grant.uses)),
            unbroken(s.words),
        ]
        for product in products
        for s in view.grants_on(product)
    ]
    if not rows:
        return "No grant yet: nobody learns from this domain today."
    return table(["Study", "Consumer", "Product", "Uses", "State"], rows)


def _products(view: View, products: Iterable[Product], *, with_domain: bool) -> str:
    head = ["Product", "Classification", "Rows, about", "Complete", "Live grants"]
    rows = [_row(view, p, with_domain=with_domain) for p in products]
    if not rows:
        return "No product yet."
    return table(["Domain", *head] if with_domain else head, rows)


def _row(view: View, product: Product, *, with_domain: bool) -> list[str]:
    found = view.measured(product)
    live = sum(s.live for s in view.grants_on(product))
    page = link(spaced(product.domain), "overview", product.domain)
    name = link(version_words(product), "model", product.unique_id)
    row = [
        f"{name} **below its promise**" if found.broken else name,
        product.contract.classification,
        _DASH if found.rows is None else f"{found.rows:,}",
        _DASH if found.completeness is None else percent(found.completeness),
        str(live) if live else _DASH,
    ]
    return [page, *row] if with_domain else row


def _studies(view: View) -> str:
    rows = []
    for study in view.manifest.studies.values():
        trained = view.models.get(study.name)
        score = trained.score if trained else None
        rows.append(
            [
                link(study.label or study.name, "exposure", view.study_id(study)),
                plain(study.owner.name),
                counted(len(study.products), "product"),
                f"v{trained.version}" if trained else "not trained yet",
                _DASH if score is None else f"{score:.3f}",
            ]
        )
    if not rows:
        return "No study yet."
    return table(["Study", "Owner", "Learns from", "Newest model", "ROC-AUC"], rows)


def _people(products: Iterable[Product]) -> Iterator[str]:
    owners = {p.owner.name: p.owner for p in products}
    for owner in owners.values():
        reach = [address(owner.email)] if owner.email else []
        reach += [plain(owner.support)] if owner.support else []
        stewards = listed([address(p) for p in owner.stewards])
        decide = f" Stewards: {stewards}." if stewards else ""
        yield f"**{plain(owner.name)}** ({', '.join(reach) or 'no address'}).{decide}"
