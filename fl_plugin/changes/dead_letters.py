"""Events that a subscriber would not take, kept until somebody sends them again."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from fl_plugin.changes.event import Event
from fl_plugin.changes.files import read_bytes, write_whole
from fl_plugin.changes.outbox import read_block
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.words import Name

KEPT = 1000


class DeadLetter(ContractBlock):
    """An event that was given up for one subscriber."""

    subscriber: Name
    at: datetime
    tries: Annotated[int, Field(ge=0)]
    reason: Annotated[str, StringConstraints(max_length=200)]
    event: Event


@dataclass(frozen=True)
class DeadLetters:
    """`dead.jsonl` in an outbox; only whoever holds the sender's lock writes it."""

    folder: Path

    def letters(self) -> tuple[DeadLetter, ...]:
        """Return all of them, the oldest first."""
        lines = (read_bytes(self._file) or b"").splitlines()
        return tuple(read_block(DeadLetter, line, self._file) for line in lines)

    def add(self, letter: DeadLetter) -> None:
        """Keep one more; the oldest goes when there are too many."""
        self._write([*self.letters(), letter][-KEPT:])

    def drop(self, letter: DeadLetter) -> None:
        """Keep one no longer."""
        self._write([kept for kept in self.letters() if kept != letter])

    def _write(self, letters: list[DeadLetter]) -> None:
        text = "".join(f"{letter.model_dump_json()}\n" for letter in letters)
        write_whole(self._file, text.encode())

    @property
    def _file(self) -> Path:
        return self.folder / "dead.jsonl"
