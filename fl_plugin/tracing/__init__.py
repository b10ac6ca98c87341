"""Runs as spans of OpenTelemetry: off unless the environment asks for them.

`OTEL_TRACES_EXPORTER=otlp` or `console` asks; the extra `otel` brings what is needed,
and nothing of it is imported otherwise. A run is a span, each round a child of it, each
question to a domain a child of the round, and at the domain's node the work is a child
of that. Nothing is added to a message for it: a trace's id is made of the run's, a
question's of run, round and domain, and every message names these three.

A span has names, numbers and codes of errors; no text of an error and no path.
"""
