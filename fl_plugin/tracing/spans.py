"""Spans on their way to whoever collects them: all that is used of OpenTelemetry.

Imported once the environment has asked for spans, and not before.
"""

import hashlib
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
)
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from fl_plugin.tracing.wanted import CONSOLE

SERVICE = "data-mesh-learning"
_KINDS = {"fl.ask": SpanKind.CLIENT, "fl.answer": SpanKind.SERVER}
# Whoever sends spans, or keeps them until they are sent, says there what was lost.
_SENDERS = (
    "opentelemetry.exporter",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.sdk._shared_internal",
)

Span = trace.Span
Fact = str | int | float | bool | tuple[str, ...]
Facts = Mapping[str, Fact]


@dataclass(frozen=True)
class Ids:
    """A trace's id and a span's; None for one that the library draws."""

    trace: int | None = None
    span: int | None = None


def of_trace(run: str) -> int:
    """Return the id of a run's trace, 16 bytes."""
    return _digest(f"trace {run}", 16)


def of_root(run: str) -> int:
    """Return the id of a run's own span, 8 bytes."""
    return _digest(f"run {run}", 8)


def of_question(run: str, number: int, party: str) -> int:
    """Return the id of what one domain is asked in one round, 8 bytes."""
    return _digest(f"ask {run} {number} {party}", 8)


def mark(span: Span, code: str) -> None:
    """Say that something went wrong, by its code: a text would be too much."""
    span.set_status(Status(StatusCode.ERROR, code))
    span.set_attributes({"error.type": code})


class Spans:
    """Spans, and where they go.

    Args:
        provider: Of the library.
        given: Whom to tell the next span's ids.
        lost: Set once spans could not be delivered.
    """

    def __init__(
        self, provider: TracerProvider, given: "_Given", lost: threading.Event
    ) -> None:
        self.provider = provider
        self.lost = lost
        self._given = given
        self._tracer = provider.get_tracer("fl_plugin")

    @classmethod
    def to(cls, exporters: frozenset[str]) -> "Spans":
        """Return spans that go to these exporters.

        Raises:
            ImportError: One of them is not installed.
            ValueError: A setting of the environment is not valid.
        """
        given, lost = _Given(), threading.Event()
        processors = [_processor(name) for name in sorted(exporters)]
        provider = TracerProvider(resource=_resource(), id_generator=given)
        for processor in processors:
            provider.add_span_processor(processor)
        for sender in _SENDERS:
            logging.getLogger(sender).addHandler(_Lost(lost))
        return cls(provider, given, lost)

    def begin(
        self,
        name: str,
        facts: Facts,
        *,
        ids: Ids = Ids(),
        at: int | None = None,
        within: Ids | Span | None = None,
    ) -> Span:
        """Begin a span.

        Args:
            name: Such as fl.round.
            facts: Its attributes, without their prefix.
            ids: Its own.
            at: When it began, in nanoseconds since 1970; None for now.
            within: What it is a child of, perhaps in another process; None for
                nothing.
        """
        with self._given.for_next(ids):
            return self._tracer.start_span(
                name,
                context=_context(within),
                kind=_KINDS.get(name, SpanKind.INTERNAL),
                attributes={f"fl.{word}": fact for word, fact in facts.items()},
                start_time=at,
            )


class _Given(RandomIdGenerator):
    """Ids that are made of a run's, where there are such."""

    def __init__(self) -> None:
        self._next = threading.local()

    @contextmanager
    def for_next(self, ids: Ids) -> Iterator[None]:
        """Hand these ids out while a block lasts, in this thread."""
        self._next.ids = ids
        try:
            yield
        finally:
            self._next.ids = Ids()

    def generate_trace_id(self) -> int:
        """Return the trace's id."""
        return self._ids.trace or super().generate_trace_id()

    def generate_span_id(self) -> int:
        """Return the span's id."""
        return self._ids.span or super().generate_span_id()

    @property
    def _ids(self) -> Ids:
        found: Ids = getattr(self._next, "ids", Ids())
        return found


class _Lost(logging.Handler):
    """Hears of the library that spans are lost; its words may hold an address.

    Args:
        lost: To be set.
    """

    def __init__(self, lost: threading.Event) -> None:
        super().__init__(logging.WARNING)
        self._lost = lost

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 no word of it
        """Keep that it has happened."""
        self._lost.set()


def _processor(name: str) -> SpanProcessor:
    if name == CONSOLE:  # on stderr, since stdout is for answers; one line each
        printed = ConsoleSpanExporter(
            out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n"
        )
        return SimpleSpanProcessor(printed)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    return BatchSpanProcessor(OTLPSpanExporter())


def _resource() -> Resource:
    """Return what the environment says of this process, and a name where it has none.

    Neither its command nor its folder.
    """
    found = Resource.create()
    name = str(found.attributes.get("service.name", ""))
    named = name and not name.startswith("unknown_service")
    return found if named else found.merge(Resource({"service.name": SERVICE}))


def _context(within: Ids | Span | None) -> Context:
    if within is None:
        return Context()
    if isinstance(within, Ids):
        far = SpanContext(
            within.trace or 0,
            within.span or 0,
            is_remote=True,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )
        return set_span_in_context(NonRecordingSpan(far), Context())
    return set_span_in_context(within, Context())


def _digest(words: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:size], "big") or 1
