"""The runs of a mesh on this machine: which there are, how they stand, one at work.

`runs/<run>/` holds `state.json` and, until the run ends, the journal that it can be
resumed from. A lock that the kernel takes back tells a run at work from one whose
process was killed.
"""

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

from pydantic import TypeAdapter, ValidationError

from fl_plugin.coordinator.closing import goes_on
from fl_plugin.coordinator.journal import Journal
from fl_plugin.errors import (
    MeshError,
    RegistryError,
    StorageError,
    UsageError,
)
from fl_plugin.files import PRIVATE, whole
from fl_plugin.mesh.rounds import ROUNDS, Round, RoundLog, read_rounds

FOLDER = "runs"
JOURNAL, _STATE, _LOCK = "journal", "state.json", "lock"

_ENDED, _HERE = "Its process ended.", "this machine"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
Standing = Literal["running", "interrupted", "failed", "done", "stopped"]


@dataclass(frozen=True, kw_only=True)
class RunState:
    """How a run stands.

    Args:
        run: Its id.
        study: What it trains.
        engine: How the domains' parties run.
        actor: Who started it.
        software: The version of this program.
        manifest: Fingerprint of the catalog it was planned on.
        standing: "interrupted" can be resumed; "failed" and "stopped" cannot.
        started: When, in UTC.
        changed: When this was written.
        exchanges: How many are in its journal.
        problem: What ended it, or interrupted it; of one that was stopped, which
            domains were not told.
        fault: Whose fault that was: domains, "this machine", "whoever stopped it";
            empty where it was nobody's, or nobody knows.
        version: Of the model, once it is registered.
    """

    run: str
    study: str
    engine: str
    actor: str
    software: str
    manifest: str
    standing: Standing = "running"
    started: str = ""
    changed: str = ""
    exchanges: int = 0
    problem: str = ""
    fault: str = ""
    version: int | None = None


_STATES = TypeAdapter(RunState)


@dataclass
class AtWork:
    """A run that this process carries out.

    Args:
        state: As it began.
        journal: What it has asked and heard.
        rounds: An account of its rounds.
        version: Of the model, to be set once it is registered.
    """

    state: RunState
    journal: Journal
    rounds: RoundLog
    version: int | None = None


@contextmanager
def at_work(root: Path, state: RunState) -> Iterator[AtWork]:
    """Hold a run, new or interrupted, and write down how it ends.

    Args:
        root: The mesh's folder.
        state: The run.

    Raises:
        UsageError: Another process is at it.
        StorageError: Its folder cannot be written.
    """
    folder = root / FOLDER / state.run
    began = state.started or _now()
    state = replace(state, standing="running", started=began, problem="", fault="")
    with held(root, state.run):
        write_state(root, state)  # before there is anything to resume from
        with _written_down(root, state, folder / JOURNAL) as work:
            yield work


@contextmanager
def _written_down(root: Path, state: RunState, path: Path) -> Iterator[AtWork]:
    with Journal(path) as journal:
        work = AtWork(state, journal, RoundLog(path.with_name(ROUNDS)))
        try:
            yield work
        except BaseException as error:
            _tell_how_to_go_on(state, error)
            # First, so that no journal is left of a run that nobody resumes.
            if not goes_on(error):
                forget_journal(root, state.run)
            with suppress(StorageError):  # what ended the run is the one to tell
                write_state(root, replace(_ended(state, error), exchanges=journal.kept))
            raise
        forget_journal(root, state.run)
        done = replace(state, standing="done", version=work.version)
        write_state(root, replace(done, exchanges=journal.kept))


def read_state(root: Path, run: str) -> RunState:
    """Return how a run stands.

    Raises:
        UsageError: There is no such run.
        StorageError: What is known of it cannot be read.
    """
    file = root / FOLDER / run / _STATE
    if not _NAME.fullmatch(run) or not file.is_file():
        raise UsageError(
            "There is no run of that name on this machine.",
            remedy="See which there are: fl runs list",
        )
    try:
        state = _STATES.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        raise StorageError(
            f"What is known of the run {run} cannot be read.",
            remedy=f"Remove {FOLDER}/{run} and start the run again.",
        ) from None
    if state.standing == "running" and not _is_held(file.parent):
        return replace(state, standing="interrupted", problem=_ENDED, fault=_HERE)
    return state


def read_states(root: Path) -> tuple[RunState, ...]:
    """Return all runs, the newest first; what cannot be read is left out."""
    found = []
    for folder in sorted((root / FOLDER).glob("*/"), reverse=True):
        with suppress(MeshError):
            found.append(read_state(root, folder.name))
    return tuple(found)


def rounds_of(root: Path, run: str) -> tuple[Round, ...]:
    """Return a run's rounds so far, also of one at work in another process.

    Raises:
        UsageError: There is no such run.
        StorageError: What is known of it cannot be read.
    """
    read_state(root, run)
    return read_rounds(root / FOLDER / run / ROUNDS)


def write_state(root: Path, state: RunState) -> None:
    """Write down how a run stands, whole or not at all.

    Raises:
        StorageError: The disk refused.
    """
    folder = root / FOLDER / state.run
    told = json.dumps(asdict(replace(state, changed=_now())), indent=2, sort_keys=True)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole(folder / _STATE, mode=PRIVATE) as file:
            file.write(told.encode() + b"\n")
    except OSError as error:
        raise _cannot_write(state.run, error) from None


def forget_journal(root: Path, run: str) -> None:
    """Remove what a run could be resumed from."""
    with suppress(OSError):
        (root / FOLDER / run / JOURNAL).unlink(missing_ok=True)


def _tell_how_to_go_on(state: RunState, error: BaseException) -> None:
    if isinstance(error, MeshError) and error.passes:
        then = f"To go on with this run: fl runs resume {state.run}"
        error.remedy = f"{error.remedy.rstrip('.')}. {then}"


def standing_after(error: BaseException) -> Standing:
    """Return how a run stands that an error has ended."""
    return "interrupted" if goes_on(error) else "failed"


def _ended(state: RunState, error: BaseException) -> RunState:
    standing = standing_after(error)
    problem = error.problem if isinstance(error, MeshError) else "It was stopped."
    return replace(state, standing=standing, problem=problem, fault=_fault(error))


def _fault(error: BaseException) -> str:
    if isinstance(error, MeshError) and error.domains:
        return ", ".join(error.domains)
    if isinstance(error, (StorageError, RegistryError)):
        return _HERE
    return "" if isinstance(error, Exception) else "whoever stopped it"


@contextmanager
def held(root: Path, run: str) -> Iterator[None]:
    """Keep other processes from a run.

    Raises:
        UsageError: Another one is at it.
        StorageError: Its folder cannot be written.
    """
    folder = root / FOLDER / run
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("ab")
    except OSError as error:
        raise _cannot_write(run, error) from None
    with lock:
        if not _locked(lock):
            raise UsageError(
                f"Another process is carrying out the run {run}.",
                remedy=f"Wait for it, or look at it: fl runs show {run}",
            )
        yield


def _is_held(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("ab") as lock:
            return not _locked(lock)
    except OSError:
        return False


def _locked(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _cannot_write(run: str, error: OSError) -> StorageError:
    return StorageError(
        f"The folder {FOLDER}/{run} cannot be written ({error.strerror}).",
        remedy="Free space or fix its permissions, then run the command again.",
    )
