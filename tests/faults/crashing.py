"""Runs in processes that are killed at a moment, and what must hold afterwards."""

import hashlib
import importlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fl_plugin import Mesh
from fl_plugin.engines.node import Node
from fl_plugin.files import whole
from fl_plugin.ledger.chain import verify
from fl_plugin.ledger.store import Ledger
from fl_plugin.party.party import Party
from fl_plugin.privacy.made import Made, Pieces, _packed, _pieces
from tests.faults.books import on_record_twice
from tests.faults.forked import SERVER, apart
from tests.faults.nothing_out import nothing_out
from tests.made_mesh import STUDY

GRANT = "g_made"

COORDINATOR = "fl_plugin.coordinator"
PARTY = "fl_plugin.party"
LEDGER = "fl_plugin.ledger"
# What a run does, in words, and the function that does it; a run may be killed before
# it and after it.
MOMENTS = {
    "send messages": "fl_plugin.engines.embedded:Embedded.exchange",
    "keep an exchange": f"{COORDINATOR}.journal:Journal.keep",
    "put an exchange on the disk": f"{COORDINATOR}.journal:os.fdatasync",
    "close the parties": f"{COORDINATOR}.closing:close",
    "write how the run stands": "fl_plugin.mesh.running:write_state",
    "register the model": "fl_plugin.registry.reservation:Reservation.publish",
    "write a file of the model": "fl_plugin.registry.reservation:_write",
    "flush the model's folder": "fl_plugin.registry.reservation:_flush",
    "forget the journal": "fl_plugin.mesh.running:forget_journal",
    "take a message": f"{PARTY}.party:Party.handle",
    "decide": f"{PARTY}.opening:decide",
    "read the rows": f"{PARTY}.opening:read_rows",
    "put the opening on record": f"{PARTY}.account:Booked.opening",
    "agree on categories": f"{PARTY}.work:agree",
    "make keys, or take shares": f"{PARTY}.work:mask_stage",
    "decide again": f"{PARTY}.account:Booked.look_again",
    "mask an answer": f"{PARTY}.answer:Answer.arrays",
    "put an answer on record": f"{PARTY}.account:Booked.append",
    "chain a record": f"{LEDGER}.transaction:Transaction.append",
    "use a grant": f"{LEDGER}.transaction:Transaction.use_grant",
    "remember a cohort": f"{LEDGER}.transaction:Transaction.remember_cohort",
    "keep a run": f"{LEDGER}.transaction:Transaction.open_run",
    "keep a message": f"{LEDGER}.transaction:Transaction.keep_message",
    "commit": f"{LEDGER}.transaction:Transaction.finish",
    "forget a run": f"{LEDGER}.transaction:Transaction.close_run",
    "end a session": f"{PARTY}.session:Session.end",
}
AGAIN = {
    "take a run up": f"{PARTY}.runs:Runs._taken_up",
    "open a run again": f"{PARTY}.runs:reopen_session",
    "do a message's work again": f"{PARTY}.account:OnRecord.append",
    "read an exchange again": f"{COORDINATOR}.journal:Journal.next",
}
SPENDS = {"spend a budget": f"{LEDGER}.transaction:Transaction.spend"}


@dataclass(frozen=True, kw_only=True)
class Kill:
    """When a run is killed.

    Args:
        target: The function, `module:name`; empty to go by time.
        after: After it rather than before it.
        time: At which call of it, from 1.
        seconds: After so many, where there is no function.
    """

    target: str = ""
    after: bool = False
    time: int = 1
    seconds: float = 0.0


def trained(root: Path, *kills: Kill | None) -> int:
    """Train, or go on with the interrupted run; return the process's exit code.

    Args:
        root: The mesh's folder.
        kills: The first that comes about ends the process.
    """
    code, _ = apart(_train, root, kills)
    return code


@contextmanager
def node(folder: Path, path: Path) -> Iterator[Callable[[], None]]:
    """Run a domain's node; give what kills it and starts it again."""
    running: list[Any] = []

    def start() -> None:
        for process in running:
            process.kill()
            process.join()
        again = SERVER.Process(target=_serve, args=(folder, path))
        again.start()
        running[:] = [again]

    start()
    try:
        yield start
    finally:
        for process in running:
            process.kill()
            process.join()


def counted(root: Path) -> dict[str, int]:
    """Train, and return how often each function of a run is called."""
    code, found = apart(_count, root)
    assert code == 0
    return dict(found)


def outcome(root: Path) -> dict[str, Any]:
    """Return what is the same however often a run was killed.

    Checked on the way: nothing is left over, each event is on record once.
    """
    mesh = Mesh.open(root)
    (entry,) = mesh.models.entries
    states = [s for s in mesh.runs if s.run == entry.run.run]
    assert [s.standing for s in states] == ["done"]
    assert not list((root / "runs").glob("*/journal"))
    assert nothing_out(root)
    assert not list((root / "registry").rglob("*.draft"))
    spent = {}
    for domain in sorted(p.name for p in (root / "domains").iterdir()):
        spent[domain] = _checked(root / "domains" / domain, entry.run.run)
    metrics = {n: m.value for n, m in entry.run.metrics.items()}
    return {
        "model": entry.run.model_digest,
        "metrics": json.dumps(metrics, sort_keys=True),
        "spent": spent,
    }


def _checked(folder: Path, run: str) -> float:
    """Return the epsilon that a domain has spent."""
    assert not [p for p in (folder / "spool").glob("*") if p.is_dir()]
    assert not list((folder / "ledger" / "messages").glob("*"))
    with Ledger.open(folder / "ledger" / "ledger.sqlite") as ledger:
        assert verify(ledger).ok
        assert [r.run for r in ledger.open_runs() if r.run == run] == []
        records = ledger.show(run=run)
        assert on_record_twice(records) == []
        actions = [r.action for r in records]
        assert actions.count("open") == actions.count("close") == 1
        assert ledger.grant_uses(GRANT) == 1
        return sum(r.epsilon or 0.0 for r in ledger.show())


def _train(root: Path, kills: tuple[Kill | None, ...]) -> None:
    with ExitStack() as stack:
        stack.enter_context(fixed_secrets())
        stack.enter_context(_fixed_libraries(root.parent / "drawn"))
        # Half of a small vertical run, and nothing of what is tested.
        stack.enter_context(patch("fl_plugin.mesh.vertical.report_of", lambda _: ""))
        for kill in filter(None, kills):
            if kill.target:
                stack.enter_context(_wrapped(kill.target, _killing(kill)))
                continue
            timer = threading.Timer(kill.seconds, _die)
            timer.daemon = True
            timer.start()
        _go_on(root)


def _serve(folder: Path, path: Path) -> None:
    Node(folder, path).serve()


def _go_on(root: Path) -> None:
    mesh = Mesh.open(root)
    left = [s.run for s in mesh.runs if s.standing == "interrupted"]
    if left:
        mesh.resume(left[0])
    elif not mesh.models.entries:
        mesh.train(STUDY)


def _count(root: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    every = {**MOMENTS, **AGAIN, **SPENDS}
    with ExitStack() as stack:
        stack.enter_context(fixed_secrets())
        stack.enter_context(_fixed_libraries(root.parent / "drawn"))
        for name, target in every.items():
            stack.enter_context(_wrapped(target, _counting(name, found)))
        _go_on(root)
    return found


def _counting(name: str, found: dict[str, int]) -> Callable[..., Any]:
    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **words: Any) -> Any:
            found[name] = found.get(name, 0) + 1
            return function(*args, **words)

        return counting

    return around


def _killing(kill: Kill) -> Callable[..., Any]:
    calls = 0

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def killing(*args: Any, **words: Any) -> Any:
            nonlocal calls
            calls += 1
            now = calls == kill.time
            if now and not kill.after:
                _die()
            found = function(*args, **words)
            if now:
                _die()
            return found

        return killing

    return around


def _wrapped(target: str, around: Callable[..., Any]) -> Any:
    module, _, name = target.partition(":")
    owner = importlib.import_module(module)
    *path, last = name.split(".")
    for step in path:
        owner = getattr(owner, step)
    return patch.object(owner, last, around(getattr(owner, last)))


@contextmanager
def fixed_secrets() -> Iterator[None]:
    """Give each domain the same secret in every run, so that noise is the same."""
    here = threading.local()
    plain = Party._open

    def opening(self: Party, *args: Any) -> bytes:
        here.name = self.name
        return plain(self, *args)

    def secret() -> bytes:
        return hashlib.sha256(f"secret of {here.name}".encode()).digest()

    with (
        patch.object(Party, "_open", opening),
        patch("fl_plugin.party.opening.fresh_secret", secret),
        # Its plots are half of a run's time, and drawn before a file is written.
        patch("fl_plugin.mesh.training.report_of", lambda _: "<p>A report.</p>"),
    ):
        yield


@contextmanager
def _fixed_libraries(folder: Path) -> Iterator[None]:
    """Have libraries draw the same in every run: what they made first is kept here.

    What a party recalls of its own journal is not asked for here.
    """
    here = threading.local()
    answer, once = Party._answer, Made.once

    def answering(self: Party, *args: Any) -> bytes:
        here.name = self.name
        return answer(self, *args)

    def fixed(self: Made, make: Callable[[], Pieces]) -> Pieces:
        number = self.__dict__["number"] = self.__dict__.get("number", 0) + 1
        file = folder / here.name / str(number)
        recalls = self._known is not None
        if recalls or not file.exists():
            found = once(self, make)
            if not recalls:
                file.parent.mkdir(parents=True, exist_ok=True)
                with whole(file) as out:
                    out.write(_packed(found))
            return found
        return once(self, lambda: _pieces(file.read_bytes()))

    with patch.object(Party, "_answer", answering), patch.object(Made, "once", fixed):
        yield


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)  # the signal comes at once
