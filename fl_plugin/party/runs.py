"""The runs that a party is at work on, and those that it takes up after a crash."""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from fl_plugin.errors import MessageError, StorageError
from fl_plugin.ledger.journal import Kept, OpenRun
from fl_plugin.ledger.store import Ledger
from fl_plugin.messages import Ask, Message, decode
from fl_plugin.party.account import OnRecord
from fl_plugin.party.domain import Domain
from fl_plugin.party.opening import reopen_session
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.party.work import opened, work


class Runs:
    """The open sessions of one party.

    Args:
        domain: Whose.
    """

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._sessions: dict[str, Session] = {}

    def alive(self) -> Collection[str]:
        """Return the runs that are under way; what has ended is let go."""
        self._sessions = {r: s for r, s in self._sessions.items() if not s.ended}
        return self._sessions.keys()

    def get(self, run: str) -> Session | None:
        """Return a run that is under way."""
        return self._sessions[run] if run in self.alive() else None

    def begin(self, session: Session) -> None:
        """Take a run on; an earlier opening of it ends."""
        before = self.get(session.run)
        if before is not None:
            before.end()
        self._sessions[session.run] = session

    def found(self, run: str, caller: str, ledger: Ledger) -> Session | None:
        """Return an open run of the caller's, taken up again if this party has died.

        Raises:
            MeshError: It is somebody else's, or cannot be taken up again.
        """
        session = self.get(run)
        kept = ledger.open_run(run) if session is None else None
        owner = session or kept
        if owner is not None and owner.caller != caller:
            raise out_of_order()
        return session if kept is None else self._again(kept, ledger)

    @contextmanager
    def lasting(self, session: Session, ledger: Ledger) -> Iterator[None]:
        """Let a run that failed go on, as it may, but not after a crash.

        What the failed message has changed in the session is in no journal. Where a
        disk failed, the run is left as a crash would leave it: asked again, it is taken
        up from what the ledger keeps, to the same bytes.
        """
        try:
            yield
        except StorageError:
            session.end()
            raise
        except Exception:
            if session.lasts:
                session.lasts = False
                ledger.forget_run(session.run)
            raise

    def _again(self, run: OpenRun, ledger: Ledger) -> Session:
        """Take a run up again; one that never can be is forgotten."""
        try:
            session = self._taken_up(run, ledger)
        except StorageError:
            raise  # that may pass
        except Exception:
            ledger.forget_run(run.run)  # or its secret would stay for ever
            raise
        self._sessions[run.run] = session
        return session

    def _taken_up(self, run: OpenRun, ledger: Ledger) -> Session:
        """Do the work of a run's messages again; what left, left before."""
        messages = ledger.messages(run)
        first = next(messages, None)
        if first is None:
            raise out_of_order()
        ask = addressed(decode(first.ask), self._domain.name)
        session = reopen_session(ask, run, self._domain, ledger)
        try:
            _recall(session, ask, first, opened(ask, session, first.head))
            for kept in messages:
                ask = addressed(decode(kept.ask), self._domain.name)
                with session.randomness.made.recalling(kept.made):
                    reply = work(ask, session, OnRecord(kept))
                _recall(session, ask, kept, reply)
        except BaseException:
            session.end()
            raise
        return session


def addressed(message: Message, party: str) -> Ask:
    """Return a message as a question to this party.

    Raises:
        MessageError: It is none.
    """
    if not isinstance(message, Ask) or message.party != party:
        raise MessageError(
            f"A message to {party} is not one for it.",
            remedy="Check the addresses of the parties.",
        )
    return message


def _recall(session: Session, ask: Ask, kept: Kept, reply: bytes) -> None:
    digest = hashlib.sha256(kept.ask).hexdigest()
    session.answered.remember(ask.round, digest, reply)
