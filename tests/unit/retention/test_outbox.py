"""An outbox loses its oldest entries, whole lines, when nobody is writing."""

import fcntl
import json
from datetime import UTC, datetime, timedelta

import pytest

from fl_plugin.errors import StorageError

MADE = datetime(2026, 1, 1, 12, tzinfo=UTC)


def later(days: float) -> datetime:
    return MADE + timedelta(days=days)


def event(number: int, at: datetime) -> str:
    return json.dumps({"sequence": number, "at": at.isoformat()})


def outbox(small, *days: float, name: str = "events.jsonl"):
    lines = (f"{event(n, later(d))}\n" for n, d in enumerate(days, start=1))
    return small.file(f"domains/lending/outbox/{name}", text="".join(lines))


@pytest.mark.parametrize("name", ["events.jsonl", "dead.jsonl"])
def test_an_outbox_loses_its_oldest_entries_and_keeps_their_numbers(small, name):
    file = outbox(small, 0, 1, 50, name=name)
    assert small.sweep(days=89.9).expired == ()
    (gone,) = small.sweep(days=91).expired
    assert (gone.kind, gone.why) == ("outbox", "2 entries are older than 90 days.")
    assert [json.loads(x)["sequence"] for x in file.read_text().splitlines()] == [3]
    assert small.sweep(days=91).expired == ()


def test_an_old_entry_after_a_newer_one_waits_for_it(small):
    file = outbox(small, 50, 0)
    assert small.sweep(days=91).expired == ()
    assert len(file.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "text", ["{}\n", "[1]\n", "\x00\n", '{"at": "soon"}\n', '{"at": 7}\n', "[" * 9999]
)
def test_an_outbox_that_is_none_is_told_and_left(small, text):
    file = small.file("domains/lending/outbox/events.jsonl", text=text)
    found = small.sweep(days=9000)
    assert isinstance(
        found.problems["domains/lending/outbox/events.jsonl"], StorageError
    )
    assert file.read_text() == text


def test_an_outbox_that_somebody_writes_is_left_for_the_next_time(small):
    file = outbox(small, 0)
    lock = small.file("domains/lending/outbox/.lock")
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert list(small.sweep(days=91).problems) == [
            "domains/lending/outbox/events.jsonl"
        ]
    assert file.read_text()
    assert len(small.sweep(days=91).expired) == 1
