"""An account of a run's rounds: kind, seconds, bytes, who was absent; never a value.

One line of JSON for each round in `runs/<run>/rounds.jsonl`, written as it ends, so
that another process can look at a run at work. A round that was abandoned and asked
again has a line more where others were absent then; the last one counts.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from fl_plugin.coordinator.traffic import Exchange
from fl_plugin.files import PRIVATE

ROUNDS = "rounds.jsonl"


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round of a run.

    Args:
        round: Its number.
        kind: Of work that was asked for.
        seconds: Until the last answer, or the deadline.
        down: Bytes to all parties.
        up: Bytes from them.
        parties: How many were asked.
        absent: Who did not answer before the deadline.
    """

    round: int
    kind: str
    seconds: float
    down: int
    up: int
    parties: int
    absent: tuple[str, ...] = ()


_LINES = TypeAdapter(Round)


class RoundLog:
    """Where a run at work writes its rounds down.

    Args:
        path: Of the file; what is in it already stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = {found.round: found for found in read_rounds(path)}
        # What a kill has cut off stays a line by itself.
        self._begin = b"\n" if path.exists() else b""

    @property
    def known(self) -> frozenset[int]:
        """The numbers of the rounds that are written down."""
        return frozenset(self._known)

    def note(self, sent: Sequence[Exchange]) -> None:
        """Write a round down, unless it is there: a resumed run reads it again.

        A disk that refuses ends no run: the account is for people.
        """
        if not sent:
            return
        found = _round_of(sent)
        before = self._known.get(found.round)
        if before is not None and before.absent == found.absent:
            return
        self._known[found.round] = found
        line = json.dumps(asdict(found), sort_keys=True) + "\n"
        with suppress(OSError), _appending(self._path) as file:
            file.write(self._begin + line.encode())
            self._begin = b""


def read_rounds(path: Path) -> tuple[Round, ...]:
    """Return the rounds that are written down, in order; a line cut short is none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return ()
    found: dict[int, Round] = {}
    for line in lines:
        with suppress(ValidationError):
            one = _LINES.validate_json(line)
            found[one.round] = one
    return tuple(found[number] for number in sorted(found))


def _round_of(sent: Sequence[Exchange]) -> Round:
    first = sent[0]
    return Round(
        round=first.round,
        kind=first.kind,
        seconds=round(max(e.seconds for e in sent), 4),
        down=sum(e.bytes_down for e in sent),
        up=sum(e.bytes_up for e in sent),
        parties=len(sent),
        absent=tuple(sorted(e.party for e in sent if not e.answered)),
    )


def _appending(path: Path) -> BinaryIO:
    return os.fdopen(
        os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE), "ab"
    )
