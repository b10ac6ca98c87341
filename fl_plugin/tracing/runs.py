"""A run as spans: itself, its rounds, each question to a domain; a node's answers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import time_ns
from typing import TYPE_CHECKING, Protocol

from fl_plugin.tracing.wanted import flush, spans

if TYPE_CHECKING:  # nobody who asks for no spans has the library
    from fl_plugin.tracing.spans import Fact, Facts, Span, Spans

Listener = Callable[[str, int], None]


class Asking(Protocol):
    """What carries a run's messages; an engine."""

    heard: Callable[[str], None]

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""

    def exchange(
        self, asks: Mapping[str, bytes], seconds: float
    ) -> Mapping[str, bytes]:
        """Send each party its message; return what comes back in time."""


class Trace:
    """What is told of one run; this one keeps nothing."""

    def over(self, transport: Asking) -> Asking:
        """Return a transport whose exchanges are told."""
        return transport

    def listening(self, listener: Listener) -> Listener:
        """Return a listener that tells which round comes."""
        return listener

    def add(self, facts: "Facts") -> None:
        """Tell something of the run itself."""


def _failed(_: BaseException) -> str:
    return "failed"


@contextmanager
def of_run(
    run: str,
    facts: "Facts",
    *,
    again: frozenset[int] | None = None,
    stands: Callable[[BaseException], str] = _failed,
) -> Iterator[Trace]:
    """Trace a run, as long as the block lasts.

    Args:
        run: Its id.
        facts: Of the run: what it is for, study, engine.
        again: Of a run that goes on, the rounds that were asked before; None of one
            that begins.
        stands: How a run stands that has ended with an error.
    """
    found = spans()
    if found is None:
        yield Trace()
        return
    from fl_plugin.tracing.spans import Ids, of_root, of_trace  # noqa: PLC0415

    told = {"run": run, **facts, "resumed": again is not None}
    ids = Ids(of_trace(run), of_root(run) if again is None else None)
    root = found.begin("fl.run", told, ids=ids)
    try:
        yield _Traced(found, root, run, again or frozenset())
        root.set_attributes({"fl.standing": "done"})
    except BaseException as error:
        root.set_attributes({"fl.standing": stands(error)})
        _fail(root, error)
        raise
    finally:
        root.end()
        flush()


def answered(facts: "Facts", begun: int, error: str) -> None:
    """Tell that a domain's node has answered one message.

    Args:
        facts: run, round and domain, and whatever else there is to tell.
        begun: When the message came, in nanoseconds since 1970.
        error: The code of what went wrong; empty where nothing did.
    """
    found = spans()
    if found is None:
        return
    from fl_plugin.tracing.spans import Ids, mark, of_question, of_trace  # noqa: PLC0415

    run, number, party = facts["run"], facts["round"], facts["domain"]
    question = of_question(str(run), int(str(number)), str(party))
    asked = Ids(of_trace(str(run)), question)
    span = found.begin("fl.answer", facts, at=begun, within=asked)
    if error:
        mark(span, error)
    span.end()


@dataclass
class _Traced(Trace):
    """What is told of one run, as spans; stands between it and its engine.

    Args:
        spans: Where they go.
        root: The run's own.
        run: Its id.
        again: Rounds that were asked before: their questions' ids are taken.
    """

    spans: "Spans"
    root: "Span"
    run: str
    again: frozenset[int]

    def __post_init__(self) -> None:
        self._kind, self._number = "", 0

    def over(self, transport: Asking) -> Asking:
        """Return a transport that tells each exchange."""
        return _Told(transport, self)

    def listening(self, listener: Listener) -> Listener:
        """Return a listener that keeps which round comes."""

        def listen(kind: str, number: int) -> None:
            self._kind, self._number = kind, number
            listener(kind, number)

        return listen

    def add(self, facts: "Facts") -> None:
        """Add attributes to the run's span."""
        self.root.set_attributes({f"fl.{word}": fact for word, fact in facts.items()})

    def begin_round(self) -> "Span":
        """Begin the span of the round that was listened to last."""
        return self.spans.begin("fl.round", self._round, within=self.root)

    def ask(self, question: "_Question", within: "Span") -> None:
        """Tell what one domain was asked, and when it has answered."""
        from fl_plugin.tracing.spans import Ids, mark, of_question  # noqa: PLC0415

        taken = self._number in self.again
        own = None if taken else of_question(self.run, self._number, question.party)
        facts = {
            **self._round,
            "domain": question.party,
            "bytes.down": question.down,
            "bytes.up": question.up or 0,
            "seconds": round((question.ended - question.begun) / 1e9, 6),
        }
        span = self.spans.begin(
            "fl.ask", facts, ids=Ids(None, own), at=question.begun, within=within
        )
        if question.up is None:
            mark(span, "unreachable")
        span.end(question.ended)

    @property
    def _round(self) -> "dict[str, Fact]":
        return {"run": self.run, "round": self._number, "kind": self._kind}


@dataclass(frozen=True, kw_only=True)
class _Question:
    """One message to one domain: bytes each way, times in nanoseconds since 1970.

    Args:
        up: None where no answer came.
    """

    party: str
    down: int
    up: int | None
    begun: int
    ended: int


@dataclass
class _Told:
    """An engine whose exchanges are told.

    Args:
        inner: The engine.
        trace: Whom to tell.
    """

    inner: Asking
    trace: _Traced

    def __post_init__(self) -> None:
        self.heard: Callable[[str], None] = lambda _: None

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""
        return self.inner.parties

    def exchange(
        self, asks: Mapping[str, bytes], seconds: float
    ) -> Mapping[str, bytes]:
        """Have a round carried, and tell it however it ends."""
        ends: dict[str, int] = {}
        self.inner.heard = lambda party: ends.update({party: time_ns()})
        raw: Mapping[str, bytes] = {}
        span, begun = self.trace.begin_round(), time_ns()
        try:
            raw = self.inner.exchange(asks, seconds)
        except BaseException as error:
            _fail(span, error)
            raise
        finally:
            self._tell(span, asks, raw, {p: (begun, ends.get(p)) for p in asks})
        return raw

    def _tell(
        self,
        span: "Span",
        asks: Mapping[str, bytes],
        raw: Mapping[str, bytes],
        times: Mapping[str, tuple[int, int | None]],
    ) -> None:
        over = time_ns()
        for party, sent in asks.items():
            begun, ended = times[party]
            answer = raw.get(party)
            question = _Question(
                party=party,
                down=len(sent),
                up=None if answer is None else len(answer),
                begun=begun,
                # An engine that does not say when has the round's end.
                ended=over if answer is None or ended is None else ended,
            )
            self.trace.ask(question, span)
        span.set_attributes(
            {
                "fl.parties": len(asks),
                "fl.bytes.down": sum(map(len, asks.values())),
                "fl.bytes.up": sum(map(len, raw.values())),
                "fl.absent": tuple(sorted(set(asks) - set(raw))),
            }
        )
        span.end(over)


def _fail(span: "Span", error: BaseException) -> None:
    from fl_plugin.tracing.spans import mark  # noqa: PLC0415

    mark(span, str(getattr(error, "code", type(error).__name__)))
    domains = tuple(getattr(error, "domains", ()))
    if domains:
        span.set_attributes({"fl.at_fault": domains})
