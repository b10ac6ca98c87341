"""What is told of a run that goes wrong, and where spans go, or do not."""

import logging
import threading
from unittest.mock import patch

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fl_plugin.coordinator.closing import goes_on
from fl_plugin.errors import TrainingError
from fl_plugin.party.heard import hear, untold
from fl_plugin.tracing import wanted
from fl_plugin.tracing.runs import answered, of_run
from fl_plugin.tracing.spans import Spans, _Given

RUN = "20261121t101500-made-1f2e3d4c"
VALUE = "4711.25"


class Transport:
    """Two parties, of which one never answers."""

    parties = ("ash", "birch")
    raises: BaseException | None = None

    def __init__(self):
        self.heard = lambda _: None

    def exchange(self, _asks, _seconds):
        if self.raises:
            raise self.raises
        self.heard("ash")
        return {"ash": b"yes"}


@pytest.fixture
def told():
    exporter, given = InMemorySpanExporter(), _Given()
    provider = TracerProvider(id_generator=given)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = Spans(provider, given, threading.Event())
    with patch("fl_plugin.tracing.runs.spans", return_value=spans):
        yield exporter.get_finished_spans


@pytest.fixture
def asked_for(monkeypatch):
    """Ask for spans by the environment; no setting outlives the test."""
    wanted._made.cache_clear()

    def ask(**words):
        for word, value in words.items():
            monkeypatch.setenv(word, value)

    yield ask
    wanted._made.cache_clear()


def carry_out(transport, again=None):
    with of_run(RUN, {"study": "made"}, again=again, stands=_stands) as trace:
        trace.listening(lambda *_: None)("step", 7)
        trace.over(transport).exchange({"ash": b"now?", "birch": b"now?"}, 1.0)


def _stands(error):
    return "interrupted" if goes_on(error) else "failed"


def by_name(spans, name):
    return [s for s in spans if s.name == name]


def test_a_domain_that_is_silent_is_absent_and_its_question_unanswered(told):
    carry_out(Transport())
    (one,) = by_name(told(), "fl.round")
    assert one.attributes["fl.absent"] == ("birch",)
    assert (one.attributes["fl.bytes.down"], one.attributes["fl.bytes.up"]) == (8, 3)
    asks = {s.attributes["fl.domain"]: s for s in by_name(told(), "fl.ask")}
    assert asks["birch"].attributes["error.type"] == "unreachable"
    assert "error.type" not in asks["ash"].attributes
    assert asks["ash"].end_time <= asks["birch"].end_time


def test_an_error_is_a_code_and_whose_fault_it_was_and_no_word_of_it(told):
    transport = Transport()
    error = TrainingError(f"{VALUE} is too large.", remedy=VALUE).at("birch")
    transport.raises = error
    with pytest.raises(TrainingError):
        carry_out(transport)
    (run,) = by_name(told(), "fl.run")
    assert run.attributes["fl.standing"] == "failed"
    assert run.attributes["error.type"] == "training"
    assert run.attributes["fl.at_fault"] == ("birch",)
    assert all(not span.events for span in told())
    assert VALUE not in "".join(span.to_json() for span in told())


def test_a_node_stands_below_the_question_that_it_answers(told):
    carry_out(Transport())
    answered({"run": RUN, "round": 7, "kind": "step", "domain": "ash"}, 1, "refused")
    (one,) = by_name(told(), "fl.answer")
    (ask,) = [
        s for s in by_name(told(), "fl.ask") if s.attributes["fl.domain"] == "ash"
    ]
    assert one.parent.span_id == ask.context.span_id
    assert one.context.trace_id == ask.context.trace_id
    assert one.attributes["error.type"] == "refused"


def test_a_run_that_goes_on_is_in_the_same_trace_and_takes_no_id_twice(told):
    carry_out(Transport())
    carry_out(Transport(), again=frozenset({7}))
    assert len({s.context.trace_id for s in told()}) == 1
    assert len({s.context.span_id for s in told()}) == len(told())
    resumed = [s.attributes["fl.resumed"] for s in by_name(told(), "fl.run")]
    assert resumed == [False, True]


def test_nobody_is_told_anything_unless_it_is_asked_for(monkeypatch):
    monkeypatch.delenv("OTEL_TRACES_EXPORTER", raising=False)
    assert wanted.spans() is None
    assert wanted.problem() == ""
    assert hear("ash", b"no message", lambda: b"nor this", untold) == b"nor this"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"OTEL_TRACES_EXPORTER": "pigeon"}, "may be otlp, console or none"),
        (
            {
                "OTEL_TRACES_EXPORTER": "otlp",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            },
            "by no other protocol",
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_ends_nothing(asked_for, words, why):
    asked_for(**words)
    assert why in wanted.problem()
    assert wanted.spans() is None


def test_a_package_that_is_not_installed_is_named_with_the_remedy(asked_for):
    asked_for(OTEL_TRACES_EXPORTER="console")
    with patch.dict("sys.modules", {"fl_plugin.tracing.spans": None}):
        assert "pip install 'data-mesh-learning[otel]'" in wanted.problem()


@pytest.mark.parametrize(
    "words", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}]
)
def test_the_environment_can_say_no(asked_for, words):
    asked_for(**{"OTEL_TRACES_EXPORTER": "otlp", **words})
    assert wanted.spans() is None
    assert wanted.problem() == ""


def test_spans_that_were_lost_are_told_without_a_word_of_the_library(asked_for):
    asked_for(OTEL_TRACES_EXPORTER="console")
    assert wanted.problem() == ""
    logging.getLogger("opentelemetry.exporter.any").error("at %s", VALUE)
    assert wanted.problem() == "Traces were lost: the collector did not take them."
