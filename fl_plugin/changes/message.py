"""An event as the request that tells of it: a CloudEvents 1.0 body, signed."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

from fl_plugin.changes.event import Event

SIGNATURE = "Mesh-Signature"


def body_of(event: Event) -> bytes:
    """Return the body: the same bytes each time the event is sent."""
    facts = {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/domains/{event.domain}",
        "type": f"mesh.{event.kind}",
        "subject": event.product,
        "time": event.at.astimezone(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": event.model_dump(mode="json"),
    }
    return json.dumps(facts, sort_keys=True).encode("ascii")


def headers_of(event: Event, secret: bytes | None, at: datetime) -> dict[str, str]:
    """Return the headers; the signature is made anew for each attempt."""
    found = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "User-Agent": "data-mesh-learning",
        "Idempotency-Key": event.id,
        "Mesh-Event": event.kind,
    }
    if secret is not None:
        found[SIGNATURE] = signature(secret, int(at.timestamp()), body_of(event))
    return found


def signature(secret: bytes, at: int, body: bytes) -> str:
    """Return "t=<seconds>,v1=<hex>": HMAC-SHA256 over "<seconds>.<body>".

    The time is signed too, so that a receiver can refuse an old request sent again.
    """
    told = hmac.new(secret, f"{at}.".encode("ascii") + body, hashlib.sha256)
    return f"t={at},v1={told.hexdigest()}"
