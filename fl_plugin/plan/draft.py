"""Make a plan from a study: which domains, which columns in which role, which uses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from fl_plugin.algorithms.installed import algorithms
from fl_plugin.algorithms.private.releases import PrivateAlgorithm
from fl_plugin.errors import ContractError, UsageError
from fl_plugin.manifest.study_contract import StudyContract
from fl_plugin.manifest.types import Column, Manifest, Product, Study
from fl_plugin.plan.columns import categories_of, kind_of
from fl_plugin.plan.private import bounded, public_columns, spending, target_bounds
from fl_plugin.plan.study_words import plan_words, request_words
from fl_plugin.plan.target import target_of
from fl_plugin.plan.types import PartyPlan, Plan
from fl_plugin.plan.vertical import draft_vertical
from fl_plugin.policy.types import Request
from fl_plugin.preparation.features import Feature

USES = ("train_horizontal", "evaluate")


def draft(
    study: Study, manifest: Manifest, actor: str, uses: tuple[str, ...] | None = None
) -> Plan:
    """Return the plan of a study, without any domain's decision.

    Raises:
        ContractError: The study names a column that a product has not got, or the
            products disagree about it.
    """
    contract = study.contract
    products = _products(study, manifest)
    if contract.mode == "vertical":
        return draft_vertical(study, products, manifest, actor, uses)
    _check_quorum(study, len(products))
    features = tuple(_feature(study, products, name) for name in contract.features)
    algorithm = algorithms().get(contract.algorithm.name)
    target = target_of(study, products, algorithm)
    privacy = contract.privacy
    noised = privacy.epsilon and algorithm and issubclass(algorithm, PrivateAlgorithm)
    parameters = bounded(study, products, algorithm)
    request = _request(study, products, actor, uses or USES, parameters)
    requests = (replace(request, product=p.name, version=p.version) for p in products)
    return Plan(
        **plan_words(study, manifest, actor),
        parameters=parameters,
        predicts=target,
        features=features,
        protected=tuple(
            _protected(study, products, name) for name in contract.evaluation.fairness
        ),
        public=public_columns(features, products) if noised else (),
        bounds=target_bounds(study, products, parameters, algorithm),
        prepares=algorithm.prepares if algorithm else "matrix",
        search=contract.search,
        sampling=contract.sampling,
        evaluation=contract.evaluation,
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


def _check_quorum(study: Study, parties: int) -> None:
    quorum = study.contract.rounds.quorum or 0
    if quorum > parties:
        raise ContractError(
            f"The study {study.name} wants a quorum of {quorum} domains, and has "
            f"{parties}.",
            remedy="Lower rounds.quorum, or name more products.",
        )


def _request(
    study: Study,
    products: Sequence[Product],
    actor: str,
    uses: tuple[str, ...],
    parameters: Mapping[str, Any],
) -> Request:
    """Return what every domain is asked for, its product left open."""
    contract, spent = study.contract, spending(study, products, uses)
    return Request(
        **request_words(study, actor, len(products)),
        uses=uses,
        columns=_columns(study, products),
        parameters=_asked_parameters(contract, parameters),
        epsilon=spent.epsilon,
        delta=spent.delta,
        evaluation=spent.evaluation,
    )


def _columns(study: Study, products: Sequence[Product]) -> dict[str, str]:
    """Return every column that is asked for, in its role."""
    contract = study.contract
    columns = dict.fromkeys(contract.evaluation.fairness, "protected")
    if contract.evaluation.group is not None:
        columns[contract.evaluation.group] = "join_key"
    columns |= dict.fromkeys(contract.features, "feature")
    if contract.target is not None:
        columns[contract.target] = "label"
    for product in products:
        for name in columns:
            _column(study, product, name)
    return columns


def _asked_parameters(
    contract: StudyContract, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters, those that are searched with all their candidates."""
    searched = contract.search.parameters if contract.search else {}
    tried = {name: list(values) for name, values in searched.items()}
    return {**parameters, **tried}


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


def _protected(study: Study, products: Sequence[Product], name: str) -> Feature:
    found = _feature(study, products, name)
    if found.kind == "numeric":
        raise ContractError(
            f"The study {study.name} tells figures apart by {name}, which is a number: "
            "groups are the values of a text or a boolean.",
            remedy="Let the products offer it as bands (an age group, say), or leave "
            "it out of evaluation.fairness.",
        )
    return found


def _feature(study: Study, products: Sequence[Product], name: str) -> Feature:
    columns = [_column(study, p, name) for p in products]
    kind = kind_of(study, columns)
    if kind == "numeric":
        return Feature(name=name, kind=kind)
    if kind == "boolean":
        return Feature(name=name, kind="categorical", categories=(False, True))
    return Feature(name=name, kind="categorical", categories=categories_of(columns))
