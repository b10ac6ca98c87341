"""A domain's outbox: numbered events as JSON lines, and what was published last.

`events.jsonl` only grows at its end and loses its oldest lines when there are too many;
each write replaces the file whole, so it is never half a line. What was seen is written
after the events: a process that dies in between finds the same events again, by their
ids, and writes none twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from fl_plugin.changes.event import Change, Event, event_id, event_of
from fl_plugin.changes.files import locked, read_bytes, unusable, write_whole
from fl_plugin.changes.published import Published, Seen
from fl_plugin.manifest.contract import ContractBlock

FOLDER = "outbox"
KEPT = 5000  # events of one domain
_IGNORED = b"# Made by looking at the domain; it never goes into git.\n*\n!.gitignore\n"
Block = TypeVar("Block", bound=ContractBlock)
Compared = tuple[Published, tuple[Change, ...]]
Look = Callable[[Published | None], Compared]


class Bookmark(ContractBlock):
    """How far somebody has read."""

    sequence: int = 0


@dataclass(frozen=True)
class Outbox:
    """The outbox below a domain's folder.

    Args:
        folder: `domains/<domain>/outbox`.
        domain: Its name.
        kept: How many events stay.
    """

    folder: Path
    domain: str
    kept: int = KEPT

    def events(self) -> tuple[Event, ...]:
        """Return what it holds, in order; nothing where nobody has looked yet.

        Raises:
            StorageError: The file was altered.
        """
        path = self.folder / "events.jsonl"
        lines = (read_bytes(path) or b"").splitlines()
        found = tuple(read_block(Event, line, path) for line in lines)
        numbers = [event.sequence for event in found]
        if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise unusable(path, "was altered: its events are not in order")
        return found

    def seen(self) -> Seen | None:
        """Return the last look; None where there was none.

        Raises:
            StorageError: The file was altered.
        """
        path = self.folder / "seen.json"
        content = read_bytes(path)
        return None if content is None else read_block(Seen, content, path)

    def record(self, look: Look, at: datetime) -> tuple[Event, ...]:
        """Look and write down what is new, one process at a time.

        Args:
            look: Told what was published last; returns what is today and the changes.
            at: When.

        Returns:
            The events that this call has written.

        Raises:
            MeshError: The look failed, or a file cannot be used; nothing has changed.
        """
        self._begin()
        with locked(self.folder / ".lock"):
            seen = self.seen()
            today, changes = look(seen.published if seen else None)
            events = self.events()
            new = self._numbered(changes, seen, events, at)
            if new:
                self._write((*events, *new)[-self.kept :])
            last = max([e.sequence for e in (*events, *new)[-1:]], default=0)
            # A number is never given twice, also where the events were moved away.
            last = max(last, seen.sequence if seen else 0)
            after = Seen(sequence=last, published=today)
            if after != seen:
                _write(self.folder / "seen.json", after)
        return new

    def pending(self, look: Look, at: datetime) -> tuple[Event, ...]:
        """Return what `record` would write, and write nothing."""
        seen = self.seen()
        _, changes = look(seen.published if seen else None)
        return self._numbered(changes, seen, self.events(), at)

    def read_to(self, reader: str) -> int:
        """Return the number of the last event that a reader has read."""
        path = self.folder / "readers" / f"{reader}.json"
        content = read_bytes(path)
        return read_block(Bookmark, content, path).sequence if content else 0

    def mark(self, reader: str, sequence: int) -> None:
        """Remember how far a reader has read.

        Raises:
            StorageError: It cannot be written.
        """
        self._begin()
        path = self.folder / "readers" / f"{reader}.json"
        _write(path, Bookmark(sequence=sequence))

    def _begin(self) -> None:
        ignored = self.folder / ".gitignore"
        if not ignored.exists():
            write_whole(ignored, _IGNORED)
            ignored.chmod(0o644)

    def _numbered(
        self,
        changes: Iterable[Change],
        seen: Seen | None,
        events: tuple[Event, ...],
        at: datetime,
    ) -> tuple[Event, ...]:
        after = seen.sequence if seen else 0
        known = {event.id for event in events if event.sequence > after}
        last = max([e.sequence for e in events[-1:]] + [after])
        new = [c for c in changes if event_id(c, self.domain, after) not in known]
        return tuple(
            event_of(change, self.domain, (after, number, at))
            for number, change in enumerate(new, start=last + 1)
        )

    def _write(self, events: Iterable[Event]) -> None:
        lines = (event.model_dump_json() for event in events)
        text = "".join(f"{line}\n" for line in lines)
        write_whole(self.folder / "events.jsonl", text.encode())


def _write(path: Path, block: ContractBlock) -> None:
    write_whole(path, block.model_dump_json().encode())


def read_block(model: type[Block], content: bytes, path: Path) -> Block:
    """Return what a file of an outbox holds.

    Raises:
        StorageError: It is not what was written there.
    """
    try:
        return model.model_validate_json(content)
    except (ValidationError, RecursionError):
        raise unusable(path, "was altered or is of another version") from None
