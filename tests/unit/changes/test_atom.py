"""The feed is valid Atom (RFC 4287), whatever the events say."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as Xml

import pytest

from fl_plugin.changes.atom import ENTRIES, About, feed
from fl_plugin.changes.event import Event

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NS = {"a": "http://www.w3.org/2005/Atom"}
ABOUT = About(project="data_mesh", updated=AT)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def event(number=1, **words):
    facts = {
        "id": f"evt_{number:032x}",
        "sequence": number,
        "at": AT + timedelta(minutes=number),
        "kind": "product.updated",
        "domain": "lending",
        "product": "lending.credit_profile",
        "node": "model.lending.credit_profile.v1",
        "sentence": "It was built again.",
        "remedy": "Look at it.",
    }
    return Event(**(facts | words))


def parsed(*events):
    return Xml.fromstring(feed(events, ABOUT))  # noqa: S314 our own bytes


def text(element, name):
    found = element.findall(f"a:{name}", NS)
    assert len(found) == 1, name
    return found[0].text


def check(element):
    """What RFC 4287 requires of a feed and of an entry."""
    assert uuid.UUID(text(element, "id"))
    assert text(element, "title")
    assert MOMENT.fullmatch(text(element, "updated"))
    assert element.find("a:author/a:name", NS).text
    assert element.find("a:link[@rel='alternate']", NS).get("href")


@pytest.mark.parametrize("events", [(), (event(),), (event(1), event(2))])
def test_a_feed_has_everything_that_the_standard_asks_for(events):
    root = parsed(*events)
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    check(root)
    assert root.find("a:link[@rel='self']", NS).get("href") == "changes.atom"
    entries = root.findall("a:entry", NS)
    assert len(entries) == len(events)
    for entry in entries:
        check(entry)
        assert entry.find("a:content", NS).get("type") == "text"


def test_the_newest_stands_first_and_dates_the_feed():
    root = parsed(event(1), event(3), event(2))
    moments = [text(e, "updated") for e in root.findall("a:entry", NS)]
    assert moments == sorted(moments, reverse=True)
    assert text(root, "updated") == moments[0] == "2026-11-21T12:03:00Z"


def test_ids_stay_when_more_is_told_and_never_meet():
    def ids(*events):
        return [text(e, "id") for e in parsed(*events).findall("a:entry", NS)]

    assert ids(event(1)) == ids(event(1), event(2))[1:]
    assert ids(event(1)) != ids(event(1, domain="auto"))
    assert text(parsed(), "id") == text(parsed(event(1)), "id")


def test_the_same_events_give_the_same_bytes():
    assert feed([event(1), event(2)], ABOUT) == feed([event(2), event(1)], ABOUT)


def test_it_holds_the_newest_and_no_more():
    root = parsed(*(event(n) for n in range(1, ENTRIES + 50)))
    assert len(root.findall("a:entry", NS)) == ENTRIES


@pytest.mark.parametrize(
    "words",
    [
        "<script>alert(1)</script>",
        "a & b ]]> <!-- -->",
        "\"quoted\" 'twice'",
        "control \x00\x01\x1b[31m\x7f here",
        "half a letter \ud800 and \ufffe\uffff",
        "turned \u202e round",
        "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>&b;",
    ],
)
def test_what_is_said_is_text_and_nothing_else(words):
    hostile = event().model_copy(
        update={"sentence": words, "remedy": words, "node": words, "domain": words}
    )
    root = parsed(hostile)
    (entry,) = root.findall("a:entry", NS)
    assert {e.tag.partition("}")[2] for e in entry.iter()} == {
        "entry",
        "id",
        "title",
        "updated",
        "published",
        "author",
        "name",
        "category",
        "link",
        "content",
    }
    assert not any(c in text(entry, "title") for c in "\x00\x01\x1b\u202e")


def test_a_link_leads_to_the_page_of_what_it_is_about():
    root = parsed(event(node='model.x"><b>'))
    href = root.find("a:entry/a:link", NS).get("href")
    assert href == "index.html#!/model/model.x%22%3E%3Cb%3E"


def test_the_feed_of_a_mesh_is_written_whole_and_can_be_served(lending):
    (lending.root / "target" / "catalog").mkdir()
    path = lending.changes.write_feed()
    assert path == lending.root / "target" / "catalog" / "changes.atom"
    assert path.stat().st_mode & 0o044 == 0o044
    first = path.read_bytes()
    assert len(Xml.fromstring(first).findall("a:entry", NS)) == 3  # noqa: S314
    lending.publish().look()
    lending.changes.write_feed()
    assert path.read_bytes() == first
