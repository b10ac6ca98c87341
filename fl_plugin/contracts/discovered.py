"""A contract proposed from a built table, and a table held against its contract.

The proposal opens nothing: it is a draft, as guarded as the mesh knows, and allows
nobody. What a column means, and who may use it for what, people have to say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fl_plugin.contracts.exports import domain_folder
from fl_plugin.contracts.yaml_text import yaml_text
from fl_plugin.errors import ContractError, UsageError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest, Product
from fl_plugin.manifest.validation import closest
from fl_plugin.manifest.vocabulary import Vocabulary, load_vocabulary
from fl_plugin.manifest.words import check_name
from fl_plugin.party.shape import Crawler, TableShape, shown_type
from fl_plugin.policy.node import load_node
from fl_plugin.policy.sql_types import canonical_type

_VERSION = re.compile(r"_v([0-9]{1,9})$")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEADER = """\
# Proposed from the built table {table}.
# It opens nothing as it is: a draft, restricted, that allows nobody. Before it is used,
# say what the product and each column are, choose classification, roles, pii, purposes
# and uses, and who may ask (allow). A key may be one by chance: look at it.
"""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing in which a table and its contract disagree.

    Args:
        kind: missing: promised, not built; extra: built, not promised; type; nulls:
            promised not to be missing, and is; key: promised to identify, and does not.
        column: Or columns, with commas.
        contract: What is promised; "" for an extra column.
        table: What is built; "" for a missing one.
    """

    kind: Literal["missing", "extra", "type", "nulls", "key"]
    column: str
    contract: str
    table: str


@dataclass(frozen=True)
class Discovery:
    """The built tables of the mesh in `root`; read where the domain's file lies."""

    root: Path

    def shape(self, domain: str, relation: str) -> TableShape:
        """Return what a relation looks like.

        Args:
            domain: Whose it is.
            relation: `table`, `schema.table`, or the name of a product's model.

        Raises:
            UsageError: There is no such domain or relation, or several.
            BuildError: The domain is not built.
            StorageError: Its database cannot be read.
        """
        crawler = self._crawler(domain)
        return crawler.shape(*self._find(domain, crawler, relation))

    def proposal(self, domain: str, relation: str) -> dict[str, Any]:
        """Return a contract for a relation, as dbt would read it from YAML.

        Raises:
            UsageError: As for `shape`.
            ContractError: A name of the table can be no name in a contract.
        """
        shape = self.shape(domain, relation)
        return _proposal(domain, shape, load_vocabulary(self.root))

    def differences(self, domain: str, relation: str) -> tuple[Difference, ...]:
        """Return in what a relation and the contract of its product disagree.

        Raises:
            UsageError: No product of the domain is kept in this relation.
        """
        crawler = self._crawler(domain)
        shape = crawler.shape(*self._find(domain, crawler, relation))
        product = _product(_manifest(domain_folder(self.root, domain)), shape)
        found = list(_differences(product, shape))
        built = {c.name.casefold() for c in shape.columns}
        key, place = product.key, (shape.schema, shape.name)
        whole = bool(key) and {name.casefold() for name in key} <= built
        if whole and crawler.identifies(*place, key) is False:
            told = ("identifies a row", "values occur twice")
            found.append(_difference("key", ", ".join(key), *told))
        return tuple(found)

    def _crawler(self, domain: str) -> Crawler:
        folder = domain_folder(self.root, domain)
        node = load_node(folder)
        return Crawler(folder / node.database, node.domain)

    def _find(self, domain: str, crawler: Crawler, relation: str) -> tuple[str, str]:
        folder, known = domain_folder(self.root, domain), crawler.relations()
        schema, _, name = relation.rpartition(".")
        found = [k for k in known if k[1] == name and schema in ("", k[0])]
        if not found and (folder / "target" / "manifest.json").is_file():
            found = [k for k in _kept(_manifest(folder), relation) if k in known]
        if len(found) == 1:
            return found[0]
        names = [f"{s}.{n}" for s, n in (found or known)]
        if found:
            raise UsageError(
                f"{folder.name} has several relations {relation!r}.",
                remedy=f"Name one of: {', '.join(names)}.",
            )
        raise UsageError(
            f"{folder.name} has no relation {relation!r}.",
            remedy=closest(relation, [*names, *(n for _, n in known)]),
        )


def proposal_text(proposal: dict[str, Any], table: str) -> str:
    """Return a proposal as the text of a file, with what is to be done on top."""
    name = "".join(c if c.isprintable() else "?" for c in table)
    return _HEADER.format(table=name) + yaml_text(proposal)


def _manifest(folder: Path) -> Manifest:
    words = load_vocabulary(folder.parent.parent)
    return read_manifest(folder / "target" / "manifest.json", words)


def _kept(manifest: Manifest, relation: str) -> set[tuple[str, str]]:
    """Return where the product that goes by a name is kept."""
    full = relation if "." in relation else f"{manifest.project}.{relation}"
    product = manifest.products.get(full)
    return {_place(product)} if product else set()


def _place(product: Product) -> tuple[str, str]:
    return product.relation.schema, product.relation.identifier


def _product(manifest: Manifest, shape: TableShape) -> Product:
    for product in manifest.products.values():
        if _place(product) == (shape.schema, shape.name):
            return product
    broken = "; ".join(sorted(manifest.problems))
    raise UsageError(
        f"No product of {manifest.project} is kept in {shape.schema}.{shape.name}.",
        remedy=f"These contracts are not valid: {broken}."
        if broken
        else "Leave out --diff to have a contract proposed.",
    )


def _proposal(domain: str, shape: TableShape, words: Vocabulary) -> dict[str, Any]:
    model = _VERSION.sub("", shape.name)
    check_name(model, f"{domain}, relation {shape.schema}.{shape.name}")
    odd = [c.name for c in shape.columns if not _PLAIN.fullmatch(c.name)]
    if odd:
        raise ContractError(
            f"{len(odd)} columns of {domain}.{model} have no plain SQL name, "
            f"the first is number {_number(shape, odd[0])}.",
            remedy="Rename them in the model: letters, digits and underscores.",
        )
    key = shape.keys[0] if shape.keys else ()
    mesh = {
        "product": f"{domain}.{model}",
        "status": "draft",
        "classification": words.classifications[-1],
        "purposes": [words.purposes[0]],
        "uses": [words.uses[0]],
    }
    config = {
        "access": "public",
        "materialized": "table",
        "contract": {"enforced": True},
        "tags": ["data_product"],
        "meta": {"mesh": mesh},
    }
    block: dict[str, Any] = {"name": model, "description": "", "config": config}
    version = _VERSION.search(shape.name)
    if version:
        number = int(version[1])
        block |= {"latest_version": number, "versions": [{"v": number}]}
    if len(key) > 1:
        primary = {"type": "primary_key", "columns": list(key)}
        block["constraints"] = [primary]
    block["columns"] = list(_columns(shape, key))
    return {"models": [block]}


def _columns(shape: TableShape, key: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for column in shape.columns:
        constraints = []
        if column.required or not (column.has_nulls or shape.empty):
            constraints.append({"type": "not_null"})
        block: dict[str, Any] = {"name": column.name, "description": ""}
        block["data_type"] = _contract_type(column.data_type)
        if key == (column.name,):
            constraints.append({"type": "primary_key"})
        if constraints:
            block["constraints"] = constraints
        if key == (column.name,):
            block["data_tests"] = ["unique"]
        yield block


def _contract_type(data_type: str) -> str:
    # An enum's values are data, and a contract without them would not hold.
    return "varchar" if data_type == "ENUM" else data_type.lower()


def _number(shape: TableShape, name: str) -> int:
    return [c.name for c in shape.columns].index(name) + 1


def _differences(product: Product, shape: TableShape) -> Iterator[Difference]:
    built = {c.name.casefold(): c for c in shape.columns}
    promised = {n.casefold(): c for n, c in product.columns.items()}
    for name, column in promised.items():
        wanted = column.data_type.lower()
        found = built.get(name)
        if found is None:
            yield _difference("missing", column.name, wanted, "")
            continue
        if not _same_type(wanted, found.data_type):
            yield _difference("type", column.name, wanted, found.data_type.lower())
        if not column.nullable and found.has_nulls:
            yield _difference("nulls", column.name, "not null", "missing values")
    for name, extra in built.items():
        if name not in promised:
            yield _difference("extra", extra.name, "", extra.data_type.lower())


def _same_type(promised: str, built: str) -> bool:
    return canonical_type(shown_type(promised.upper())) == canonical_type(built)


def _difference(
    kind: Literal["missing", "extra", "type", "nulls", "key"],
    column: str,
    contract: str,
    table: str,
) -> Difference:
    return Difference(kind=kind, column=column, contract=contract, table=table)
