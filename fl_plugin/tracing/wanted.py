"""What the environment asks for, and where spans go."""

import os
import threading
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fl_plugin.tracing.spans import Spans

ASKS = "OTEL_TRACES_EXPORTER"
CONSOLE, OTLP = "console", "otlp"
FLUSH_MS = 12_000  # a collector that does not answer is given up after 10 s
_INSTALL = "pip install 'data-mesh-learning[otel]'"
_making = threading.Lock()


def wanted() -> frozenset[str]:
    """Return the exporters that the environment asks for; none where it asks not."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return frozenset()
    words = os.environ.get(ASKS, "").split(",")
    return frozenset(word.strip().lower() for word in words) - {"", "none"}


def spans() -> "Spans | None":
    """Return where spans go; None where nobody asks, or they cannot be made."""
    found = _found() if wanted() else None
    return None if isinstance(found, str) else found


def problem() -> str:
    """Return why spans that are asked for go nowhere, in words; empty where they go."""
    found = _found() if wanted() else None
    if isinstance(found, str):
        return f"No traces: {found}"
    if found is not None and found.lost.is_set():
        return "Traces were lost: the collector did not take them."
    return ""


def flush() -> None:
    """Send what is to be sent; a process that ends without ado calls it first."""
    found = spans()
    if found is not None:
        found.provider.force_flush(FLUSH_MS)


def _found() -> "Spans | str":
    with _making:  # or two threads would each make one
        return _made(wanted())


@cache
def _made(asked: frozenset[str]) -> "Spans | str":
    """Return where spans go, or why they go nowhere."""
    if asked - {CONSOLE, OTLP}:
        return f"{ASKS} may be {OTLP}, {CONSOLE} or none."
    if OTLP in asked and _protocol() != "http/protobuf":
        return "they are sent as http/protobuf, and by no other protocol."
    try:
        from fl_plugin.tracing.spans import Spans  # noqa: PLC0415

        return Spans.to(asked)
    except ImportError:
        return f"a package is not installed. Install it: {_INSTALL}"
    except ValueError:
        return "a value of the environment's OTEL_ variables is not valid."


def _protocol() -> str:
    usual = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
    return os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or usual
