"""What differential privacy needs of a plan: budgets, and what the contracts bound."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.algorithms.private.releases import PrivateAlgorithm
from fl_plugin.errors import ContractError, UsageError
from fl_plugin.manifest.types import Product, Study
from fl_plugin.preparation.features import Feature
from fl_plugin.privacy.dp.accountant import epsilon_of, mu_for
from fl_plugin.privacy.dp.preparation import ColumnFacts, PublicColumn, public_column

Bounds = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Spending:
    """What a run asks of each domain's budget; None without differential privacy.

    Args:
        evaluation: Share of the square of mu that figures cost; 0 for exact figures.
    """

    epsilon: float | None
    delta: float | None
    evaluation: float | None


def spending(
    study: Study, products: Sequence[Product], uses: Sequence[str]
) -> Spending:
    """Return what a run with these uses spends.

    One that only judges a model spends what its figures cost, and nothing for a fit.
    """
    privacy = study.contract.privacy
    if privacy.epsilon is None:
        return Spending(epsilon=None, delta=privacy.delta, evaluation=None)
    delta, share, epsilon = privacy.delta, privacy.evaluation, privacy.epsilon
    if delta is None:
        said = (p.contract.dp.delta for p in products if p.contract.dp)
        delta = min(said, default=None)
    fits = any(use.startswith("train") for use in uses)
    if not fits and share > 0 and delta is not None:
        epsilon = epsilon_of(mu_for(epsilon, delta) * math.sqrt(share), delta)
        share = 1.0
    return Spending(epsilon=epsilon, delta=delta, evaluation=share)


def public_columns(
    features: Sequence[Feature], products: Sequence[Product]
) -> tuple[PublicColumn, ...]:
    """Return how each feature is prepared without a look at a row."""
    return tuple(
        public_column([_facts(p, feature) for p in products]) for feature in features
    )


def bounded(
    study: Study, products: Sequence[Product], algorithm: type[Algorithm] | None
) -> dict[str, Any]:
    """Return the study's parameters, the target's bounds filled in from the contracts.

    Lows and highs of several contracts are taken together. A study may name narrower
    bounds, which cost less noise; wider ones are refused and not silently clipped: no
    value lies there, they only add noise, and what is decided on is what is run.

    Raises:
        ContractError: Neither the study nor every contract says what is needed.
        UsageError: The study names wider bounds than the contracts.
    """
    said = dict(study.contract.algorithm.parameters)
    ends = _declared(algorithm)
    if not ends:
        return said
    known = _contracts_bounds(study, products)
    for name, end in ends.items():
        if name in said:
            _require_narrower(study, name, said[name], known)
        elif known is None:
            raise _unbounded(study, products, name)
        else:
            said[name] = known[0] if end == "low" else known[1]
    return said


def target_bounds(
    study: Study,
    products: Sequence[Product],
    parameters: Mapping[str, Any],
    algorithm: type[Algorithm] | None,
) -> Bounds | None:
    """Return between which ends errors are counted; None where nothing says.

    Args:
        study: The study.
        products: Those it trains on.
        parameters: With the bounds filled in.
        algorithm: The study's.
    """
    ends = {end: parameters[name] for name, end in _declared(algorithm).items()}
    known = _contracts_bounds(study, products)
    if "high" in ends:
        return float(ends.get("low", 0.0)), float(ends["high"])
    return known


def _declared(algorithm: type[Algorithm] | None) -> Mapping[str, str]:
    if algorithm is not None and issubclass(algorithm, PrivateAlgorithm):
        return algorithm.target_ends
    return {}


def _contracts_bounds(study: Study, products: Sequence[Product]) -> Bounds | None:
    target = study.contract.target
    columns = [p.columns.get(target or "") for p in products]
    bounds = [c.contract.bounds if c else None for c in columns]
    told = [b for b in bounds if b is not None]
    if len(told) < len(products) or not told:
        return None
    return min(b[0] for b in told), max(b[1] for b in told)


def _require_narrower(
    study: Study, name: str, value: object, known: Bounds | None
) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if known is None or not number:
        return  # the algorithm itself refuses what is no number
    if not known[0] <= float(value) <= known[1]:  # type: ignore[arg-type]
        raise UsageError(
            f"{name} of {study.name} lies outside the bounds that the contracts set "
            f"for {study.contract.target}.",
            remedy=f"Leave {name} out of the study, or name narrower bounds.",
        )


def _unbounded(study: Study, products: Sequence[Product], name: str) -> ContractError:
    target = study.contract.target or ""
    lacking = next(
        p
        for p in products
        if target not in p.columns or p.columns[target].contract.bounds is None
    )
    return ContractError(
        f"{target} of {lacking.name} cannot be learned under differential privacy: the "
        f"contract of domain {lacking.domain} does not say which values it may have.",
        remedy="Ask the domain's steward to add `bounds: [low, high]` under the "
        f"column's `mesh` block, or name `{name}` in the study.",
    )


def _facts(product: Product, feature: Feature) -> ColumnFacts:
    column = product.columns[feature.name]
    boolean = feature.categories == (False, True)
    return ColumnFacts(
        domain=product.domain,
        product=product.name,
        column=feature.name,
        kind=feature.kind,
        bounds=column.contract.bounds,
        accepted=feature.categories if boolean else column.accepted_values,
    )
