"""What is over goes: found, recorded in the domains' ledgers, then removed.

In this order, so that nothing vanishes unrecorded. A process that dies in between has
written a record too many at worst; the next one does the rest. The ledgers themselves
are never cut: they are the audit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from fl_plugin.errors import MeshError, UsageError
from fl_plugin.ledger.record import AuditEntry, Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.policy.retention import load_retention
from fl_plugin.registry.reservation import reserve
from fl_plugin.registry.run_record import AuditHead
from fl_plugin.registry.store import Entry, Listing, list_models
from fl_plugin.registry.tombstone import TOMBSTONE, Tombstone, write_tombstone
from fl_plugin.retention import outbox
from fl_plugin.retention.found import Expired
from fl_plugin.retention.leftovers import Looking
from fl_plugin.retention.models import Models, unreadable
from fl_plugin.retention.parts import Orphans, remove_parts
from fl_plugin.retention.places import children, is_own, remove


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What one sweep did.

    Args:
        dry_run: Whether it only looked.
        expired: What was removed, or would have been.
        problems: What could not be judged or removed and is still there, by place.
    """

    now: datetime
    dry_run: bool
    expired: tuple[Expired, ...]
    problems: dict[str, MeshError]


@dataclass(frozen=True)
class RetentionArea:
    """What the mesh in `root` keeps, and for how long.

    Args:
        root: The mesh's folder.
        actor: Who asks, for the ledgers.
    """

    root: Path
    actor: str = "unknown"

    def apply(
        self,
        domain: str | None = None,
        *,
        dry_run: bool = False,
        now: datetime | None = None,
    ) -> Sweep:
        """Remove what is over.

        Args:
            domain: Only what is one domain's, and models trained with it.
            dry_run: Look only.
            now: What time it is; the clock's unless given.

        Raises:
            UsageError: There is no such domain, or the time has no zone.
            ContractError: A retention.yml is not valid; nothing was removed.
        """
        at = now or datetime.now(UTC)
        if at.tzinfo is None:
            raise UsageError(
                "The time to judge by has no time zone.",
                remedy="Pass an aware datetime, such as datetime.now(UTC).",
            )
        broom = _Broom(self.root.resolve(), self.actor, at)
        return broom.sweep(broom.domains(domain), whole=domain is None, dry_run=dry_run)


@dataclass(frozen=True)
class _Broom:
    """One sweep of one mesh at one moment."""

    root: Path
    actor: str
    now: datetime

    def domains(self, only: str | None) -> tuple[str, ...]:
        nodes = sorted((self.root / "domains").glob("*/node.yml"))
        known = [n.parent.name for n in nodes if is_own(self.root, n.parent)]
        if only is None:
            return tuple(known)
        if only not in known:
            raise UsageError(
                f"There is no domain {only!r}.",
                remedy=f"Domains of this mesh: {', '.join(known) or 'none'}.",
            )
        return (only,)

    def sweep(self, domains: tuple[str, ...], *, whole: bool, dry_run: bool) -> Sweep:
        problems: dict[str, MeshError] = {}
        listing = self._listing()
        found = list(self._files(domains, whole=whole))
        found += self._orphans(domains, listing)
        found += self._outboxes(domains, problems)
        models = dict(self._models(listing, problems))
        chosen = [m for m in models if whole or set(domains) & set(m.domains)]
        if whole:
            problems |= unreadable(listing.problems)
        gone = [*found, *chosen]
        if not dry_run:
            gone = []
            for one in [*found, *chosen]:
                try:
                    self._remove(one, models.get(one))
                except MeshError as error:
                    problems[str(one.path)] = error
                else:
                    gone.append(one)
            if whole:
                self._finish(listing, problems)
        return Sweep(
            now=self.now, dry_run=dry_run, expired=tuple(gone), problems=problems
        )

    def _listing(self) -> Listing:
        registry = self.root / "registry"
        if not is_own(self.root, registry):
            return Listing(entries=(), problems={})
        return list_models(registry)

    def _files(self, domains: tuple[str, ...], *, whole: bool) -> Iterator[Expired]:
        if whole:
            yield from Looking(self.root, self.now, load_retention(self.root)).of_mesh()
        for name in domains:
            times = load_retention(self.root, name)
            yield from Looking(self.root, self.now, times).of_domain(name)

    def _orphans(self, domains: tuple[str, ...], listing: Listing) -> Iterator[Expired]:
        orphans = Orphans(root=self.root, now=self.now, listing=listing)
        for name in domains:
            hours = load_retention(self.root, name).intermediate_hours
            yield from orphans.of_domain(name, hours)

    def _outboxes(
        self, domains: tuple[str, ...], problems: dict[str, MeshError]
    ) -> Iterator[Expired]:
        for name in domains:
            days = load_retention(self.root, name).outbox_days
            for file in outbox.FILES:
                path = self.root / "domains" / name / "outbox" / file
                try:
                    count = outbox.old_lines(self.root, path, now=self.now, days=days)
                except MeshError as error:
                    problems[str(path.relative_to(self.root))] = error
                    continue
                if count:
                    yield Expired(
                        kind="outbox",
                        path=path.relative_to(self.root),
                        why=f"{count} entries are older than {days} days.",
                        domains=(name,),
                    )

    def _models(
        self, listing: Listing, problems: dict[str, MeshError]
    ) -> Iterator[tuple[Expired, Entry]]:
        judge = Models(self.root, self.now, load_retention(self.root))
        for entry in listing.entries:
            try:
                expired = judge.expired(entry)
            except MeshError as error:
                problems[str(entry.path.relative_to(self.root))] = error
                continue
            if expired is not None:
                yield expired, entry

    def _remove(self, one: Expired, entry: Entry | None) -> None:
        if entry is not None:
            self._bury(one, entry)
            return
        path = self.root / one.path
        if one.kind == "outbox":
            days = load_retention(self.root, one.domains[0]).outbox_days
            self._record(one)
            outbox.cut(self.root, path, now=self.now, days=days)
            return
        if not is_own(self.root, path):
            return  # another process was first
        self._record(one)
        remove(self.root, path)

    def _bury(self, one: Expired, entry: Entry) -> None:
        """Record, put up the tombstone, take away the files; each step can be last."""
        with reserve(self.root / "registry", entry.study, patience=1.0):
            recorded = self._record(one, entry)
            run = entry.run
            stone = Tombstone(
                study=entry.study,
                version=entry.version,
                run=run.run,
                created_at=run.created_at,
                removed_at=self.now.astimezone(UTC).isoformat(timespec="seconds"),
                reason=one.why,
                products=tuple(p.product for p in run.products),
                model_digest=run.model_digest,
                digests=dict(entry.digests),
                audit_heads=dict(run.audit_heads),
                recorded={
                    d: AuditHead(sequence=h.sequence, hash=h.hash)
                    for d, h in recorded.items()
                },
            )
            write_tombstone(entry.path, stone)
            self._empty(entry.path, stone)

    def _empty(self, folder: Path, stone: Tombstone) -> None:
        """Remove what stands beside a tombstone, and what domains keep of its model."""
        domains = [product.partition(".")[0] for product in stone.products]
        remove_parts(self.root, domains, stone.study, stone.run)
        for child in children(folder):
            if child.name != TOMBSTONE:
                remove(self.root, child)

    def _finish(self, listing: Listing, problems: dict[str, MeshError]) -> None:
        """Take away what a sweep that was ended in the middle has left."""
        for stone in listing.tombstones:
            folder = self.root / "registry" / stone.study / f"v{stone.version}"
            try:
                self._empty(folder, stone)
            except MeshError as error:
                problems[str(folder.relative_to(self.root))] = error

    def _record(self, one: Expired, entry: Entry | None = None) -> dict[str, Head]:
        """Write down what goes, in the ledger of each domain that is still there."""
        heads = {}
        for domain in one.domains:
            folder = self.root / "domains" / domain
            if (folder / "node.yml").is_file() and is_own(self.root, folder):
                with Ledger.open(folder / "ledger" / "ledger.sqlite") as ledger:
                    said = self._entry(one, entry, domain)
                    heads[domain] = ledger.append(said, now=self.now)
        return heads

    def _entry(self, one: Expired, entry: Entry | None, domain: str) -> AuditEntry:
        plain = AuditEntry(
            action="retention",
            decision="allowed",
            consumer="",
            actor=self.actor,
            purpose="",
            study=one.study,
            run=one.run,
            columns=(str(one.path),),
            rule=f"retention.{one.kind}",
        )
        if entry is None:
            return plain
        used = next(p for p in entry.run.products if p.domain == domain)
        return replace(
            plain,
            consumer=entry.run.consumer,
            purpose=entry.run.purpose,
            product=used.product,
            version=used.version,
            columns=(),
        )
