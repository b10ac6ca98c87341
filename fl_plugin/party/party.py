"""One domain's side of a run: decide, open, answer, account for every release.

Whatever comes in is bytes and whatever goes out is bytes. Before anything is opened
and before anything leaves, the domain decides by its own files and writes the decision
to its own ledger.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fl_plugin.discovery import discover
from fl_plugin.errors import MeshError, MessageError, PolicyError, StorageError
from fl_plugin.ledger.record import AuditEntry, Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.messages import Ask, Message, Refusal, Reply, decode, encode
from fl_plugin.party.answer import Answer, Kind
from fl_plugin.party.books import Books
from fl_plugin.party.domain import Domain
from fl_plugin.party.entries import bucket, decided, failed, of_session
from fl_plugin.party.explore import explore
from fl_plugin.party.masking import STAGES, mask_stage
from fl_plugin.party.opening import agree, insist, open_session, require_packages
from fl_plugin.party.private import check_kind, released
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.party.threads import one_thread
from fl_plugin.plan.wire import decision_json, read_features, read_request
from fl_plugin.policy.decision import decide
from fl_plugin.policy.simulation import suppose_granted

KINDS = discover("fl_plugin.party.kinds", Kind)


class Party:
    """The only object that both answers messages and opens a domain's database.

    Args:
        folder: The domain's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._domain = Domain(folder)
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
        ask: Message | None = None
        with self._turn, one_thread():
            try:
                ask = decode(data)
                return self._answer(self._mine(ask), data, caller)
            except MeshError as error:
                return encode(self._refusal(ask, error))
            except Exception as error:  # its text may hold data
                hidden = MeshError(
                    f"{self.name} failed inside ({type(error).__name__}).",
                    remedy="Ask the domain's team to look at its node.",
                )
                return encode(self._refusal(ask, hidden))

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
                return self._open(ask, caller, ledger)
            if ask.kind == "query":
                return self._query(ask, caller, ledger)
            session = self._session(ask, caller)
            digest = hashlib.sha256(data).hexdigest()
            before = session.answered(ask.round, digest)
            if before is not None:
                return before
            reply = self._work(ask, session, ledger)
            session.remember(ask.round, digest, reply)
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

    def _work(self, ask: Ask, session: Session, ledger: Ledger) -> bytes:
        check_kind(session, ask.kind)
        if ask.kind == "agree":
            return self._agree(ask, session, ledger)
        if ask.kind == "close":
            self._end(session.run, keep=ask.body.get("keep") is True)
            head = ledger.append(of_session("close", session))
            return encode(self._reply(ask, {}, head))
        if ask.kind in STAGES:
            found = mask_stage(session, ask)
            head = ledger.append(of_session(ask.kind, session, ask.round))
            return encode(self._reply(ask, found, head))
        if ask.kind not in KINDS:
            raise MessageError(
                f"{self.name} knows no work of the kind {ask.kind}.",
                remedy="Check that every node runs the same version of fl_plugin.",
            )
        kind = KINDS[ask.kind]()
        kind.check_opened(session)
        answer = kind.answer(session, ask)
        return self._release(ask, session, answer, ledger)

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

    def _open(self, ask: Ask, caller: str, ledger: Ledger) -> bytes:
        session, head = open_session(ask, caller, self._domain, ledger)
        self._end(ask.run)
        self._sessions[ask.run] = session
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

    def _agree(self, ask: Ask, session: Session, ledger: Ledger) -> bytes:
        features = read_features(ask.body.get("features"))
        agree(session, features, ask.body.get("min_cohort"))
        head = ledger.append(of_session("agree", session, ask.round))
        return encode(self._reply(ask, {}, head))

    def _release(
        self, ask: Ask, session: Session, answer: Answer, ledger: Ledger
    ) -> bytes:
        self._look_again(session, ask, ledger)
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
        head = released(session, entry, ledger)
        return encode(replace(reply, body={**answer.body, "head": list(head)}))

    def _look_again(self, session: Session, ask: Ask, ledger: Ledger) -> None:
        facts = self._domain.refreshed(session.facts, ledger)
        decision = decide(facts)
        if not decision.complete:
            self._end(session.run)
            entry = decided("release", session.run, session.request, decision)
            ledger.append(replace(entry, round=ask.round))
            insist(decision, opened=True)

    def _end(self, run: str, *, keep: bool = False) -> None:
        session = self._sessions.pop(run, None)
        if session is not None:
            session.end(keep=keep)

    def _session(self, ask: Ask, caller: str) -> Session:
        session = self._sessions.get(ask.run)
        if session is None or session.caller != caller:
            raise out_of_order()
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
        session = self._sessions.get(ask.run) if ask else None
        if ask is not None and ask.kind != "query":  # a query has its own record
            self._note_failure(ask, session, error)
        return Refusal(
            kind=ask.kind if ask else "unknown",
            run=ask.run if ask else "unknown",
            round=ask.round if ask else 0,
            party=self.name,
            body={
                "code": error.code,
                "exit_code": error.exit_code,
                "problem": error.problem,
                "remedy": error.remedy,
                "reason": getattr(error, "reason", error.code),
            },
        )

    def _note_failure(
        self, ask: Message, session: Session | None, error: MeshError
    ) -> None:
        """Put on record that the domain stopped, and why; a decision is there."""
        try:
            request = (
                session.request if session else read_request(ask.body.get("request"))
            )
            entry = failed(ask, request, getattr(error, "reason", error.code))
            with self._ledger() as ledger:
                if isinstance(error, PolicyError) and _is_last(ledger, entry):
                    return
                ledger.append(entry)
        except MeshError:
            return  # the first error is the one to report


def _is_last(ledger: Ledger, entry: AuditEntry) -> bool:
    """Return whether the newest record of the run is this refusal."""
    newest = ledger.show(run=entry.run, last=1)
    return [(r.action, r.rule) for r in newest] == [(entry.action, entry.rule)]
