"""Policies as people ask about them: what holds, and what would be allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

from fl_plugin.coordinator.federation import Federation
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import ContractError, UsageError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Product
from fl_plugin.manifest.uses import OF_MATCHED_ROWS
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.mesh.identity import actor, run_id
from fl_plugin.plan.wire import read_decision, request_json
from fl_plugin.policy.node import NODE_FILE, load_node
from fl_plugin.policy.permissions.consumers import product_holding
from fl_plugin.policy.permissions.holding import Holding
from fl_plugin.policy.permissions.permission import Verb
from fl_plugin.policy.types import Decision, Node, Request

VERBS: tuple[Verb, ...] = get_args(Verb)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody would like to do with a product.

    Args:
        columns: Column to the role it is wanted in; None for every column, each in the
            first role that its contract gives it.
    """

    product: str
    consumer: str
    purpose: str
    uses: tuple[str, ...]
    columns: Mapping[str, str] | None = None
    algorithm: str = "logistic_regression"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    study: str = "simulation"


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """The decision as things are, and as it would be with a grant for just this."""

    request: Request
    now: Decision
    with_grant: Decision

    @property
    def allowed(self) -> bool:
        """Whether a grant is all that is missing, or nothing is."""
        return self.with_grant.allowed


@dataclass(frozen=True, kw_only=True)
class Held:
    """Whether a consumer holds a verb on a product."""

    product: str
    consumer: str
    verb: str
    holding: Holding


@dataclass(frozen=True)
class Policies:
    """The policies of the mesh in `root`."""

    root: Path

    def product(self, name: str) -> tuple[Product, Node]:
        """Return a product and its domain's settings, as the domain has them.

        Raises:
            UsageError: There is no such domain or product.
            ContractError: Its contract is not valid.
        """
        folder = self._folder(name)
        words = load_vocabulary(self.root / "mesh_policy.yml")
        manifest = read_manifest(folder / "target" / "manifest.json", words)
        if name in manifest.problems:
            raise manifest.problems[name]
        if name not in manifest.products:
            known = ", ".join(sorted({p.name for p in manifest.products.values()}))
            raise UsageError(
                f"{folder.name} has no product {name!r}.",
                remedy=f"It has: {known or 'none'}.",
            )
        return manifest.products[name], load_node(folder)

    def simulate(self, wish: Wish) -> Simulated:
        """Ask the product's domain what it would say; no row is opened.

        The domain's own process decides, twice, and its ledger says that it was asked.

        Raises:
            UsageError: There is no such domain or product.
            MeshError: The domain cannot decide.
        """
        product, _ = self.product(wish.product)
        columns = wish.columns if wish.columns is not None else _all(product, wish)
        request = Request(
            study=wish.study,
            consumer=wish.consumer,
            actor=actor(),
            purpose=wish.purpose,
            product=product.name,
            version=product.version,
            uses=wish.uses,
            columns=columns,
            algorithm=wish.algorithm,
            parameters=wish.parameters,
            secure_aggregation=True,
            parties=3,
            match="private" if OF_MATCHED_ROWS & {*wish.uses} else "",
        )
        body = {product.domain: {"request": request_json(request), "suppose": True}}
        with Embedded([self._folder(wish.product)], wish.consumer) as transport:
            asked = Federation(run_id("simulation"), transport)
            answer = asked.ask("decide", body, each=True).bodies[product.domain]
        return Simulated(
            request=request,
            now=read_decision(answer.get("decision")),
            with_grant=read_decision(answer.get("supposed")),
        )

    def held(self, consumer: str | None = None) -> tuple[Held, ...]:
        """Return who holds which verb on which product, and by which permissions.

        Args:
            consumer: One; None for all that the domains know.
        """
        return tuple(
            Held(product=product.name, consumer=name, verb=verb, holding=found)
            for product, node in self._published()
            for name in sorted(node.consumers)
            if consumer in (None, name)
            for verb in VERBS
            if node.permissions is not None
            for found in (product_holding(node, name, product, verb, _today()),)
        )

    def hidden_from(self, consumer: str) -> frozenset[str]:
        """Return the products that a consumer may not describe.

        A domain without permissions hides nothing.

        Raises:
            UsageError: No domain knows the consumer.
        """
        published = tuple(self._published())
        known = {name for _, node in published for name in node.consumers}
        if consumer not in known:
            raise UsageError(
                f"No domain knows a consumer {consumer!r}.",
                remedy=f"Known: {', '.join(sorted(known)) or 'none'}.",
            )
        return frozenset(
            product.name
            for product, node in published
            if node.permissions is not None
            and not product_holding(node, consumer, product, "describe", _today()).held
        )

    def _published(self) -> Iterator[tuple[Product, Node]]:
        """Yield the latest version of each product with its domain's settings."""
        words = load_vocabulary(self.root / "mesh_policy.yml")
        manifest = read_manifest(self.root / "target" / "manifest.json", words)
        for name, product in sorted(manifest.products.items()):
            folder = self.root / "domains" / product.domain
            if name == product.name and (folder / NODE_FILE).is_file():
                yield product, load_node(folder)

    def _folder(self, product: str) -> Path:
        domain = product.partition(".")[0]
        known = sorted(f.parent.name for f in self.root.glob("domains/*/node.yml"))
        if domain not in known:
            raise UsageError(
                f"There is no domain {domain!r}.",
                remedy=f"Domains of this mesh: {', '.join(known) or 'none'}.",
            )
        return self.root / "domains" / domain


def _today() -> date:
    return datetime.now(UTC).date()


def _all(product: Product, wish: Wish) -> dict[str, str]:
    found = {}
    for name, column in product.columns.items():
        uses = column.contract.uses
        fits = uses is None or set(wish.uses) <= set(uses)
        roles = [r for r in column.contract.roles if r != "protected"]
        if fits and roles:
            found[name] = roles[0]
    if not found:
        raise ContractError(
            f"No column of {product.name} may be used in this way.",
            remedy="Name the columns, to see which rule stands against it.",
        )
    return found
