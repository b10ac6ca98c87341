"""Starts a study: an exposure of the root project that says what is to be learnt."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.discovery import discover
from fl_plugin.errors import BuildError, UsageError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Product
from fl_plugin.manifest.validation import closest, shown
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.policy.principals import PRINCIPALS_FILE, load_principals
from fl_plugin.scaffold.names import check_address, check_name, check_text
from fl_plugin.scaffold.rendering import rendered
from fl_plugin.scaffold.writing import add_files

_SEED_BELOW = 2**31


@dataclass(frozen=True, kw_only=True)
class Question:
    """What somebody wants to learn.

    Args:
        products: `<domain>.<product>`, one per domain.
        features: None for every column that all the products offer as a feature.
        email: Of whoever answers for the study; the consumer's contact unless given.
    """

    products: tuple[str, ...]
    target: str
    consumer: str
    purpose: str
    features: tuple[str, ...] | None = None
    algorithm: str = "logistic_regression"
    label: str | None = None
    description: str | None = None
    owner: str | None = None
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class MadeStudy:
    """A study that has just been made."""

    name: str
    file: str
    products: tuple[str, ...]
    features: tuple[str, ...]


@dataclass(frozen=True)
class _Named:
    """A product's name in two parts, for a dbt `ref`."""

    domain: str
    model: str


def new_study(root: Path, name: str, question: Question) -> MadeStudy:
    """Make `models/studies/<name>.yml`.

    Raises:
        UsageError: A name is not known or cannot be used, or there is such a study.
        BuildError: A domain is not built, so nothing says what its products are.
        ContractError: mesh_policy.yml, principals.yml or a product is not valid.
        StorageError: The disk refused; nothing is left behind.
    """
    check_name(name, "study")
    products = _products(root, question.products)
    _known(question.purpose, load_vocabulary(root).purposes, "purpose")
    algorithms = discover("fl_plugin.algorithms", Algorithm, "fl_plugin.algorithms")
    _known(question.algorithm, algorithms, "algorithm")
    features = _features(products, question)
    email = _email(root, question)
    text = rendered(
        "study/study.yml",
        name=name,
        label=check_text(
            question.label or name.replace("_", " ").capitalize(), "label"
        ),
        owner_name=check_text(question.owner or question.consumer, "owner"),
        owner_email=email,
        description=check_text(
            question.description
            or "TODO: what the model is for, and what it must not be used for.",
            "description",
        ),
        products=[_Named(*p.name.split(".")) for p in products],
        consumer=question.consumer,
        purpose=question.purpose,
        algorithm=question.algorithm,
        target=question.target,
        features=features,
        seed=secrets.randbelow(_SEED_BELOW),
    )
    file = f"models/studies/{name}.yml"
    add_files(root, {file: text})
    names = tuple(p.name for p in products)
    return MadeStudy(name=name, file=file, products=names, features=features)


def _products(root: Path, names: tuple[str, ...]) -> tuple[Product, ...]:
    """Return products as their own domains have built them last."""
    folders = {p.parent.name: p.parent for p in root.glob("domains/*/dbt_project.yml")}
    found: list[Product] = []
    for name in names:
        domain = name.partition(".")[0]
        _known(domain, folders, "domain")
        path = folders[domain] / "target" / "manifest.json"
        if not path.is_file():
            raise BuildError(
                f"{domain} is not built.", remedy=f"Run: fl build {domain}"
            )
        manifest = read_manifest(path, load_vocabulary(root))
        if name in manifest.problems:
            raise manifest.problems[name]
        _known(name, manifest.products, "product")
        found.append(manifest.products[name])
    if len({p.domain for p in found}) < max(len(found), 1):
        raise UsageError(
            "A study takes one product of each domain, and at least one.",
            remedy="Let a domain join two products of its own into one.",
        )
    return tuple(found)


def _features(products: Iterable[Product], question: Question) -> tuple[str, ...]:
    for product in products:
        for name in (question.target, *(question.features or ())):
            _known(name, product.columns, f"column of {product.name}")
    offered = [_offered(p) - {question.target} for p in products]
    shared = set.intersection(*offered)
    if question.features is None:
        first = next(iter(products)).columns
        chosen = tuple(name for name in first if name in shared)
    else:
        chosen = tuple(dict.fromkeys(question.features))
    if not chosen or question.target in chosen:
        raise UsageError(
            "The study has no features: the products offer none in common, or the "
            "target is the only one.",
            remedy="Give columns the role `feature` in the contracts, or --features.",
        )
    return chosen


def _offered(product: Product) -> set[str]:
    return {n for n, c in product.columns.items() if "feature" in c.contract.roles}


def _email(root: Path, question: Question) -> str:
    contact = None
    if (root / PRINCIPALS_FILE).is_file():
        consumers = load_principals(root).consumers
        _known(question.consumer, consumers, "consumer")
        contact = consumers[question.consumer].contact
    check_name(question.consumer, "consumer")
    email = question.email or contact
    if email is None:
        raise UsageError(
            f"Nobody answers for the study: {question.consumer} has no contact.",
            remedy=f"Name an address with --email, or write `contact:` for "
            f"{question.consumer} in principals.yml.",
        )
    return check_address(email, "email")


def _known(word: str, known: Mapping[str, object] | Iterable[str], what: str) -> None:
    """Refuse what is not there, with the nearest word that is.

    Raises:
        UsageError: It is not there.
    """
    words = tuple(known)
    if word not in words:
        raise UsageError(
            f"There is no {what} {shown(word)!r}.", remedy=closest(word, words)
        )
