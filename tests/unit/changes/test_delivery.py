"""Events reach a subscriber at least once, in order, whatever it answers."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from fl_plugin.changes.dead_letters import DeadLetters
from fl_plugin.changes.delivery import Clock
from fl_plugin.changes.sending import send, send_dead, waiting
from fl_plugin.changes.subscribers import FILE
from fl_plugin.errors import ContractError, StorageError
from tests.unit.changes import receiver as servers

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 of this test


class Told:
    """A clock that does not wait but remembers for how long it should have."""

    def __init__(self):
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        self.slept = []

    @property
    def clock(self):
        return Clock(now=lambda: self.now, sleep=self.sleep, jitter=lambda top: top)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


class Hook:
    """A domain with three events and one subscriber on a real server."""

    def __init__(self, mesh, receiver):
        self.mesh, self.receiver, self.told = mesh, receiver, Told()
        self.folder = mesh.folder
        self.subscribe()

    def subscribe(self, **words):
        facts = {"url": self.receiver.url, "timeout_seconds": 0.5} | words
        text = json.dumps({"subscribers": {"ml_coe": facts}})
        (self.folder / FILE).write_text(text)

    def answers(self, *behaviours):
        self.receiver.behaviours = list(behaviours)
        self.receiver.requests.clear()

    def send(self):
        (done,) = send(self.folder, self.told.clock)
        return done

    @property
    def events(self):
        return [e.id for e in self.mesh.changes.events().events]

    @property
    def dead(self):
        return DeadLetters(self.folder / "outbox").letters()


@pytest.fixture
def hook(lending):
    with servers.listening() as receiver:
        yield Hook(lending, receiver)


def test_everything_is_sent_once_and_in_order(hook):
    done = hook.send()
    assert (done.sent, done.waiting, done.state) == (3, 0, "delivered")
    assert hook.receiver.ids == hook.events
    assert hook.send().state == "nothing to send"
    assert len(hook.receiver.requests) == 3


def test_a_request_is_a_cloud_event_of_names(hook):
    hook.send()
    request = hook.receiver.requests[0]
    body = json.loads(request["body"])
    assert body["specversion"] == "1.0"
    assert body["type"] == "mesh.product.added"
    assert body["id"] == body["data"]["id"] == request["headers"]["Idempotency-Key"]
    assert body["source"] == "/domains/lending"
    assert datetime.fromisoformat(body["time"])
    assert "cloudevents+json" in request["headers"]["Content-Type"]
    assert "Mesh-Signature" not in request["headers"]


def test_a_signature_holds_for_whoever_has_the_secret(hook, monkeypatch):
    monkeypatch.setenv("ML_COE_HOOK", SECRET)
    hook.subscribe(secret={"env": "ML_COE_HOOK"})
    hook.send()
    request = hook.receiver.requests[0]
    said = dict(p.split("=") for p in request["headers"]["Mesh-Signature"].split(","))
    signed = f"{said['t']}.".encode() + request["body"]
    told = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(told, said["v1"])
    assert int(said["t"]) == int(hook.told.now.timestamp())


def test_without_its_secret_nothing_is_sent(hook, monkeypatch):
    monkeypatch.delenv("ML_COE_HOOK", raising=False)
    hook.subscribe(secret={"env": "ML_COE_HOOK"})
    with pytest.raises(ContractError):
        hook.send()
    assert hook.receiver.requests == []


@pytest.mark.parametrize(
    "behave",
    [
        servers.says(500),
        servers.says(503),
        servers.says(429),
        servers.says(408),
        servers.drops,
        servers.stalls,
        servers.babbles,
    ],
)
def test_what_may_pass_is_tried_again_with_the_same_key(hook, behave):
    hook.answers(behave, behave)
    assert hook.send().sent == 3
    first = hook.events[0]
    assert hook.receiver.ids == [first, first, *hook.events]
    bodies = {r["body"] for r in hook.receiver.requests[:3]}
    assert len(bodies) == 1


def test_pauses_double_and_are_as_long_as_asked(hook):
    hook.answers(*[servers.says(500)] * 3)
    hook.send()
    assert hook.told.slept == [0.5, 1.0, 2.0]
    hook.told.slept.clear()
    hook.subscribe(since="2026-11-21")
    (hook.folder / "outbox" / "subscribers" / "ml_coe.json").unlink()
    hook.answers(servers.says(503, Retry_After="7"))
    hook.send()
    assert hook.told.slept == [7.0]


def test_a_long_pause_is_remembered_and_not_slept(hook):
    hook.answers(servers.says(429, Retry_After="3600"))
    done = hook.send()
    assert (done.sent, done.waiting, done.trouble) == (0, 3, "answered 429")
    assert hook.told.slept == []
    hook.answers()
    assert "asked to wait until 2026-11-21 13:00" in hook.send().trouble
    assert hook.receiver.requests == []
    hook.told.now += timedelta(hours=1, seconds=1)
    assert hook.send().sent == 3


def test_one_that_does_not_answer_holds_its_events_and_their_order(hook):
    hook.answers(*[servers.says(500)] * 4)
    done = hook.send()
    assert (done.sent, done.waiting, done.given_up) == (0, 3, 0)
    assert hook.receiver.ids == [hook.events[0]] * 4
    assert done.trouble == "answered 500"
    hook.answers()
    assert hook.send().sent == 3


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 410])
def test_a_wrong_address_is_tried_once_a_call(hook, status):
    hook.answers(*[servers.says(status)] * 9)
    done = hook.send()
    assert (done.sent, done.waiting) == (0, 3)
    assert len(hook.receiver.requests) == 1
    assert hook.dead == ()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_event_that_is_not_wanted_is_a_dead_letter_and_the_next_is_sent(
    hook, status
):
    hook.answers(servers.says(status))
    done = hook.send()
    assert (done.sent, done.given_up, done.waiting) == (2, 1, 0)
    (letter,) = hook.dead
    assert letter.event.id == hook.events[0]
    assert letter.reason == f"answered {status}"


def test_after_so_many_attempts_an_event_is_a_dead_letter(hook):
    hook.subscribe(attempts=2, give_up_after=5)
    hook.answers(*[servers.says(500)] * 5)
    counts = [(hook.send().given_up, len(hook.receiver.requests)) for _ in range(3)]
    assert counts == [(0, 2), (0, 4), (1, 5)]
    assert hook.dead[0].tries == 5
    assert hook.send().sent == 2, "the others are not held up for ever"


def test_dead_letters_can_be_sent_again(hook):
    hook.answers(servers.says(422), servers.says(422))
    hook.send()
    assert len(hook.dead) == 2
    hook.answers(servers.says(500))
    (done,) = send_dead(hook.folder, hook.told.clock)
    assert (done.sent, done.waiting) == (1, 1)
    assert [letter.event.id for letter in hook.dead] == hook.events[:1]
    send_dead(hook.folder, hook.told.clock)
    assert hook.dead == ()


def test_a_process_that_dies_after_the_answer_sends_the_event_again(hook, monkeypatch):
    from fl_plugin.changes import delivery  # noqa: PLC0415

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "write_whole", dies)
    with pytest.raises(KeyboardInterrupt):
        hook.send()
    monkeypatch.undo()
    assert hook.send().sent == 3
    assert hook.receiver.ids == [hook.events[0], *hook.events]


def test_only_what_was_asked_for_is_sent(hook):
    hook.subscribe(kinds=["grant.approved"])
    assert hook.send().sent == 1
    hook.subscribe(kinds=["product.added"], consumer="marketing_analytics")
    assert [w.events for w in waiting(hook.folder)] == [()]


def test_nothing_older_than_asked_for_is_sent(hook):
    hook.subscribe(since="2026-11-22")
    assert hook.send().state == "nothing to send"


def test_one_that_is_down_does_not_hold_up_another(hook):
    with servers.listening() as other:
        facts = {"url": other.url}
        down = {"url": hook.receiver.url, "attempts": 1}
        text = json.dumps({"subscribers": {"a_down": down, "b_up": facts}})
        (hook.folder / FILE).write_text(text)
        hook.answers(*[servers.says(500)] * 9)
        done = {d.subscriber: d for d in send(hook.folder, hook.told.clock)}
        assert (done["a_down"].sent, done["b_up"].sent) == (0, 3)


def test_two_senders_at_once_are_one_too_many(hook):
    from fl_plugin.changes.files import locked  # noqa: PLC0415

    with (
        locked(hook.folder / "outbox" / ".sender"),
        pytest.raises(StorageError, match="held by another process"),
    ):
        hook.send()
    assert hook.receiver.requests == []


@pytest.mark.parametrize("name", ["dead.jsonl", "subscribers/ml_coe.json"])
def test_an_altered_file_is_told(hook, name):
    hook.answers(servers.says(422))
    hook.send()
    (hook.folder / "outbox" / name).write_text('{"sequence": -1}\n')
    with pytest.raises(StorageError, match="was altered"):
        waiting(hook.folder)


def test_a_place_from_an_outbox_that_was_moved_away_holds_nothing_back(hook):
    hook.send()
    outbox = hook.folder / "outbox"
    for name in ("events.jsonl", "seen.json"):
        (outbox / name).unlink()
    place = outbox / "subscribers" / "ml_coe.json"
    place.write_text('{"sequence": 900}')
    hook.mesh.look()
    hook.answers()
    assert hook.send().sent == 3
