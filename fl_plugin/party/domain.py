"""What a domain knows of itself, read from its own folder: the facts of a decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from fl_plugin.errors import ContractError, MeshError
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest, Product
from fl_plugin.manifest.vocabulary import Vocabulary, load_vocabulary
from fl_plugin.party.database import Database, parse_filter
from fl_plugin.party.drift import with_drift
from fl_plugin.party.identity import identity_of, trust_of
from fl_plugin.party.standing import Standing, Watch
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.node import load_node
from fl_plugin.policy.row_filter import columns_of
from fl_plugin.policy.signed_contracts import is_contract_signed
from fl_plugin.policy.types import Facts, Measured, Node, Request
from fl_plugin.privacy.terms import Trust
from fl_plugin.signing.keys import SigningKey


@dataclass(frozen=True)
class Domain:
    """A domain's folder, `domains/<name>`.

    Everything is read anew for each decision, so an edit counts at once; only the
    domain's own files are looked at, never what a message says of them.
    """

    folder: Path

    @cached_property
    def _watch(self) -> Watch:
        return Watch(self.folder)

    @property
    def name(self) -> str:
        """The domain's name, from its own pinned settings."""
        return self.node().domain

    def node(self) -> Node:
        """Return the pinned settings."""
        return load_node(self.folder)

    def manifest(self) -> Manifest:
        """Return the domain's own manifest, as its last build left it."""
        return read_manifest(
            self.folder / "target" / "manifest.json", self.vocabulary()
        )

    def vocabulary(self) -> Vocabulary:
        """Return the mesh's words and floors."""
        return load_vocabulary(self.folder.parent.parent / "mesh_policy.yml")

    def database(self) -> Database:
        """Return the domain's own database."""
        node = self.node()
        return Database(self.folder / node.database, node.domain, node.memory)

    @property
    def identity(self) -> SigningKey:
        """Return the key that the domain signs its mask keys with."""
        return identity_of(self.folder / "ledger")

    def trust(self, told: Mapping[str, Any]) -> Trust:
        """Return whom the domain trusts, given what a coordinator says of the rest."""
        return trust_of(self.folder / "ledger", self.node(), told)

    @property
    def ledger_file(self) -> Path:
        """Where the domain's own ledger lies."""
        return self.folder / "ledger" / "ledger.sqlite"

    def ledger(self) -> Ledger:
        """Open the domain's own ledger."""
        return Ledger.open(self.ledger_file)

    def facts(self, request: Request, caller: str, ledger: Ledger) -> Facts:
        """Return everything that is known before a row is opened.

        Raises:
            ContractError: The product's contract, or the mesh's policy, is not valid.
            BuildError: The domain is not built.
            StorageError: Its database cannot be read.
        """
        manifest, node = self.manifest(), self.node()
        product = _product(manifest, request)
        facts = Facts(
            request=request,
            caller=caller,
            now=datetime.now(UTC),
            clock_floor=ledger.clock_floor(),
            node=node,
            product=product,
            grants=tuple(manifest.grants.values()),
            revoked=ledger.revoked(),
            policy_fingerprint="",
            table=None,
            measured=Measured(),
            mesh_min_cohort=self.vocabulary().floors.min_cohort,
            manifest_fingerprint=manifest.fingerprint,
            epsilon_spent=ledger.epsilon_spent(
                request.consumer, request.purpose, request.product
            ),
        )
        if product is None:
            return facts
        table, measured = self.database().built(
            product.relation, product.name.partition(".")[2], product.version
        )
        return replace(
            facts,
            policy_fingerprint=policy_fingerprint(product),
            contract_signed=is_contract_signed(product, node, self.folder),
            table=table,
            measured=with_drift(measured, product, ledger),
            filter_columns=_filter_columns(product),
        )

    def refreshed(self, facts: Facts, ledger: Ledger) -> Facts:
        """Return the facts as the domain's files say now, for the rows already open.

        A release is decided on today's contract and grants and on the table that was
        pinned at the opening.
        """
        standing = self._watch.standing(
            facts.request, lambda: self._standing(facts.request)
        )
        with ledger.reading():  # both figures from one state of it
            floor, revoked = ledger.clock_floor(), ledger.revoked()
        return replace(
            facts,
            now=datetime.now(UTC),
            clock_floor=floor,
            revoked=revoked,
            node=standing.node,
            product=standing.product,
            grants=standing.grants,
            contract_signed=standing.contract_signed,
            policy_fingerprint=standing.policy_fingerprint,
            manifest_fingerprint=standing.manifest_fingerprint,
            mesh_min_cohort=standing.mesh_min_cohort,
        )

    def _standing(self, request: Request) -> Standing:
        manifest, node = self.manifest(), self.node()
        product = _product(manifest, request)
        return Standing(
            node=node,
            product=product,
            grants=tuple(manifest.grants.values()),
            contract_signed=product is not None
            and is_contract_signed(product, node, self.folder),
            policy_fingerprint=policy_fingerprint(product) if product else "",
            manifest_fingerprint=manifest.fingerprint,
            mesh_min_cohort=self.vocabulary().floors.min_cohort,
        )


def _product(manifest: Manifest, request: Request) -> Product | None:
    names: Sequence[str] = (f"{request.product}.v{request.version}", request.product)
    for name in names:
        problem = manifest.problems.get(name)
        if isinstance(problem, MeshError):
            raise problem
        found = manifest.products.get(name)
        if found is not None and found.version == request.version:
            return found
    return None


def _filter_columns(product: Product) -> tuple[str, ...] | None:
    if product.contract.row_filter is None:
        return ()
    try:
        return columns_of(
            parse_filter(product.contract.row_filter), tuple(product.columns)
        )
    except ContractError:
        return None
