"""Finds products, studies and columns by words, the best first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fl_plugin.catalog.measured import mark_of
from fl_plugin.catalog.published import Published
from fl_plugin.catalog.words import first_sentence, pii_words, role_words, spaced
from fl_plugin.errors import UsageError
from fl_plugin.manifest.types import Column, Manifest, Product, Study
from fl_plugin.manifest.validation import closest

Kind = Literal["product", "study", "column"]
# What a word found here is worth: a name says more than a sentence.
_WORTH = {"name": 8.0, "tags": 4.0, "columns": 3.0, "terms": 2.0, "description": 1.0}
_KINDS: Mapping[Kind, float] = {"product": 1.5, "study": 1.3, "column": 1.0}


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Something that was found; `found_in` says where the words stood.

    `mark` is what everybody should know of a product before using it; often nothing.
    """

    kind: Kind
    name: str
    summary: str
    score: float
    found_in: tuple[str, ...]
    mark: str = ""


def search(
    manifest: Manifest, words: Sequence[str], published: Published | None = None
) -> tuple[Hit, ...]:
    """Return everything in which each word stands somewhere, the best first.

    Args:
        manifest: The mesh's contracts.
        words: Each must be found.
        published: What the domains have published of their products' quality.

    Raises:
        UsageError: No word was given.
    """
    wanted = [w for word in words for w in spaced(word).casefold().split()]
    if not wanted:
        raise UsageError(
            "There is nothing to search for.",
            remedy="Give a word: fl catalog search credit",
        )
    hits = (_hit(entry, wanted) for entry in _entries(manifest))
    found = [_marked(hit, manifest, published or {}) for hit in hits if hit is not None]
    return tuple(sorted(found, key=lambda h: (-h.score, h.kind, h.name)))


def _marked(hit: Hit, manifest: Manifest, published: Published) -> Hit:
    product = manifest.products.get(hit.name) if hit.kind == "product" else None
    if product is None:
        return hit
    profile = published.get((product.name, product.version))
    return replace(hit, mark=mark_of(product, profile))


def suggestion(manifest: Manifest, words: Sequence[str]) -> str:
    """Return what somebody who found nothing may have meant."""
    known = {
        word
        for entry in _entries(manifest)
        for part in ("name", "tags", "columns", "terms")
        for word in entry.text[part].split()
    }
    unknown = [w for w in spaced(" ".join(words)).casefold().split() if w not in known]
    told = closest(unknown[0], known) if unknown else ""
    return told if told.startswith("Did") else "Try a single, shorter word."


def product_named(manifest: Manifest, name: str) -> Product:
    """Return a product by its name, or by its last part where that is unique.

    Raises:
        ContractError: Its contract is not valid.
        UsageError: There is no such product, or more than one.
    """
    if name in manifest.products:
        return manifest.products[name]
    problem = manifest.problems.get(name)
    if problem is not None:
        raise problem
    latest = [n for n, p in manifest.products.items() if n == p.name]
    same = [n for n in latest if n.split(".", 1)[1] == name]
    if len(same) == 1:
        return manifest.products[same[0]]
    if same:
        raise UsageError(
            f"{len(same)} domains have a product {name}.",
            remedy=f"Name one: {', '.join(sorted(same))}.",
        )
    raise UsageError(f"There is no product {name!r}.", remedy=closest(name, latest))


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """Something that can be found: its text in lower case, by where it stands."""

    kind: Kind
    name: str
    summary: str
    text: Mapping[str, str]


def _hit(entry: _Entry, wanted: Sequence[str]) -> Hit | None:
    score = 0.0
    places: set[str] = set()
    for word in wanted:
        worth = {p: _worth(p, word, text) for p, text in entry.text.items()}
        best = {place: value for place, value in worth.items() if value}
        if not best:
            return None
        score += max(best.values()) + 0.1 * sum(best.values())
        places |= set(best)
    return Hit(
        kind=entry.kind,
        name=entry.name,
        summary=entry.summary,
        score=round(score * _KINDS[entry.kind], 3),
        found_in=tuple(place for place in _WORTH if place in places),
    )


def _worth(place: str, word: str, text: str) -> float:
    """A whole word counts full, the beginning of one half, its middle little."""
    parts = text.split()
    if word in parts:
        return _WORTH[place]
    if any(part.startswith(word) for part in parts):
        return _WORTH[place] / 2
    return _WORTH[place] / 8 if word in text else 0.0


def _entries(manifest: Manifest) -> Iterator[_Entry]:
    for name, product in manifest.products.items():
        if name == product.name:
            yield _product(product)
            yield from (_column(product, c) for c in product.columns.values())
    yield from (_study(name, study) for name, study in manifest.studies.items())


def _product(product: Product) -> _Entry:
    contract = product.contract
    terms: list[str] = [contract.classification, contract.status, *contract.purposes]
    terms += [*contract.uses, product.owner.name]
    return _Entry(
        kind="product",
        name=product.name,
        summary=first_sentence(product.description),
        text=_texts(
            name=[product.name.replace(".", " ")],
            tags=[*product.tags, *contract.tags.values()],
            columns=product.columns,
            terms=terms,
            description=[product.description],
        ),
    )


def _column(product: Product, column: Column) -> _Entry:
    contract = column.contract
    terms: list[str] = [contract.classification or product.contract.classification]
    terms += [role_words(role) for role in contract.roles]
    terms += [contract.pii, pii_words(contract.pii)] if contract.pii else []
    return _Entry(
        kind="column",
        name=f"{product.name}.{column.name}",
        summary=first_sentence(column.description),
        text=_texts(
            name=[column.name],
            terms=[*terms, *(column.accepted_values or ())],
            description=[column.description],
        ),
    )


def _study(name: str, study: Study) -> _Entry:
    contract = study.contract
    terms = [contract.purpose, contract.algorithm.name, contract.mode]
    return _Entry(
        kind="study",
        name=name,
        summary=first_sentence(study.description) or study.label,
        text=_texts(
            name=[name, study.label],
            columns=[*contract.features, contract.target or ""],
            terms=[*terms, contract.consumer, study.owner.name],
            description=[study.description],
        ),
    )


def _texts(**places: Iterable[str]) -> dict[str, str]:
    """Return searchable text for every place; punctuation parts words."""
    found = dict.fromkeys(_WORTH, "")
    for place, words in places.items():
        text = spaced(" ".join(words)).casefold()
        found[place] = "".join(c if c.isalnum() else " " for c in text)
    return found
