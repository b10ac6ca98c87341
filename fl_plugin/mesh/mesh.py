"""The mesh as one object: find products, plan a study, train it, use its models."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from fl_plugin.coordinator.decisions import insist, with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.run import evaluate
from fl_plugin.coordinator.traffic import Listener, silent, tell_beginning
from fl_plugin.coordinator.vertical_scoring import Delivered, score_vertical
from fl_plugin.discovery import discover
from fl_plugin.engines.base import Engine
from fl_plugin.errors import UsageError
from fl_plugin.evaluation.metrics import Metrics
from fl_plugin.ledger.chain import Verification
from fl_plugin.ledger.record import AuditRecord, Head
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest, Product, Study
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.mesh.areas import Areas
from fl_plugin.mesh.auditing import (
    fingerprint_of,
    ledgers_of,
    show_ledgers,
    verify_ledgers,
)
from fl_plugin.mesh.fitted import plan_of_model
from fl_plugin.mesh.identity import actor, run_id
from fl_plugin.mesh.rounds import Round
from fl_plugin.mesh.run import Run
from fl_plugin.mesh.running import RunState, read_state, read_states, rounds_of
from fl_plugin.mesh.training import Training
from fl_plugin.mesh.vertical import insist_on_same, kept_parts
from fl_plugin.model.pipeline import model_of
from fl_plugin.model.predict import predict
from fl_plugin.plan.draft import draft, find_study
from fl_plugin.plan.types import Plan
from fl_plugin.plan.vertical import SCORES
from fl_plugin.registry.store import Entry, Listing, list_models, open_model
from fl_plugin.threads import one_thread
from fl_plugin.tracing.runs import of_run


@dataclass(frozen=True)
class Mesh(Areas):
    """A mesh's root folder: its catalog, its domains beside it, its registry.

    Args:
        root: The folder that holds dbt_project.yml, domains/ and mesh_policy.yml.
    """

    root: Path

    @classmethod
    def open(cls, root: str | Path = ".") -> "Mesh":
        """Return the mesh in a folder.

        Raises:
            UsageError: The folder holds no mesh.
        """
        folder = Path(root).resolve()
        if not (folder / "mesh_policy.yml").is_file():
            raise UsageError(
                "This folder holds no mesh: there is no mesh_policy.yml.",
                remedy="Change to the mesh's root folder, or name it with --project.",
            )
        return cls(folder)

    @property
    def manifest(self) -> Manifest:
        """The catalog: what the root project's manifest says of the mesh.

        Raises:
            BuildError: The catalog is not built.
        """
        return read_manifest(
            self.root / "target" / "manifest.json",
            load_vocabulary(self.root / "mesh_policy.yml"),
        )

    @property
    def products(self) -> Mapping[str, Product]:
        """Every valid product by name, the latest version of each."""
        found = self.manifest.products
        return {n: p for n, p in found.items() if n == p.name}

    @property
    def studies(self) -> Mapping[str, Study]:
        """Every valid study by name."""
        return self.manifest.studies

    @property
    def models(self) -> Listing:
        """Every registered model, and what cannot be read."""
        return list_models(self.root / "registry")

    def plan(
        self,
        study: str,
        *,
        uses: tuple[str, ...] | None = None,
        engine: str = "embedded",
    ) -> Plan:
        """Return a study's plan with every domain's decision; no row is opened.

        Args:
            study: Its name.
            uses: What is wanted; None for what training needs.
            engine: How to reach the domains.

        Raises:
            MeshError: The study is unknown or not valid, or a domain cannot decide.
        """
        manifest = self.manifest
        plan = draft(find_study(manifest, study), manifest, actor(), uses)
        with self._asked("plan", plan, engine, silent) as federation:
            return with_decisions(plan, federation)

    def train(
        self,
        study: str,
        *,
        engine: str = "embedded",
        listener: Listener = silent,
    ) -> Run:
        """Train a study with every domain that it names and register the model.

        Args:
            study: Its name.
            engine: How to run the domains' parties.
            listener: Told the kind and number of each round.

        Raises:
            PolicyError: A domain refuses; nothing was trained.
            MeshError: Anything else that went wrong; nothing is half-written.
        """
        return self._training(listener).begin(run_id(study), study, actor(), engine)

    @property
    def runs(self) -> tuple[RunState, ...]:
        """The runs of this machine, the newest first."""
        return read_states(self.root)

    def run_state(self, run: str) -> RunState:
        """Return how a run stands.

        Raises:
            UsageError: There is no such run.
        """
        return read_state(self.root, run)

    def run_rounds(self, run: str) -> tuple[Round, ...]:
        """Return the rounds of a run so far, also of one at work in another process.

        Raises:
            UsageError: There is no such run.
        """
        return rounds_of(self.root, run)

    def stop(self, run: str) -> RunState:
        """End an interrupted run; the domains that can be reached forget it.

        Its `problem` names the others.

        Raises:
            UsageError: There is no such run, or it is not interrupted.
        """
        return self._training(silent).stop(run)

    def resume(self, run: str, *, engine: str = "", listener: Listener = silent) -> Run:
        """Go on with an interrupted run, to the model that it would have made.

        Args:
            run: Its id; see `runs`.
            engine: Another than it began with; empty for the same.
            listener: Told the kind and number of each round.

        Raises:
            UsageError: There is no such run, or it cannot go on.
            MeshError: As of `train`.
        """
        return self._training(listener).resume(run, engine)

    def evaluate(
        self,
        study: str,
        *,
        version: int | None = None,
        engine: str = "embedded",
        listener: Listener = silent,
    ) -> Metrics:
        """Judge a registered model on its hold-out rows as they are today.

        Raises:
            PolicyError: A domain refuses.
            MeshError: Anything else that went wrong.
        """
        entry = open_model(self.root / "registry", study, version or "latest")
        manifest = self.manifest
        plan = draft(find_study(manifest, study), manifest, actor(), ("evaluate",))
        model = model_of(entry.estimator())
        plan = plan_of_model(plan, model)
        with self._asked("evaluate", plan, engine, listener) as federation:
            plan = with_decisions(plan, federation)
            insist(plan)
            return evaluate(plan, model.prepared, model.arrays, federation).holdout

    def predict(
        self, study: str, rows: pa.Table, *, version: int | None = None
    ) -> pa.Table:
        """Score rows with a registered model.

        Args:
            study: Whose model.
            rows: A table that has the model's features; other columns are kept.
            version: Which; None for the latest.

        Returns:
            The rows with the columns `score` and `predicted`.
        """
        entry = open_model(self.root / "registry", study, version or "latest")
        threshold = entry.run.confusion.threshold if entry.run.confusion else 0.5
        return predict(entry.estimator(), rows, threshold=threshold)

    def score(
        self,
        study: str,
        *,
        version: int | None = None,
        engine: str = "embedded",
        listener: Listener = silent,
    ) -> Delivered:
        """Have a vertical model's domains score the rows that they share today.

        Nothing comes back but where the predictions lie: in the label domain's own
        database, in the schema `predictions`.

        Raises:
            PolicyError: A domain refuses.
            RegistryError: There is no such model, or it is no vertical one.
            MeshError: Anything else that went wrong.
        """
        entry = open_model(self.root / "registry", study, version or "latest")
        kept = kept_parts(entry)
        manifest = self.manifest
        plan = draft(find_study(manifest, study), manifest, actor(), SCORES)
        insist_on_same(plan, entry)
        with self._asked("score", plan, engine, listener) as federation:
            plan = with_decisions(plan, federation)
            insist(plan)
            return score_vertical(plan, kept, federation)

    def model(self, study: str, version: int | None = None) -> Entry:
        """Return one registered model; the latest version unless one is named.

        Raises:
            RegistryError: There is none, or its files were altered.
        """
        return open_model(self.root / "registry", study, version or "latest")

    def audit(
        self,
        domain: str | None = None,
        *,
        last: int | None = None,
        **only: str | None,
    ) -> Mapping[str, tuple[AuditRecord, ...]]:
        """Return the newest records of each domain's ledger.

        Args:
            domain: One domain; None for all that have a ledger.
            last: How many at most, of each.
            only: `run`, `study` or `action` that they must have.

        Raises:
            UsageError: The domain does not exist.
        """
        return show_ledgers(ledgers_of(self.root, domain), last=last, **only)

    def verify(
        self, domain: str | None = None, *, heads: Sequence[Path] = ()
    ) -> Mapping[str, Verification]:
        """Check each domain's chain, also against heads that were kept elsewhere.

        Args:
            domain: One domain; None for all.
            heads: Files of `fl audit head`, beside those that the registry keeps.

        Raises:
            UsageError: The domain does not exist.
            LedgerError: A head is not signed by its domain.
        """
        signed: dict[str, list[Head]] = {}
        for head in map(self.signatures.read_head, heads):
            signed.setdefault(head.domain, []).append(head.head)
        return verify_ledgers(ledgers_of(self.root, domain), self.models, signed)

    def fingerprint(self, product: str) -> str:
        """Return the fingerprint of a product's policy as its domain built it last.

        Raises:
            UsageError: There is no such product.
            ContractError: Its contract is not valid.
        """
        ledgers_of(self.root, product.partition(".")[0])  # names the domains there are
        return fingerprint_of(self.root, product)

    def _training(self, listener: Listener) -> Training:
        return Training(self.root, self.manifest, self._parties, listener)

    @contextmanager
    def _asked(
        self, work: str, plan: Plan, engine: str, listener: Listener
    ) -> Iterator[Federation]:
        """Have the parties of a run that cannot be resumed."""
        run = run_id("plan" if work == "plan" else plan.study)
        tell_beginning(listener, run, plan.study, engine)
        facts = {"work": work, "study": plan.study, "engine": engine}
        with of_run(run, facts) as trace, self._parties(plan, engine) as transport:
            yield Federation(
                run,
                trace.over(transport),
                trace.listening(listener),
                rounds=plan.rounds,
            )

    @contextmanager
    def _parties(self, plan: Plan, engine: str) -> Iterator[Engine]:
        engines = discover("fl_plugin.engines", Engine, "fl_plugin.engines")
        if engine not in engines:
            raise UsageError(
                f"There is no engine {engine}.",
                remedy=f"Choose one of: {', '.join(sorted(engines))}.",
            )
        folders = [self.root / "domains" / p.domain for p in plan.parties]
        with one_thread(), engines[engine](folders, plan.consumer) as transport:
            yield transport
