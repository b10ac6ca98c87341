"""What somebody wants of a product: for a study, or to look around."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fl_plugin.access.rules import Terms
from fl_plugin.errors import UsageError
from fl_plugin.manifest.types import Manifest, Owner, Product
from fl_plugin.manifest.validation import closest, shown
from fl_plugin.manifest.words import check_name
from fl_plugin.plan.draft import draft, find_study

EXPLORATION = "exploration"


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """What somebody wants to look at in one product, without a study of their own."""

    product: str
    consumer: str
    purpose: str
    columns: Sequence[str]
    uses: Sequence[str] = ("query",)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What one domain is to be asked for.

    Args:
        owner: Who answers for the study; nobody for an exploration.
    """

    product: Product
    study: str
    consumer: str
    purpose: str
    uses: tuple[str, ...]
    columns: tuple[str, ...]
    epsilon: float | None = None
    owner: Owner = field(default_factory=lambda: Owner(name=""))

    @property
    def terms(self) -> Terms:
        """What the contract has to offer for it."""
        return Terms(
            product=self.product,
            purpose=self.purpose,
            uses=self.uses,
            columns=self.columns,
        )


def wanted_by_study(
    manifest: Manifest, study: str, domain: str | None = None
) -> tuple[Wanted, ...]:
    """Return what a study needs of each domain, or of this one alone.

    Raises:
        UsageError: There is no such study, or it asks nothing of that domain.
        ContractError: The study or a product is not valid.
    """
    found = find_study(manifest, study)
    plan = draft(found, manifest, actor="")
    domains = [party.domain for party in plan.parties]
    if domain is not None and domain not in domains:
        raise UsageError(
            f"The study {study} asks nothing of a domain {shown(domain)}.",
            remedy=closest(domain, domains),
        )
    return tuple(
        Wanted(
            product=manifest.products[party.product],
            study=study,
            consumer=plan.consumer,
            purpose=plan.purpose,
            uses=party.request.uses,
            columns=_in_order(party.request.columns),
            epsilon=party.request.epsilon,
            owner=found.owner,
        )
        for party in plan.parties
        if domain in (None, party.domain)
    )


def _in_order(columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return the features as the study has them, then the label."""
    return tuple(sorted(columns, key=lambda name: columns[name] == "label"))


def wanted_to_explore(manifest: Manifest, asked: Exploration) -> tuple[Wanted, ...]:
    """Return what somebody wants to see of one product.

    Raises:
        UsageError: There is no such product, or no column is named.
        ContractError: Its contract is not valid, or the consumer's name is no name.
    """
    if asked.product in manifest.problems:
        raise manifest.problems[asked.product]
    if asked.product not in manifest.products:
        raise UsageError(
            f"There is no product {shown(asked.product)}.",
            remedy=closest(asked.product, manifest.products),
        )
    check_name(asked.consumer, "--consumer")
    if not asked.columns or not asked.uses:
        raise UsageError(
            "The request names no column, or no use.",
            remedy=f"See its columns: fl catalog show {asked.product}",
        )
    wanted = Wanted(
        product=manifest.products[asked.product],
        study=EXPLORATION,
        consumer=asked.consumer,
        purpose=asked.purpose,
        uses=tuple(dict.fromkeys(asked.uses)),
        columns=tuple(dict.fromkeys(asked.columns)),
    )
    return (wanted,)
