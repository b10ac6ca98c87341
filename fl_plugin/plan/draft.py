"""Make a plan from a study: which domains, which columns in which role, which uses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from fl_plugin.errors import ContractError, UsageError
from fl_plugin.manifest.types import Column, Manifest, Product, Study
from fl_plugin.plan.types import PartyPlan, Plan
from fl_plugin.policy.types import Request
from fl_plugin.preparation.features import Category, Feature

TRAIN_USES: Mapping[str, tuple[str, ...]] = {
    "horizontal": ("train_horizontal", "evaluate"),
    "vertical": ("train_vertical", "evaluate"),
}
_INTEGERS = ("tinyint", "smallint", "integer", "int", "bigint", "hugeint")
_UNSIGNED = ("utinyint", "usmallint", "uinteger", "ubigint")
_NUMERIC = (*_INTEGERS, *_UNSIGNED, "real", "float", "double", "decimal", "numeric")
_TEXT = ("varchar", "text", "string", "char")


def draft(
    study: Study, manifest: Manifest, actor: str, uses: tuple[str, ...] | None = None
) -> Plan:
    """Return the plan of a study, without any domain's decision.

    Raises:
        ContractError: The study names a column that a product has not got, or the
            products disagree about it.
        UsageError: The study's mode is one that no engine can run.
    """
    contract = study.contract
    products = _products(study, manifest)
    features = tuple(_feature(study, products, name) for name in contract.features)
    for product in products:
        _column(study, product, contract.target)
    columns = {contract.target: "label"} | {f.name: "feature" for f in features}
    request = Request(
        study=study.name,
        consumer=contract.consumer,
        actor=actor,
        purpose=contract.purpose,
        product="",
        version=None,
        uses=uses or TRAIN_USES[contract.mode],
        columns=columns,
        algorithm=contract.algorithm.name,
        parameters=dict(contract.algorithm.parameters),
        secure_aggregation=contract.privacy.secure_aggregation,
        parties=len(products),
        epsilon=contract.privacy.epsilon,
    )
    requests = (replace(request, product=p.name, version=p.version) for p in products)
    return Plan(
        study=study.name,
        label=study.label or study.name,
        consumer=contract.consumer,
        actor=actor,
        purpose=contract.purpose,
        mode=contract.mode,
        algorithm=contract.algorithm.name,
        parameters=dict(contract.algorithm.parameters),
        target=contract.target,
        features=features,
        secure_aggregation=contract.privacy.secure_aggregation,
        evaluation=contract.evaluation,
        seed=contract.seed,
        manifest=manifest.fingerprint,
        parties=tuple(
            PartyPlan(
                domain=r.product.partition(".")[0],
                product=r.product,
                version=r.version,
                request=r,
            )
            for r in requests
        ),
    )


def find_study(manifest: Manifest, name: str) -> Study:
    """Return a study of the mesh.

    Raises:
        ContractError: It is there, but not valid.
        UsageError: There is none of this name.
    """
    if name in manifest.studies:
        return manifest.studies[name]
    problem = manifest.problems.get(f"{manifest.project}.{name}")
    if problem is not None:
        raise problem
    near = get_close_matches(name, manifest.studies, 1)
    meant = f"Did you mean {near[0]}? " if near else ""
    known = ", ".join(sorted(manifest.studies)) or "none"
    raise UsageError(
        f"There is no study {name!r}.",
        remedy=f"{meant}Studies of this mesh: {known}.",
    )


def _products(study: Study, manifest: Manifest) -> list[Product]:
    if study.contract.mode != "horizontal":
        raise UsageError(
            f"The study {study.name} asks for mode {study.contract.mode}, which this "
            "version cannot train.",
            remedy="Use mode: horizontal.",
        )
    found = (_product(manifest, study, name) for name in study.products)
    products = sorted(found, key=lambda product: product.name)
    if len({p.domain for p in products}) < len(products):
        raise ContractError(
            f"The study {study.name} names two products of one domain.",
            remedy="Let the domain join them into one product.",
        )
    return products


def _product(manifest: Manifest, study: Study, name: str) -> Product:
    if name in manifest.problems:
        raise manifest.problems[name]
    if name not in manifest.products:
        raise ContractError(
            f"The study {study.name} names {name}, which is not a data product.",
            remedy="Give the model a `mesh` block with `product:`, or name another.",
        )
    return manifest.products[name]


def _column(study: Study, product: Product, name: str) -> Column:
    if name not in product.columns:
        raise ContractError(
            f"The study {study.name} names the column {name}, which {product.name} has "
            "not got.",
            remedy=f"See its columns: fl catalog show {product.name}",
        )
    return product.columns[name]


def _feature(study: Study, products: Sequence[Product], name: str) -> Feature:
    columns = [_column(study, p, name) for p in products]
    kinds = {_kind(study, c) for c in columns}
    if len(kinds) > 1:
        raise ContractError(
            f"The products of {study.name} disagree about the type of {name}.",
            remedy="Agree on one data_type in the contracts.",
        )
    kind = kinds.pop()
    if kind == "numeric":
        return Feature(name=name, kind=kind)
    if kind == "boolean":
        return Feature(name=name, kind="categorical", categories=(False, True))
    return Feature(name=name, kind="categorical", categories=_categories(columns))


def _kind(study: Study, column: Column) -> str:
    word = column.data_type.lower().partition("(")[0].strip()
    if word in _NUMERIC:
        return "numeric"
    if word in {"boolean", "bool"}:
        return "boolean"
    if word in _TEXT:
        return "categorical"
    raise ContractError(
        f"The column {column.name} of the study {study.name} is of type {word}, which "
        "is neither a number, a boolean nor a text.",
        remedy="Let the product offer it as a number (an age in days, say).",
    )


def _categories(columns: Sequence[Column]) -> tuple[Category, ...] | None:
    """Return all accepted values, sorted; None where a contract does not say."""
    if any(c.accepted_values is None for c in columns):
        return None
    return tuple(sorted({v for c in columns for v in c.accepted_values or ()}))
