"""The newest events as an Atom 1.0 feed (RFC 4287), beside the catalog's page."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree import ElementTree as Xml

from fl_plugin.changes.event import Event

FEED = "changes.atom"
ENTRIES = 100
_ATOM = "http://www.w3.org/2005/Atom"
# XML 1.0 cannot say these, escaped or not.
_UNSAYABLE = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, kw_only=True)
class About:
    """What the feed says of itself.

    Args:
        project: The root project's name: feed and entries are identified by it.
        updated: When there is no event yet.
    """

    project: str
    updated: datetime


def feed(events: Sequence[Event], about: About) -> bytes:
    """Return the feed of the newest events; the same events give the same bytes."""
    newest = sorted(events, key=lambda e: (e.at, e.domain, e.sequence), reverse=True)
    Xml.register_namespace("", _ATOM)
    root = Xml.Element(_tag("feed"))
    _say(root, "id", _urn(f"{about.project}/changes"))
    _say(root, "title", f"Changes in the data mesh {about.project}")
    _say(root, "subtitle", "Products, schemas, policies, grants and studies.")
    _say(root, "updated", _moment(newest[0].at if newest else about.updated))
    _link(root, "self", FEED)
    _link(root, "alternate", "index.html")
    author = Xml.SubElement(root, _tag("author"))
    _say(author, "name", about.project)
    _say(root, "generator", "data-mesh-learning")
    for event in newest[:ENTRIES]:
        root.append(_entry(event, about))
    Xml.indent(root)
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _entry(event: Event, about: About) -> Xml.Element:
    entry = Xml.Element(_tag("entry"))
    _say(entry, "id", _urn(f"{about.project}/{event.domain}/{event.id}"))
    _say(entry, "title", event.sentence)
    _say(entry, "updated", _moment(event.at))
    _say(entry, "published", _moment(event.at))
    author = Xml.SubElement(entry, _tag("author"))
    _say(author, "name", event.domain)
    Xml.SubElement(entry, _tag("category"), term=_sayable(event.kind))
    Xml.SubElement(entry, _tag("category"), term=_sayable(event.domain))
    _link(entry, "alternate", _page(event))
    content = _say(entry, "content", _text(event))
    content.set("type", "text")
    return entry


def _text(event: Event) -> str:
    lines = [event.sentence, event.remedy]
    if event.consumers:
        lines.append(f"Concerns: {', '.join(event.consumers)}.")
    return "\n".join(lines)


def _page(event: Event) -> str:
    """Return where dbt's page shows it: a grant is an exposure, as a study is."""
    if not event.node:
        return "index.html"
    return f"index.html#!/model/{quote(_sayable(event.node), safe='._-')}"


def _say(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    element = Xml.SubElement(parent, _tag(name))
    element.text = _sayable(text)
    return element


def _link(parent: Xml.Element, rel: str, href: str) -> None:
    kind = "application/atom+xml" if rel == "self" else "text/html"
    Xml.SubElement(parent, _tag("link"), rel=rel, type=kind, href=_sayable(href))


def _tag(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _sayable(text: str) -> str:
    return _UNSAYABLE.sub("?", text)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _urn(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"data-mesh:{_sayable(name)}").urn
