"""A run's lines to the nodes: questions pushed, answers pulled, without long sleeps.

A node that does not answer is asked again, with the same bytes, and a SuperLink that
was started anew is found again: a party answers each question once, and tells the
same again.
"""

import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress

import httpx
from flwr.app import Message
from flwr.common.constant import SubStatus
from flwr.common.serde import run_from_proto
from flwr.proto.runtime_pb2 import (
    PullTaskInputRequest,
    PushTaskOutputRequest,
)
from flwr.supercore.run import RunNotRunningException
from flwr.supercore.task_identity import TaskIdentity
from flwr.superlink.grid import HttpGrid, http_grid

from fl_plugin.errors import UnreachableError, UsageError
from fl_plugin.flower.admission import admitted
from fl_plugin.flower.asking import KIND, Answer, Question, answer_in
from fl_plugin.flower.certificates import public_pem
from fl_plugin.flower.door import Pass, enter
from fl_plugin.flower.haste import pull_sooner
from fl_plugin.flower.places import LinkPlace
from fl_plugin.flower.runtime import beating, patient
from fl_plugin.signing.keys import load_key
from fl_plugin.software import release

_LOOK_SECONDS = 0.05
_AGAIN_SECONDS = 0.5
_PATIENCE = 15.0
_LEAST_SECONDS = 5.0
_LOST = (httpx.HTTPError, RunNotRunningException)


class Lines:
    """The way to the nodes of some domains, for one run.

    Args:
        place: Of the mesh whose SuperLink runs on this machine.
        domains: Who will be asked.
        caller: The consumer on whose behalf.

    Raises:
        UsageError: No node is admitted for one of the domains.
        UnreachableError: No SuperLink runs.
    """

    def __init__(self, place: LinkPlace, domains: Sequence[str], caller: str) -> None:
        # What Flower says is for whoever runs the SuperLink, not for a run.
        logging.getLogger("flwr").setLevel(logging.CRITICAL)
        pull_sooner(http_grid)
        self._place = place
        known = admitted(place)
        for name in domains:
            if name not in known:
                raise UsageError(
                    f"No node is admitted for {name}.",
                    remedy=f"Let {name} start one: fl flower node --domain {name}. "
                    f"Then: fl flower admit --domain {name} node.crt",
                )
        self._keys = {public_pem(known[name]): name for name in domains}
        self._caller = caller
        self._signs = load_key(place.caller)
        self._connection, self._grid = self._entered()

    def exchange(
        self,
        asks: Mapping[str, bytes],
        seconds: float,
        heard: Callable[[str], None],
    ) -> Mapping[str, Answer]:
        """Return the answers of the domains that have answered in time.

        Args:
            asks: Domain to what it is asked.
            seconds: How long to ask.
            heard: Told each domain's name as its answer comes.
        """
        until = time.monotonic() + seconds
        asked = _Asked({d: self._question(d, data) for d, data in asks.items()})
        while asked.open and time.monotonic() < until:
            try:
                self._push(asked, until)
                for domain in self._pull(asked):
                    heard(domain)
            except _LOST:
                self._enter_again(until)
                asked.begin_again()
            if asked.open:
                time.sleep(_LOOK_SECONDS)
        return asked.answers

    def close(self) -> None:
        """End the run, as Flower sees it."""
        with suppress(*_LOST):
            self._grid.end()
        self._grid.close()
        self._connection.close()

    def _question(self, domain: str, data: bytes) -> Question:
        return Question(domain, self._caller, release(), data).signed(self._signs)

    def _push(self, asked: "_Asked", until: float) -> None:
        waiting = asked.due()
        if not waiting:
            return
        nodes = {
            self._keys[n.public_key]: n.node_id
            for n in self._grid.get_nodes()
            if n.public_key in self._keys
        }
        there = [domain for domain in waiting if domain in nodes]
        asked.look_again(set(waiting) - set(there))
        if not there:
            return
        ttl = max(until - time.monotonic(), _LEAST_SECONDS)
        ids = self._grid.push_messages(
            [
                Message(asked.questions[d].record(), nodes[d], KIND, ttl=ttl)
                for d in there
            ]
        )
        asked.note_sent({n: d for n, d in zip(ids, there, strict=True) if n})

    def _pull(self, asked: "_Asked") -> Iterator[str]:
        """Yield the domains whose answers have come."""
        if not asked.sent:
            return
        for reply in self._grid.pull_messages(list(asked.sent)):
            domain = asked.sent.pop(reply.metadata.reply_to_message_id)
            answer = None if reply.has_error() else answer_in(reply.content)
            if answer is None:
                asked.look_again({domain})
            else:
                asked.answers[domain] = answer
                yield domain

    def _entered(self) -> "tuple[socket.socket, _Grid]":
        connection, given = enter(self._place.door)
        grid = _Grid(given, self._place.authority.read_bytes())
        grid.begin()
        connection.settimeout(None)
        return connection, grid

    def _enter_again(self, until: float) -> None:
        """Start a new run of Flower's, in place of one whose SuperLink is gone."""
        self._grid.close()
        self._connection.close()
        while time.monotonic() < until:
            try:
                self._connection, self._grid = self._entered()
            except (UnreachableError, *_LOST):
                time.sleep(_AGAIN_SECONDS)
            else:
                return


class _Asked:
    """What was asked in one exchange, and how it stands."""

    def __init__(self, questions: Mapping[str, Question]) -> None:
        self.questions = questions
        self.sent: dict[str, str] = {}  # Flower's number of a message, to its domain
        self.answers: dict[str, Answer] = {}
        self._later: dict[str, float] = {}
        self._waits: dict[str, float] = {}

    @property
    def open(self) -> bool:
        """Whether an answer is missing."""
        return len(self.answers) < len(self.questions)

    def due(self) -> list[str]:
        """Return the domains to be asked now."""
        now = time.monotonic()
        return [
            d
            for d in self.questions
            if d not in self.answers and self._later.get(d, 0.0) <= now
        ]

    def note_sent(self, numbers: Mapping[str, str]) -> None:
        """Note what was sent, to be sent again where there is no answer for long.

        A node that was killed takes a minute to be missed by Flower.

        Args:
            numbers: Flower's number of a message, to its domain.
        """
        self.sent.update(numbers)
        for domain in numbers.values():
            wait = self._waits.get(domain, _PATIENCE)
            self._waits[domain] = 2 * wait
            self._later[domain] = time.monotonic() + wait

    def begin_again(self) -> None:
        """Forget what was sent: whoever it was sent through is gone."""
        self.sent.clear()
        self._later.clear()

    def look_again(self, domains: set[str]) -> None:
        """Ask these again in a moment."""
        later = time.monotonic() + _AGAIN_SECONDS
        self._later.update(dict.fromkeys(domains, later))


class _Grid(HttpGrid):
    """Flower's grid, under the token of a task that was claimed for this run.

    Flower's own tries for ever, and ends the process where a token is refused.
    """

    def __init__(self, given: Pass, authority: bytes) -> None:
        super().__init__(given.address, False, authority, token=given.token)  # noqa: FBT003
        self._retry_invoker = patient()
        self._held = ExitStack()

    def begin(self) -> None:
        """Take the task up."""
        told = self._runtime_client.PullTaskInput(PullTaskInputRequest())
        TaskIdentity.task_id = told.task_id
        TaskIdentity.run_id = told.run.run_id
        TaskIdentity.node_id = told.context.node_id
        self.set_run(run_from_proto(told.run))
        self._held.enter_context(beating(self._runtime_client))

    def end(self) -> None:
        """Report the task as done."""
        done = PushTaskOutputRequest(sub_status=SubStatus.COMPLETED, details="")
        self._runtime_client.PushTaskOutput(done)

    def close(self) -> None:
        """Close the connection."""
        self._held.close()
        super().close()
