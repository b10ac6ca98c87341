"""The mesh's vocabulary and floors (`mesh_policy.yml`), and whether a product fits.

A domain may be stricter than the floors, never looser; a word that the mesh does not
know is an error, not a warning.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from fl_plugin.errors import ContractError
from fl_plugin.manifest.contract import (
    AllowRule,
    ContractBlock,
    DenyRule,
    ProductContract,
)
from fl_plugin.manifest.types import Column, Product
from fl_plugin.manifest.validation import closest, validated
from fl_plugin.manifest.words import Classification, Count, Name, SomeNames
from fl_plugin.manifest.yaml_files import read_yaml

POLICY_FILE = "mesh_policy.yml"


class Floors(ContractBlock):
    """Below these no domain may go."""

    min_cohort: Count


class Vocabulary(ContractBlock):
    """Every word a contract may use. `classifications` run from harmless to guarded."""

    purposes: SomeNames
    uses: SomeNames
    classifications: Annotated[tuple[Classification, ...], Field(min_length=1)]
    pii: SomeNames
    roles: SomeNames
    tags: dict[Name, SomeNames] = Field(default_factory=dict)
    floors: Floors


@dataclass(frozen=True)
class _Word:
    """One word in a contract, the kind of word it is and where it stands."""

    kind: str
    word: str
    where: str = ""


def load_vocabulary(path: Path) -> Vocabulary:
    """Return the vocabulary of a mesh.

    Args:
        path: `mesh_policy.yml`, or the mesh's folder that holds it.

    Raises:
        ContractError: The file is missing or not valid.
    """
    file = path / POLICY_FILE if path.is_dir() else path
    return validated(Vocabulary, read_yaml(file), str(file))


def check(product: Product, vocabulary: Vocabulary) -> None:
    """Refuse a product that uses an unknown word or goes below a floor.

    Raises:
        ContractError: The first such word, with the nearest known one.
    """
    _check_tags(product, vocabulary)
    known: dict[str, tuple[str, ...]] = {
        "purpose": vocabulary.purposes,
        "use": vocabulary.uses,
        "classification": vocabulary.classifications,
        "kind of pii": vocabulary.pii,
        "role": vocabulary.roles,
        # What DP is required for may be either.
        "purpose or use": vocabulary.purposes + vocabulary.uses,
    }
    for word in _words(product):
        if word.word not in known[word.kind]:
            raise ContractError(
                f"{product.name}{word.where}: unknown {word.kind} {word.word}.",
                remedy=closest(word.word, known[word.kind]),
            )
    asked = product.contract.min_cohort
    if asked is not None and asked < vocabulary.floors.min_cohort:
        raise ContractError(
            f"{product.name}: min_cohort is below the mesh's floor.",
            remedy=f"Use {vocabulary.floors.min_cohort} or more, or leave it out.",
        )


def _check_tags(product: Product, vocabulary: Vocabulary) -> None:
    for key, value in product.contract.tags.items():
        if key not in vocabulary.tags:
            raise ContractError(
                f"{product.name}: unknown tag {key}.",
                remedy=closest(key, vocabulary.tags),
            )
        if value not in vocabulary.tags[key]:
            raise ContractError(
                f"{product.name}: unknown value {value} of the tag {key}.",
                remedy=closest(value, vocabulary.tags[key]),
            )


def _words(product: Product) -> Iterator[_Word]:
    contract = product.contract
    yield _Word("classification", contract.classification)
    blocks: tuple[ProductContract | AllowRule | DenyRule, ...]
    blocks = (contract, *contract.allow, *contract.deny)
    for block in blocks:
        yield from (_Word("purpose", word) for word in block.purposes)
        yield from (_Word("use", word) for word in block.uses)
    for selector in (rule.columns for rule in contract.deny):
        if selector is not None:
            yield from (_Word("kind of pii", w) for w in selector.pii)
            yield from (_Word("role", w) for w in selector.roles)
            yield from (_Word("classification", w) for w in selector.classification)
    if contract.dp is not None:
        yield from (_Word("purpose or use", w) for w in contract.dp.required_for)
    for column in product.columns.values():
        yield from _column_words(column)


def _column_words(column: Column) -> Iterator[_Word]:
    where = f", column {column.name}"
    contract = column.contract
    yield from (_Word("role", word, where) for word in contract.roles)
    yield from (_Word("use", word, where) for word in contract.uses or ())
    if contract.pii is not None:
        yield _Word("kind of pii", contract.pii, where)
    if contract.classification is not None:
        yield _Word("classification", contract.classification, where)
