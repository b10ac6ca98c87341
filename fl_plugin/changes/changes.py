"""`mesh.changes`: look for changes, read what happened, tell whoever wants to know."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from fl_plugin.changes.atom import FEED, About, feed
from fl_plugin.changes.comparison import compare
from fl_plugin.changes.delivery import Delivered
from fl_plugin.changes.event import Event
from fl_plugin.changes.files import write_whole
from fl_plugin.changes.looking import MeshFacts, domain_folders, look, read_mesh
from fl_plugin.changes.outbox import FOLDER, Compared, Look, Outbox
from fl_plugin.changes.published import Published
from fl_plugin.changes.sending import Waiting, send, send_dead, waiting
from fl_plugin.changes.since import since
from fl_plugin.errors import BuildError, MeshError, UsageError
from fl_plugin.manifest.reader import read_manifest


@dataclass(frozen=True, kw_only=True)
class News:
    """Events, the oldest first, and what could not be looked at.

    Args:
        problems: By domain, product, grant or study: nothing is known of these today,
            and they are as they were.
        missed: By domain: how many events this reader has not read and nobody has kept.
        ends: By domain: the number of the last event there was.
    """

    events: tuple[Event, ...] = ()
    problems: Mapping[str, MeshError] = field(default_factory=dict)
    missed: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Changes:
    """The changes of the mesh in `root`.

    Args:
        root: The mesh's folder.
        clock: What time it is.
    """

    root: Path
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def look(self, domain: str | None = None, *, record: bool = True) -> News:
        """Compare what is published with the last look and write down what is new.

        Looking again without a change finds nothing. The first look finds all there is.

        Args:
            domain: One domain; None for all.
            record: False writes nothing: the next look finds the same.

        Raises:
            UsageError: There is no such domain.
            ContractError: mesh_policy.yml is missing or not valid.
        """
        facts = read_mesh(self.root)
        found: list[Event] = []
        problems = dict(facts.problems)
        for name, folder in self._folders(domain).items():
            outbox, now = Outbox(folder / FOLDER, name), self.clock()
            told: dict[str, MeshError] = {}
            step = _look(folder, facts, now, told)
            try:
                new = outbox.record(step, now) if record else outbox.pending(step, now)
            except MeshError as error:
                problems[name] = error
            except ValidationError:
                problems[name] = _no_name(name)
            else:
                found += new
                problems |= told
        return News(events=_in_order(found), problems=problems)

    def events(
        self,
        after: str | None = None,
        *,
        domain: str | None = None,
        consumer: str | None = None,
    ) -> News:
        """Return what the outboxes hold.

        Args:
            after: A date, a moment, `7d`, `<domain>:<number>` or an event's id; None
                for all that is kept.
            domain: One domain; None for all.
            consumer: Only what concerns this consumer, or whoever looks.

        Raises:
            UsageError: There is no such domain, or `after` says nothing.
        """
        boxes, problems = self._read(domain)
        wanted = since(after, boxes, self.clock()) if after else None
        events = (e for box in boxes.values() for e in box if not wanted or wanted(e))
        return News(events=_for(consumer, events), problems=problems)

    def unread(
        self, reader: str, *, domain: str | None = None, consumer: str | None = None
    ) -> News:
        """Return what a reader has not read yet; it stays unread until `mark_read`.

        Raises:
            UsageError: There is no such domain.
        """
        boxes, problems = self._read(domain)
        found: list[Event] = []
        missed: dict[str, int] = {}
        for name, events in boxes.items():
            place = self._outbox(name).read_to(reader_name(reader))
            # A place beyond the end belongs to an outbox that was moved away.
            place = place if events and place <= events[-1].sequence else 0
            found += (e for e in events if e.sequence > place)
            lost = events[0].sequence - place - 1 if events and place else 0
            missed |= {name: lost} if lost > 0 else {}
        return News(
            events=_for(consumer, found),
            problems=problems,
            missed=missed,
            ends={n: events[-1].sequence for n, events in boxes.items() if events},
        )

    def mark_read(self, reader: str, news: News) -> None:
        """Remember that a reader has read what `unread` returned.

        Raises:
            StorageError: It cannot be written.
        """
        name = reader_name(reader)
        for domain, last in news.ends.items():
            outbox = self._outbox(domain)
            if outbox.read_to(name) != last:
                outbox.mark(name, last)

    def write_feed(self, folder: Path | None = None) -> Path:
        """Write the newest events as an Atom feed and return where.

        Args:
            folder: Of the catalog's site; None for target/catalog.

        Raises:
            BuildError: The mesh's manifest cannot be read.
            StorageError: The feed cannot be written.
        """
        manifest = read_manifest(self.root / "target" / "manifest.json")
        about = About(project=manifest.project, updated=manifest.generated_at)
        path = (folder or self.root / "target" / "catalog") / FEED
        write_whole(path, feed(self.events().events, about))
        path.chmod(0o644)  # a web server's account reads it
        return path

    def waiting(
        self, domain: str | None = None, *, ahead: bool = False
    ) -> tuple[Waiting, ...]:
        """Return what each subscriber would be sent; nothing is.

        Args:
            domain: One domain; None for all.
            ahead: Also what the next look would find.

        Raises:
            MeshError: There is no such domain, or a notifications.yml is not valid.
        """
        new = self.look(domain, record=False).events if ahead else ()
        folders = self._folders(domain).values()
        return tuple(w for folder in folders for w in waiting(folder, new))

    def send(
        self, domain: str | None = None, *, dead: bool = False
    ) -> tuple[tuple[Delivered, ...], Mapping[str, MeshError]]:
        """Send what is waiting to the subscribers.

        One domain's trouble is not another's.

        Args:
            domain: One domain; None for all.
            dead: Send what was given up instead.

        Returns:
            What came of it, and by domain what was wrong with its files.

        Raises:
            UsageError: There is no such domain.
        """
        found: list[Delivered] = []
        problems: dict[str, MeshError] = {}
        for name, folder in self._folders(domain).items():
            try:
                found += send_dead(folder) if dead else send(folder)
            except MeshError as error:
                problems[name] = error
        return tuple(found), problems

    def _read(
        self, domain: str | None
    ) -> tuple[dict[str, tuple[Event, ...]], dict[str, MeshError]]:
        found: dict[str, tuple[Event, ...]] = {}
        problems: dict[str, MeshError] = {}
        for name in self._folders(domain):
            try:
                found[name] = self._outbox(name).events()
            except MeshError as error:
                problems[name] = error
        return found, problems

    def _outbox(self, domain: str) -> Outbox:
        return Outbox(self.root / "domains" / domain / FOLDER, domain)

    def _folders(self, domain: str | None) -> dict[str, Path]:
        known = domain_folders(self.root)
        if domain is None:
            return known
        if domain not in known:
            raise UsageError(
                f"There is no domain {domain!r}.",
                remedy=f"Domains of this mesh: {', '.join(known)}.",
            )
        return {domain: known[domain]}


def reader_name(words: str) -> str:
    """Return a reader's name as a file may be called."""
    return re.sub(r"[^a-z0-9_-]", "_", words.casefold())[:64] or "unknown"


def _look(
    folder: Path, facts: MeshFacts, now: datetime, told: dict[str, MeshError]
) -> Look:
    def step(before: Published | None) -> Compared:
        today = look(folder, facts, before or Published(), now)
        told.update(today.problems)
        return today.published, compare(before, today.published)

    return step


def _no_name(domain: str) -> BuildError:
    """Return the error about a manifest that dbt would not have written."""
    return BuildError(
        f"{domain}: its manifest holds a name that is too long or no text.",
        remedy=f"Build the domain again: cd domains/{domain} && dbt build",
    )


def _for(consumer: str | None, events: Iterable[Event]) -> tuple[Event, ...]:
    mine = (e for e in events if consumer is None or e.concerns_consumer(consumer))
    return _in_order(mine)


def _in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda e: (e.at, e.domain, e.sequence)))
