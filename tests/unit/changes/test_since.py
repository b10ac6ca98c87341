"""What `--since` may say, and what a reader has read."""

from datetime import UTC, datetime, timedelta

import pytest

from fl_plugin.errors import UsageError

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def told(lending):
    """Three events of today and one of tomorrow."""
    lending.now += timedelta(days=1)
    lending.contract["min_cohort"] = 24
    lending.built = lending.now - timedelta(hours=1)
    del lending.contract["freshness_hours"]
    lending.publish()
    lending.look()
    return lending


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("2026-11-21", 5),
        ("2026-11-22", 2),
        ("2026-11-22T11:59:59+00:00", 2),
        ("2026-11-22T13:30:00+01:00", 0),
        ("1h", 2),
        ("30m", 2),
        ("24h", 5),
        ("7d", 5),
        ("2w", 5),
        ("3", 2),
        ("lending:4", 1),
        ("lending:0", 5),
    ],
)
def test_since_means_what_it_says(told, words, count):
    assert len(told.changes.events(words).events) == count


def test_since_an_event_means_what_came_after_it(told):
    third = told.changes.events().events[2]
    after = told.changes.events(third.id).events
    assert [e.sequence for e in after] == [4, 5]


@pytest.mark.parametrize(
    "words",
    [
        "yesterday",
        "7x",
        "0d",
        "-7d",
        "2026-13-40",
        "lending:",
        "evt_" + "0" * 32,
        "nobody:3",
        "٣d",
        "7d\n",
        "x" * 10_000,
    ],
)
def test_anything_else_is_an_error_that_shows_the_forms(told, words):
    with pytest.raises(UsageError) as caught:
        told.changes.events(words)
    assert caught.value.remedy


def test_a_bare_number_is_refused_where_there_are_several_domains(told):
    other = told.root / "domains" / "auto"
    other.mkdir()
    (other / "node.yml").write_text("domain: auto\n")
    with pytest.raises(UsageError, match="numbered in each domain"):
        told.changes.events("3")
    assert len(told.changes.events("3", domain="lending").events) == 2


def test_a_reader_is_shown_each_event_until_it_has_read_it(told):
    room = told.changes
    first = room.unread("ml_coe")
    assert len(first.events) == 5
    assert len(room.unread("ml_coe").events) == 5, "not read until it is marked"
    room.mark_read("ml_coe", first)
    assert room.unread("ml_coe").events == ()
    assert len(room.unread("bo").events) == 5


def test_what_comes_while_somebody_reads_is_not_lost(told):
    room = told.changes
    news = room.unread("ml_coe")
    told.contract["min_cohort"] = 23
    told.publish()
    told.look()
    room.mark_read("ml_coe", news)
    assert [e.kind for e in room.unread("ml_coe").events] == ["policy.changed"]


def test_a_reader_that_was_away_too_long_is_told_how_much_it_missed(told):
    room = told.changes
    room.mark_read("ml_coe", room.unread("ml_coe"))
    path = told.folder / "outbox" / "events.jsonl"
    for cohort in (22, 21, 20):
        told.contract["min_cohort"] = cohort
        told.publish()
        told.look()
    path.write_text("\n".join(path.read_text().splitlines()[-1:]) + "\n")
    news = room.unread("ml_coe")
    assert (len(news.events), news.missed) == (1, {"lending": 2})


def test_a_consumer_sees_what_names_it_and_what_names_nobody(told):
    room = told.changes
    assert len(room.events(consumer="ml_coe").events) == 5
    assert room.events(consumer="marketing_analytics").events == ()


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A B", "ü" * 300, ".."])
def test_a_readers_name_is_never_a_path(told, name):
    room = told.changes
    room.mark_read(name, room.unread(name))
    outbox = told.folder / "outbox"
    assert [p.parent for p in outbox.rglob("*.json") if p.name != "seen.json"] == [
        outbox / "readers"
    ]


def test_a_domain_that_is_not_there_is_named(told):
    with pytest.raises(UsageError, match="no domain 'nobody'"):
        told.changes.look("nobody")


def test_a_bookmark_in_an_outbox_that_was_moved_away_hides_nothing(told):
    room = told.changes
    room.mark_read("ml_coe", room.unread("ml_coe"))
    bookmark = told.folder / "outbox" / "readers" / "ml_coe.json"
    bookmark.write_text('{"sequence": 900}')
    assert len(room.unread("ml_coe").events) == 5
