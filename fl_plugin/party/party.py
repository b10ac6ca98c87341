"""One domain's side of a run: decide, open, answer, account for every release.

Whatever comes in is bytes and whatever goes out is bytes. Before anything is opened
and before anything leaves, the domain decides by its own files and writes the decision
to its own ledger.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from fl_plugin.discovery import discover
from fl_plugin.errors import MeshError, MessageError, PolicyError, StorageError
from fl_plugin.ledger.journal import Kept, OpenRun
from fl_plugin.ledger.record import Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.messages import Ask, Message, Refusal, Reply, decode, encode
from fl_plugin.party.account import Account, Booked, OnRecord
from fl_plugin.party.answer import Answer, Kind
from fl_plugin.party.books import Books
from fl_plugin.party.domain import Domain
from fl_plugin.party.entries import (
    bucket,
    decided,
    of_session,
    turned_away,
)
from fl_plugin.party.explore import explore
from fl_plugin.party.granted import require_packages
from fl_plugin.party.heard import Tell, hear, untold
from fl_plugin.party.left_over import forget_left_over
from fl_plugin.party.masking import STAGES, mask_stage
from fl_plugin.party.opening import agree, open_session, reopen_session
from fl_plugin.party.private import check_kind, released
from fl_plugin.party.refusing import hidden_folders, note_failure, refusal_of
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.plan.wire import decision_json, read_features, read_request
from fl_plugin.policy.decision import decide
from fl_plugin.policy.simulation import suppose_granted
from fl_plugin.policy.types import Request
from fl_plugin.threads import one_thread

KINDS = discover("fl_plugin.party.kinds", Kind)


class Party:
    """The only object that both answers messages and opens a domain's database.

    Args:
        folder: The domain's folder.
        tell: Told of each message, for the domain's own people.

    Raises:
        ContractError: Its settings are missing or not valid.
        StorageError: They cannot be read.
    """

    def __init__(self, folder: Path, tell: Tell = untold) -> None:
        self._tell = tell
        self._domain = Domain(folder)
        with hidden_folders(folder):
            self.name = self._domain.name
        self._books = Books(self._domain.ledger_file)
        self._sessions: dict[str, Session] = {}
        self._turn = threading.Lock()

    def handle(self, data: bytes, caller: str) -> bytes:
        """Answer one message.

        Args:
            data: An encoded `Ask`.
            caller: The consumer that the channel authenticated.

        Returns:
            An encoded `Reply` or `Refusal`; nothing is ever raised at the caller.
        """
        return hear(self.name, data, lambda: self._heard(data, caller), self._tell)

    def _heard(self, data: bytes, caller: str) -> bytes:
        ask: Message | None = None
        with self._turn, one_thread():
            try:
                ask = decode(data)
                with hidden_folders(self._domain.folder):
                    return self._answer(self._mine(ask), data, caller)
            except MeshError as error:
                return encode(self._refusal(ask, error))
            except Exception as error:  # its text may hold data
                hidden = MeshError(
                    f"{self.name} failed inside ({type(error).__name__}).",
                    remedy="Ask the domain's team to look at its node.",
                )
                return encode(self._refusal(ask, hidden))

    def admits(self, caller: str, user: str, *, own: bool) -> bool:
        """Return whether a user, or the owner of a key, may speak for a consumer.

        Who may not is on record.

        Args:
            caller: The consumer, as the user says.
            user: As the operating system says, or the public key that has signed.
            own: Whether it is the user that this party runs as, or the coordinator
                whose invitation it accepted.
        """
        callers = self._domain.node().callers
        admitted = user in callers[caller] if caller in callers else own
        if not admitted:
            self.turn_away(caller, user, "caller.unknown")
        return admitted

    def turn_away(self, caller: str, user: str, rule: str) -> None:
        """Put on record that somebody was not let in.

        Args:
            caller: The consumer, as they say; empty where they say none.
            user: Who they are, or what they brought.
            rule: Why, such as `app.unlisted`.
        """
        with self._turn, self._ledger() as ledger:
            ledger.append(turned_away(caller, user, rule))
        self._tell("turned_away", {"domain": self.name, "code": rule})

    def _mine(self, message: Message) -> Ask:
        if not isinstance(message, Ask) or message.party != self.name:
            raise MessageError(
                f"A message to {self.name} is not one for it.",
                remedy="Check the addresses of the parties.",
            )
        return message

    def _answer(self, ask: Ask, data: bytes, caller: str) -> bytes:
        with self._ledger() as ledger:
            if ask.kind == "decide":
                return self._decide(ask, caller, ledger)
            if ask.kind == "open":
                return self._open(ask, data, caller, ledger)
            if ask.kind == "query":
                return self._query(ask, caller, ledger)
            session = self._session(ask.run, caller, ledger)
            digest = hashlib.sha256(data).hexdigest()
            before = session.answered.before(ask.round, digest)
            if before is not None:
                return before
            made = session.randomness.made
            booked = Booked(self._domain, ledger, ask.run, ask.round, data, made)
            with self._lasting(session, ledger):
                reply = self._work(ask, session, booked)
            session.answered.remember(ask.round, digest, reply)
            return reply

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        try:
            yield self._books.open()
        except StorageError:
            self._books.close()
            raise
        finally:
            if not self._sessions:
                self._books.close()

    def _work(self, ask: Ask, session: Session, account: Account) -> bytes:
        check_kind(session, ask.kind)
        if ask.kind == "agree":
            return self._agree(ask, session, account)
        if ask.kind == "close":
            self._end(session.run, keep=ask.body.get("keep") is True)
            return encode(
                self._reply(ask, {}, account.append(of_session("close", session)))
            )
        if ask.kind in STAGES:
            found = mask_stage(session, ask)
            head = account.append(of_session(ask.kind, session, ask.round))
            return encode(self._reply(ask, found, head))
        if ask.kind not in KINDS:
            raise MessageError(
                f"{self.name} knows no work of the kind {ask.kind}.",
                remedy="Check that every node runs the same version of fl_plugin.",
            )
        kind = KINDS[ask.kind]()
        kind.check_opened(session)
        answer = kind.answer(session, ask)
        return self._release(ask, session, answer, account)

    @contextmanager
    def _lasting(self, session: Session, ledger: Ledger) -> Iterator[None]:
        """Let a run that failed go on, as it may, but not after a crash.

        What the failed message has changed in the session is in no journal. Where a
        disk failed, the run is left as a crash would leave it: asked again, it is taken
        up from what the ledger keeps, to the same bytes.
        """
        try:
            yield
        except StorageError:
            self._end(session.run)
            raise
        except Exception:
            if session.lasts:
                session.lasts = False
                ledger.forget_run(session.run)
            raise

    def _decide(self, ask: Ask, caller: str, ledger: Ledger) -> bytes:
        request = read_request(ask.body.get("request"))
        facts = self._domain.facts(request, caller, ledger)
        decision = decide(facts)
        identity = self._domain.identity.public
        body = {"decision": decision_json(decision), "identity": identity}
        if ask.body.get("suppose") is True:
            body["supposed"] = decision_json(decide(suppose_granted(facts)))
        head = ledger.append(decided("decide", ask.run, request, decision))
        if decision.refusal is None:  # its own reason is told first
            require_packages(request)
        return encode(self._reply(ask, body, head))

    def _open(self, ask: Ask, data: bytes, caller: str, ledger: Ledger) -> bytes:
        digest = hashlib.sha256(data).hexdigest()
        before = self._found(ask.run, caller, ledger)
        reply = before.answered.reply_to(ask.round, digest) if before else None
        if reply is not None:
            return reply  # the first one was lost on the way
        booked = Booked(self._domain, ledger, ask.run, ask.round, data)
        session, head = open_session(ask, caller, self._domain, booked)
        self._end(ask.run)
        self._sessions[ask.run] = session
        forget_left_over(self._domain, ledger, session, self._sessions)
        reply = self._opened(ask, session, head)
        session.answered.remember(ask.round, digest, reply)
        return reply

    def _opened(self, ask: Ask, session: Session, head: Head) -> bytes:
        decision = session.decision
        body = {
            "rows": bucket(session),
            "policy": decision.policy_fingerprint,
            "manifest": decision.manifest_fingerprint,
            "grant": decision.grant,
            "min_cohort": session.min_cohort,
        }
        return encode(self._reply(ask, body, head))

    def _query(self, ask: Ask, caller: str, ledger: Ledger) -> bytes:
        found = explore(ask, caller, self._domain, ledger)
        reply = self._reply(ask, dict(found.body), found.head)
        return encode(replace(reply, arrays={"table": found.words}))

    def _agree(self, ask: Ask, session: Session, account: Account) -> bytes:
        features = read_features(ask.body.get("features"))
        agree(session, features, ask.body.get("min_cohort"))
        head = account.append(of_session("agree", session, ask.round))
        return encode(self._reply(ask, {}, head))

    def _release(
        self, ask: Ask, session: Session, answer: Answer, account: Account
    ) -> bytes:
        try:
            account.look_again(session)
        except PolicyError:
            self._end(session.run)
            raise
        words = answer.arrays(session, ask)
        reply = Reply(
            kind=ask.kind,
            run=ask.run,
            round=ask.round,
            party=self.name,
            body=answer.body,
            arrays=words,
        )
        entry = replace(
            of_session("release", session, ask.round),
            released=f"sha256:{hashlib.sha256(encode(reply)).hexdigest()}",
            rule=ask.kind,
        )
        head = released(session, entry, account)
        return encode(replace(reply, body={**answer.body, "head": list(head)}))

    def _end(self, run: str, *, keep: bool = False) -> None:
        session = self._sessions.pop(run, None)
        if session is not None:
            session.end(keep=keep)

    def _session(self, run: str, caller: str, ledger: Ledger) -> Session:
        session = self._found(run, caller, ledger)
        if session is None:
            raise out_of_order()
        return session

    def _found(self, run: str, caller: str, ledger: Ledger) -> Session | None:
        """Return an open run of the caller's, taken up again if this party has died.

        Raises:
            MeshError: It cannot be taken up again.
        """
        session = self._sessions.get(run)
        if session is None:
            kept = ledger.open_run(run)
            if kept is None or kept.caller != caller:
                return None
            try:
                session = self._taken_up(kept, ledger)
            except StorageError:
                raise  # that may pass
            except Exception:
                ledger.forget_run(run)  # or its secret would stay for ever
                raise
        return session if session.caller == caller else None

    def _taken_up(self, run: OpenRun, ledger: Ledger) -> Session:
        """Do the work of a run's messages again; what left, left before."""
        messages = ledger.messages(run)
        first = next(messages, None)
        if first is None:
            raise out_of_order()
        ask = self._mine(decode(first.ask))
        session = reopen_session(ask, run, self._domain, ledger)
        try:
            _recall(session, ask, first, self._opened(ask, session, first.head))
            for kept in messages:
                ask = self._mine(decode(kept.ask))
                with session.randomness.made.recalling(kept.made):
                    reply = self._work(ask, session, OnRecord(kept))
                _recall(session, ask, kept, reply)
        except BaseException:
            session.end()
            raise
        self._sessions[run.run] = session
        return session

    def _reply(self, ask: Ask, body: dict[str, Any], head: Head) -> Reply:
        return Reply(
            kind=ask.kind,
            run=ask.run,
            round=ask.round,
            party=self.name,
            body={**body, "head": list(head)},
        )

    def _refusal(self, ask: Message | None, error: MeshError) -> Refusal:
        if ask is not None and ask.kind != "query":  # a query has its own record
            session = self._sessions.get(ask.run)
            with suppress(MeshError), self._ledger() as ledger:  # the first is told
                asked = session.request if session else _request(ask)
                note_failure(ledger, ask, asked, error)
        return refusal_of(self.name, ask, error)


def _request(ask: Message) -> Request:
    return read_request(ask.body.get("request"))


def _recall(session: Session, ask: Ask, kept: Kept, reply: bytes) -> None:
    digest = hashlib.sha256(kept.ask).hexdigest()
    session.answered.remember(ask.round, digest, reply)
