"""Starts a product: source or seed, staging, and a contract that allows nobody yet."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fl_plugin.errors import UsageError
from fl_plugin.manifest.validation import closest, shown
from fl_plugin.manifest.vocabulary import Vocabulary, load_vocabulary
from fl_plugin.scaffold.columns import DraftColumn, draft_columns
from fl_plugin.scaffold.csv_file import CsvFile, read_csv
from fl_plugin.scaffold.domain import project_name
from fl_plugin.scaffold.example import ROWS, example_columns
from fl_plugin.scaffold.names import check_name, check_text, is_text
from fl_plugin.scaffold.rendering import rendered
from fl_plugin.scaffold.writing import Files, add_files

MAX_SEED_BYTES = 1024**2
_COHORT = 25
_USES = ("aggregate", "train_horizontal", "evaluate")  # with these no row leaves
_PREFIXES = ("stg_", "int_", "raw_", "g_")
_VERSIONED = re.compile(r".*_v[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a team says about a product before there is one.

    Args:
        file: CSV that it is made from; None for a few made-up rows.
        keep_in_git: Whether the file becomes a dbt seed.
        key: Column that says which row it is; guessed where only one can be.
        label: Column that a model is to learn.
        purposes: Of the mesh's vocabulary; its first unless any is named.
    """

    file: Path | None = None
    keep_in_git: bool = False
    key: str | None = None
    label: str | None = None
    description: str | None = None
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MadeProduct:
    """A product that has just been made.

    Args:
        contract: The file that its team reads next.
    """

    name: str
    folder: Path
    contract: str
    files: tuple[str, ...]
    columns: tuple[DraftColumn, ...]


def new_product(root: Path, name: str, wanted: Wanted) -> MadeProduct:
    """Make a product in its domain's folder, all of its files or none.

    Raises:
        UsageError: A name, the file or a column cannot be used, or there is such a
            product.
        ContractError: mesh_policy.yml is missing or not valid.
        StorageError: The disk refused; nothing is left behind.
    """
    folder, product = _place(root, name)
    vocabulary = load_vocabulary(root)
    purposes = _purposes(wanted, vocabulary)
    source = read_csv(wanted.file) if wanted.file else None
    found = source.columns if source else example_columns()
    columns = draft_columns(found, wanted.key, wanted.label)
    (key,) = (c for c in columns if c.is_key)
    facts = {
        "domain": folder.name,
        "product": product,
        "columns": columns,
        "key": key.name,
        "example_key": "1" if key.data_type != "varchar" else "R1",
        "seed": source is None or wanted.keep_in_git,
        "delimiter": source.delimiter if source else ",",
        "description": _description(wanted),
        "purposes": purposes,
        "known_purposes": vocabulary.purposes,
        "uses": tuple(u for u in _USES if u in vocabulary.uses) or vocabulary.uses[:1],
        "tags": tuple(sorted(vocabulary.tags.items())),
        "min_cohort": max(_COHORT, vocabulary.floors.min_cohort),
        "min_cohort_floor": vocabulary.floors.min_cohort,
    }
    files = _files(product, facts, source)
    add_files(folder, files)
    return MadeProduct(
        name=f"{folder.name}.{product}",
        folder=folder,
        contract=f"models/products/{product}.yml",
        files=tuple(files),
        columns=columns,
    )


def _place(root: Path, name: str) -> tuple[Path, str]:
    domain, dot, product = name.partition(".")
    if not dot:
        raise UsageError(
            f"{shown(name)!r} does not say whose product it is.",
            remedy="Name domain and product, such as lending.credits.",
        )
    known = sorted(p.parent.name for p in root.glob("domains/*/dbt_project.yml"))
    if domain not in known:
        raise UsageError(
            f"There is no domain {shown(domain)!r}.",
            remedy=f"{closest(domain, known)} A new one: fl new domain NAME"
            if known
            else "Make it first: fl new domain NAME",
        )
    check_name(product, "product")
    if product.startswith(_PREFIXES) or _VERSIONED.fullmatch(product):
        raise UsageError(
            f"{product} cannot be the name of a product: stg_, int_, raw_, g_ and _v1 "
            "say what a file is.",
            remedy="Name what a row is, such as credits; versions come by themselves.",
        )
    folder = root / "domains" / domain
    if project_name(folder) != domain or folder.is_symlink():
        raise UsageError(
            f"The folder domains/{domain} is not the project {domain}.",
            remedy="Give the folder and its project one name.",
        )
    return folder, product


def _purposes(wanted: Wanted, vocabulary: Vocabulary) -> tuple[str, ...]:
    for purpose in wanted.purposes:
        if purpose not in vocabulary.purposes:
            raise UsageError(
                f"The mesh knows no purpose {shown(purpose)!r}.",
                remedy=f"{closest(purpose, vocabulary.purposes)} "
                "A new one is agreed on in mesh_policy.yml.",
            )
    return wanted.purposes or vocabulary.purposes[:1]


def _description(wanted: Wanted) -> str:
    if wanted.description:
        return check_text(wanted.description, "description")
    if wanted.file is None:
        return (
            "Made-up rows to start with. TODO: what a row is, and where it comes from."
        )
    name = wanted.file.name
    of = f"One row per line of {name}." if is_text(name) else "One row per line."
    return f"{of} TODO: what a row is, where it comes from, what is wrong with it."


def _files(product: str, facts: Mapping[str, Any], source: CsvFile | None) -> Files:
    """Return the files in an order in which dbt can read every beginning.

    SQL before its YAML: a unit test without its model stops the whole project, and
    dbt's partial parsing does not find a model again that came after its YAML.
    """
    rows: dict[str, str | bytes | Path]
    if facts["seed"]:
        origin = f"seeds/raw_{product}.yml"
        content = _seed(source) if source else _csv(ROWS)
        rows = {
            f"seeds/raw_{product}.csv": content,
            origin: rendered("product/seed.yml", **facts),
        }
    else:
        origin = f"models/staging/raw_{product}.yml"
        path = source.path if source else Path()
        rows = {
            f"data/raw_{product}.csv": path,
            origin: rendered("product/source.yml", **facts),
        }
    staging, promised = f"models/staging/stg_{product}", f"models/products/{product}"
    return rows | {
        f"{staging}.sql": rendered("product/staging.sql", **facts),
        f"{staging}.yml": rendered("product/staging.yml", **facts),
        f"{promised}_v1.sql": rendered("product/product.sql", **facts),
        f"{promised}.yml": rendered("product/product.yml", **facts),
    }


def _seed(source: CsvFile) -> str:
    """Return the file with the columns' plain names, as a seed needs them."""
    if source.path.stat().st_size > MAX_SEED_BYTES:
        raise UsageError(
            f"{shown(source.path.name)} is too large for git: a seed has at most "
            f"{MAX_SEED_BYTES // 1024} kB.",
            remedy="Leave out --keep-in-git: the file then stays in the domain's "
            "data/.",
        )
    with source.path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=source.delimiter, strict=True)
        next(rows)
        return _csv([[column.name for column in source.columns], *rows])


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
