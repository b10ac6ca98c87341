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

from fl_plugin.errors import MeshError, StorageError
from fl_plugin.ledger.store import Ledger
from fl_plugin.messages import Ask, Message, Refusal, decode, encode
from fl_plugin.party.account import Booked
from fl_plugin.party.books import Books
from fl_plugin.party.domain import Domain
from fl_plugin.party.entries import decided, turned_away
from fl_plugin.party.explore import explore
from fl_plugin.party.granted import require_packages
from fl_plugin.party.heard import Tell, hear, untold
from fl_plugin.party.left_over import forget_left_over
from fl_plugin.party.opening import open_session
from fl_plugin.party.refusing import hidden_folders, note_failure, refusal_of
from fl_plugin.party.runs import Runs, addressed
from fl_plugin.party.session import out_of_order
from fl_plugin.party.work import opened, reply_to, work
from fl_plugin.plan.wire import decision_json, read_request
from fl_plugin.policy.decision import decide
from fl_plugin.policy.simulation import suppose_granted
from fl_plugin.policy.types import Request
from fl_plugin.threads import one_thread


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
        self._runs = Runs(self._domain)
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
                    return self._answer(addressed(ask, self.name), data, caller)
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

    def _answer(self, ask: Ask, data: bytes, caller: str) -> bytes:
        with self._ledger() as ledger:
            if ask.kind == "decide":
                return self._decide(ask, caller, ledger)
            if ask.kind == "open":
                return self._open(ask, data, caller, ledger)
            if ask.kind == "query":
                return self._query(ask, caller, ledger)
            session = self._runs.found(ask.run, caller, ledger)
            if session is None:
                raise out_of_order()
            digest = hashlib.sha256(data).hexdigest()
            before = session.answered.before(ask.round, digest)
            if before is not None:
                return before
            made = session.randomness.made
            booked = Booked(self._domain, ledger, ask.run, ask.round, data, made)
            with self._runs.lasting(session, ledger):
                reply = work(ask, session, booked)
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
            if not self._runs.alive():
                self._books.close()

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
        return encode(reply_to(ask, body, head))

    def _open(self, ask: Ask, data: bytes, caller: str, ledger: Ledger) -> bytes:
        digest = hashlib.sha256(data).hexdigest()
        before = self._runs.found(ask.run, caller, ledger)
        reply = before.answered.reply_to(ask.round, digest) if before else None
        if reply is not None:
            return reply  # the first one was lost on the way
        booked = Booked(self._domain, ledger, ask.run, ask.round, data)
        session, head = open_session(ask, caller, self._domain, booked)
        self._runs.begin(session)
        forget_left_over(self._domain, ledger, session, self._runs.alive())
        reply = opened(ask, session, head)
        session.answered.remember(ask.round, digest, reply)
        return reply

    def _query(self, ask: Ask, caller: str, ledger: Ledger) -> bytes:
        found = explore(ask, caller, self._domain, ledger)
        reply = reply_to(ask, dict(found.body), found.head)
        return encode(replace(reply, arrays={"table": found.words}))

    def _refusal(self, ask: Message | None, error: MeshError) -> Refusal:
        if ask is not None and ask.kind != "query":  # a query has its own record
            session = self._runs.get(ask.run)
            with suppress(MeshError), self._ledger() as ledger:  # the first is told
                asked = session.request if session else _request(ask)
                note_failure(ledger, ask, asked, error)
        return refusal_of(self.name, ask, error)


def _request(ask: Message) -> Request:
    return read_request(ask.body.get("request"))
