"""Make a plan from a vertical study: which domain has which of its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fl_plugin.algorithms.base import Target
from fl_plugin.alignment.rules import rule_for
from fl_plugin.errors import ContractError
from fl_plugin.manifest.study_match import MatchPlan
from fl_plugin.manifest.types import Column, Manifest, Product, Study
from fl_plugin.manifest.uses import (
    EVALUATE,
    MATCH_BY_HASH,
    MATCH_MANY,
    PREDICT,
    TRAIN_VERTICAL,
)
from fl_plugin.plan.columns import categories_of, kind_of
from fl_plugin.plan.study_words import plan_words, request_words
from fl_plugin.plan.target import target_of_columns
from fl_plugin.plan.types import PartyPlan, Plan
from fl_plugin.policy.types import Request
from fl_plugin.preparation.features import Feature
from fl_plugin.vertical.base import PROTECTED, SHARED, VerticalAlgorithm
from fl_plugin.vertical.installed import vertical_algorithms

USES = (TRAIN_VERTICAL, EVALUATE)
SCORES = (PREDICT,)


def draft_vertical(
    study: Study,
    products: Sequence[Product],
    manifest: Manifest,
    actor: str,
    uses: tuple[str, ...] | None = None,
) -> Plan:
    """Return the plan of a vertical study, without any domain's decision.

    Args:
        study: With mode: vertical.
        products: One of each domain, sorted by name.
        manifest: The mesh's.
        actor: Who asks.
        uses: What is wanted; None for what training needs.

    Raises:
        ContractError: A column is in no product or in two of them, or the algorithm
            cannot learn the target.
    """
    contract = study.contract
    match = contract.match
    if match is None or contract.target is None:  # the contract's own checks hold this
        raise ContractError(
            f"The study {study.name} is not a complete vertical study.",
            remedy="Name its `match` and its `target`.",
        )
    owner = _owner(study, contract.target, products)
    _check_keys(study, match, products, owner)
    algorithm = vertical_algorithms().get(contract.algorithm.name)
    label = owner.columns[contract.target]
    labels = SHARED if label.contract.label_sharing == SHARED else PROTECTED
    owners = {name: _owner(study, name, products) for name in contract.features}
    asked = {**contract.algorithm.parameters}
    request = Request(
        **request_words(study, actor, len(products)),
        uses=_uses(uses or USES, match, algorithm, asked),
        columns={},
        parameters=asked,
        match=match.how,
    )
    parties = tuple(
        _party(study, p, [n for n, o in owners.items() if o is p], request, labels)
        for p in products
    )
    parties = _telling(parties, match, owner, algorithm, asked)
    return Plan(
        **plan_words(study, manifest, actor),
        parameters=asked,
        predicts=_target(study, label, algorithm.targets if algorithm else None),
        features=tuple(f for p in parties for f in p.features),
        protected=(),
        prepares=algorithm.prepares if algorithm else "matrix",
        search=None,
        sampling=None,
        evaluation=contract.evaluation.model_copy(update={"folds": 0}),
        parties=parties,
        match=match,
        label_domain=owner.domain,
        labels=labels,
    )


def _telling(
    parties: tuple[PartyPlan, ...],
    match: MatchPlan,
    owner: Product,
    algorithm: type[VerticalAlgorithm] | None,
    parameters: Mapping[str, object],
) -> tuple[PartyPlan, ...]:
    """Return the parties, asked for the uses that only the label's needs as well."""
    if algorithm:
        more = algorithm.of(parameters).label_uses()
        parties = tuple(_releasing(p, more) for p in parties)
    if not match.keys:
        return parties
    return tuple(_repeating(p) if p.domain == owner.domain else p for p in parties)


def _uses(
    uses: tuple[str, ...],
    match: MatchPlan,
    algorithm: type[VerticalAlgorithm] | None,
    parameters: Mapping[str, object],
) -> tuple[str, ...]:
    """Return the uses, with those that a faster and weaker way needs."""
    hashed = (MATCH_BY_HASH,) if match.how == "keyed_hash" else ()
    weaker = algorithm.of(parameters).uses() if algorithm else ()
    return (*uses, *hashed, *weaker)


def _party(
    study: Study, product: Product, names: Sequence[str], request: Request, labels: str
) -> PartyPlan:
    target = study.contract.target
    columns = dict.fromkeys(keys_at(study.contract.match, product.domain), "join_key")
    columns |= dict.fromkeys(names, "feature")
    trains = bool({TRAIN_VERTICAL, EVALUATE} & set(request.uses))
    if target in product.columns and trains:
        columns[str(target)] = "shared_label" if labels == SHARED else "label"
    asked = replace(
        request, product=product.name, version=product.version, columns=columns
    )
    return PartyPlan(
        domain=product.domain,
        product=product.name,
        version=product.version,
        request=asked,
        features=tuple(_feature(study, product.columns[name]) for name in names),
    )


def _feature(study: Study, column: Column) -> Feature:
    kind = kind_of(study, [column])
    if kind == "numeric":
        return Feature(name=column.name, kind=kind)
    if kind == "boolean":
        return Feature(name=column.name, kind="categorical", categories=(False, True))
    return Feature(
        name=column.name, kind="categorical", categories=categories_of([column])
    )


def _owner(study: Study, name: str, products: Sequence[Product]) -> Product:
    """Return the one product that has a column."""
    found = [p for p in products if name in p.columns]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ContractError(
            f"The study {study.name} names the column {name}, which none of its "
            "products has.",
            remedy="See a product's columns: fl catalog show PRODUCT",
        )
    both = f"{found[0].name} and {found[1].name}"
    raise ContractError(
        f"The study {study.name} names the column {name}, which {both} both have.",
        remedy="Rename it in one of them, so that it is known whose is meant.",
    )


def keys_at(match: MatchPlan | None, domain: str) -> tuple[str, ...]:
    """Return the columns by which a domain's rows are matched.

    The label's domain, which `keys` does not name, has all of them.
    """
    if match is None:
        return ()
    return (match.keys[domain],) if domain in match.keys else match.columns


def _repeating(party: PartyPlan) -> PartyPlan:
    """Return the label's party: it says how often the others' keys come."""
    request = replace(party.request, uses=(*party.request.uses, MATCH_MANY))
    return replace(party, request=request)


def _releasing(party: PartyPlan, more: tuple[str, ...]) -> PartyPlan:
    """Return a party; whose label is protected is asked for what else leaves of it."""
    if "label" not in party.request.columns.values():
        return party
    request = replace(party.request, uses=(*party.request.uses, *more))
    return replace(party, request=request)


def _check_keys(
    study: Study, match: MatchPlan, products: Sequence[Product], owner: Product
) -> None:
    rule_for(match.normalise)
    others = {p.domain for p in products} - {owner.domain}
    if match.keys and set(match.keys) != others:
        raise ContractError(
            f"The study {study.name} names keys of other domains than those whose rows "
            f"{owner.domain} needs.",
            remedy=f"Name one key for each of: {', '.join(sorted(others))}",
        )
    for product in products:
        for key in keys_at(match, product.domain):
            if key not in product.columns:
                raise ContractError(
                    f"The study {study.name} matches rows by {key}, which "
                    f"{product.name} has not got.",
                    remedy="Offer the column in the product, with the role join_key.",
                )


def _target(study: Study, label: Column, learns: tuple[str, ...] | None) -> Target:
    return target_of_columns(study, [label], learns)
