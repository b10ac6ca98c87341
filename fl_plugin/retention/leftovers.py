"""Files that were only needed for a while: drafts, spools, logs, old pages.

What is written aside has a name that nothing else here has: a dot, the file's name and
eight random letters. Only folders that the mesh itself writes are looked through; a
team's own files, and dbt's, are left alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from fl_plugin.policy.retention import Retention
from fl_plugin.retention.found import Expired, Kind
from fl_plugin.retention.places import children, files_below, is_own, last_touched

_ASIDE = re.compile(
    r"\..+[.-][a-z0-9_]{8}(\.aside)?"  # the name, then what mkstemp adds
    r"|\.v[1-9][0-9]{0,8}\.draft"
    r"|\.tombstone\.json\.new"
    r"|ledger\.sqlite\.new-[a-z0-9_]{8}(-wal|-shm|-journal)?"
)
_DECIDED_ASIDE = re.compile(r"\..+\.[a-z0-9_]{8}\.aside")
_NEW_DOMAIN = re.compile(r"\.[a-z0-9_]{1,64}-[a-z0-9_]{8}")
_OWN_FOLDERS = ("ledger", "outbox", "target")


@dataclass(frozen=True)
class Looking:
    """Looks through a mesh at one moment.

    Args:
        root: The mesh's folder, links resolved.
        now: What time it is.
        times: How long what is kept.
    """

    root: Path
    now: datetime
    times: Retention

    def of_mesh(self) -> Iterator[Expired]:
        """Yield what belongs to no domain."""
        times = self.times
        for name in ("registry", "target"):
            yield from self._aside(self.root / name)
        hours = timedelta(hours=times.intermediate_hours)
        for run in children(self.root / "runs"):
            # The folder of a run tells how it stands; it may still be resumed.
            stands = run.is_dir() and (run / "state.json").is_file()
            kept = timedelta(days=times.runs_days) if stands else hours
            yield from self._old(run, "intermediate", kept)
        for draft in children(self.root / "domains"):
            if _NEW_DOMAIN.fullmatch(draft.name) and draft.is_dir():
                yield from self._old(draft, "intermediate", hours)
        days = timedelta(days=times.published_days)
        yield from self._old(self.root / "target" / "catalog", "published", days)
        yield from self._logs(self.root / "logs")

    def of_domain(self, name: str) -> Iterator[Expired]:
        """Yield what is one domain's."""
        folder = self.root / "domains" / name
        for own in _OWN_FOLDERS:
            yield from self._aside(folder / own, name)
        hours = timedelta(hours=self.times.intermediate_hours)
        for path in (*children(folder), *files_below(folder / "models")):
            if _DECIDED_ASIDE.fullmatch(path.name):
                yield from self._old(path, "intermediate", hours, name)
        days = timedelta(days=self.times.published_days)
        quality = folder / "target" / "quality.json"
        yield from self._old(quality, "published", days, name)
        yield from self._logs(folder / "logs", name)

    def _logs(self, folder: Path, domain: str = "") -> Iterator[Expired]:
        if is_own(self.root, folder):
            days = timedelta(days=self.times.logs_days)
            for log in children(folder):
                yield from self._old(log, "log", days, domain)

    def _aside(self, folder: Path, domain: str = "") -> Iterator[Expired]:
        """Yield what was written aside and never renamed; not twice what is inside."""
        if not is_own(self.root, folder):
            return
        hours = timedelta(hours=self.times.intermediate_hours)
        inside: Path | None = None
        for path in files_below(folder):
            if inside is not None and path.is_relative_to(inside):
                continue
            if _ASIDE.fullmatch(path.name):
                inside = path
                yield from self._old(path, "intermediate", hours, domain)

    def _old(
        self, path: Path, kind: Kind, kept: timedelta, domain: str = ""
    ) -> Iterator[Expired]:
        if not is_own(self.root, path) or last_touched(path) + kept > self.now:
            return
        days = kept.days
        span = (
            f"{days} days" if days > 1 else f"{kept.total_seconds() / 3600:.0f} hours"
        )
        yield Expired(
            kind=kind,
            path=path.relative_to(self.root),
            why=f"Not touched for {span}.",
            domains=(domain,) if domain else (),
        )
