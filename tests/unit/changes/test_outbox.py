"""What holds of an outbox whatever happens to its writers, its files and its size."""

import json
import multiprocessing
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import fl_plugin.changes.outbox as room
from fl_plugin.changes import files
from fl_plugin.changes.changes import Changes
from fl_plugin.changes.event import Change
from fl_plugin.changes.outbox import Outbox
from fl_plugin.changes.published import Published
from fl_plugin.errors import StorageError

AT = datetime(2026, 11, 21, tzinfo=UTC)


def change(number):
    name = f"lending.p{number}"
    return Change(kind="product.added", product=name, sentence=name, remedy="Look.")


def found(*numbers):
    return lambda before: (Published(), tuple(change(n) for n in numbers))


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox", "lending")


def test_events_are_numbered_from_one_without_a_gap(outbox):
    outbox.record(found(1, 2), AT)
    outbox.record(found(3), AT)
    assert [e.sequence for e in outbox.events()] == [1, 2, 3]


def test_a_line_is_never_altered_by_what_comes_after_it(outbox):
    outbox.record(found(1, 2), AT)
    before = (outbox.folder / "events.jsonl").read_bytes()
    outbox.record(found(3), AT + timedelta(days=1))
    assert (outbox.folder / "events.jsonl").read_bytes().startswith(before)


def test_it_keeps_no_more_than_so_many_and_goes_on_counting(tmp_path):
    outbox = Outbox(tmp_path / "outbox", "lending", kept=5)
    for number in range(4):
        outbox.record(found(3 * number, 3 * number + 1, 3 * number + 2), AT)
    assert [e.sequence for e in outbox.events()] == [8, 9, 10, 11, 12]


def test_a_process_that_dies_before_it_writes_what_it_saw_writes_nothing_twice(
    outbox, monkeypatch
):
    whole = files.write_whole

    def dies(path, content):
        if path.name == "seen.json":
            raise KeyboardInterrupt
        whole(path, content)

    monkeypatch.setattr(room, "write_whole", dies)
    with pytest.raises(KeyboardInterrupt):
        outbox.record(found(1, 2), AT)
    monkeypatch.undo()
    assert outbox.record(found(1, 2), AT + timedelta(hours=1)) == ()
    assert [e.sequence for e in outbox.events()] == [1, 2]
    assert outbox.seen().sequence == 2


def test_a_process_that_dies_at_any_write_leaves_the_old_file_or_the_new(
    outbox, monkeypatch
):
    outbox.record(found(1), AT)
    before = (outbox.folder / "events.jsonl").read_bytes()

    def dies(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", dies)
    with pytest.raises(StorageError, match="No space left"):
        outbox.record(found(2), AT)
    monkeypatch.undo()
    assert (outbox.folder / "events.jsonl").read_bytes() == before
    assert [p.name for p in outbox.folder.glob(".events*")] == []
    assert len(outbox.record(found(2), AT)) == 1


def test_an_outbox_that_was_moved_away_begins_anew_but_does_not_forget_what_was_seen(
    lending,
):
    (lending.folder / "outbox" / "events.jsonl").unlink()
    assert lending.kinds() == []
    lending.contract["min_cohort"] = 24
    lending.publish()
    (event,) = lending.look()
    assert event.sequence == 4, "numbers are never given twice"


def test_what_was_seen_and_lost_fires_nothing_that_is_still_in_the_outbox(lending):
    (lending.folder / "outbox" / "seen.json").unlink()
    assert lending.kinds() == []


def record_many(folder, start, count, gate):
    gate.wait()
    outbox = Outbox(folder, "lending")
    for number in range(start, start + count):
        outbox.record(found(number), AT)


def test_four_processes_write_without_a_gap_or_a_loss(tmp_path):
    context = multiprocessing.get_context("spawn")
    gate, folder = context.Event(), tmp_path / "outbox"
    crowd = [
        context.Process(target=record_many, args=(folder, 1000 * n, 25, gate))
        for n in range(4)
    ]
    for process in crowd:
        process.start()
    gate.set()
    for process in crowd:
        process.join(60)
        assert process.exitcode == 0
    events = Outbox(folder, "lending").events()
    assert [e.sequence for e in events] == list(range(1, 101))
    assert {e.sentence for e in events} == {
        f"lending.p{1000 * n + i}" for n in range(4) for i in range(25)
    }


def look_once(root, gate, told):
    gate.wait()
    told.put(len(Changes(root).look().events))


def test_a_change_that_four_processes_see_at_once_is_one_event(new_mesh):
    context = multiprocessing.get_context("spawn")
    gate, told = context.Event(), context.Queue()
    crowd = [
        context.Process(target=look_once, args=(new_mesh.root, gate, told))
        for _ in range(4)
    ]
    for process in crowd:
        process.start()
    gate.set()
    counts = sorted(told.get(timeout=60) for _ in crowd)
    for process in crowd:
        process.join(60)
    # Freshness is by the real clock, so the number of events is not said here.
    assert counts[:3] == [0, 0, 0]
    assert counts[3] >= 3


def test_a_held_lock_is_waited_for_and_then_told(outbox, monkeypatch):
    from fl_plugin.changes.files import locked  # noqa: PLC0415

    path = outbox.folder / ".lock"
    with (
        locked(path),
        pytest.raises(StorageError, match="held by another process"),
        locked(path, seconds=0.1),
    ):
        pytest.fail("two held it")


@pytest.mark.parametrize(
    "spoil",
    [
        b"{}\n",
        b"not json\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"id":"evt_1"}\n',
    ],
)
def test_an_altered_outbox_is_told_and_not_believed(lending, spoil):
    (lending.folder / "outbox" / "events.jsonl").write_bytes(spoil)
    news = lending.changes.look()
    assert news.events == ()
    assert "was altered" in news.problems["lending"].problem


def test_events_out_of_order_are_told(lending):
    path = lending.folder / "outbox" / "events.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2]]) + "\n")
    assert "not in order" in lending.changes.events().problems["lending"].problem


def test_an_outbox_ignores_itself_in_git(lending):
    ignored = lending.folder / "outbox" / ".gitignore"
    assert ignored.read_text().splitlines()[1:] == ["*", "!.gitignore"]
    assert not stat.S_IMODE(ignored.stat().st_mode) & 0o111
    repository = Path(__file__).resolve().parents[3] / "domains"
    ours = {p.parents[1].name for p in repository.glob("*/outbox/.gitignore")}
    assert ours == {p.parent.name for p in repository.glob("*/node.yml")}


def test_a_domain_that_cannot_be_read_has_not_lost_its_products(lending):
    manifest = lending.folder / "target" / "manifest.json"
    text = manifest.read_text()
    for spoilt in ("", "{}", "[]", text[:-100]):
        manifest.write_text(spoilt)
        news = lending.changes.look()
        assert news.events == ()
        assert "lending" in news.problems
    manifest.unlink()
    assert lending.changes.look().events == ()
    manifest.write_text(text)
    assert lending.look() == []


def test_a_product_that_is_not_valid_today_has_not_gone(lending):
    lending.contract["classification"] = "secret"
    lending.publish()
    news = lending.changes.look()
    assert news.events == ()
    assert "lending.credit_profile.v1" in news.problems
    lending.contract["classification"] = "restricted"
    lending.publish()
    assert lending.kinds() == ["policy.changed"]


@pytest.mark.parametrize("which", ["grant", "study"])
def test_a_grant_or_study_that_is_not_valid_today_has_not_gone(lending, which):
    block = lending.request if which == "grant" else lending.study
    good = block["purpose"]
    block["purpose"] = 7
    lending.publish()
    assert lending.kinds() == []
    block["purpose"] = good
    lending.publish()
    assert lending.kinds() == []


def test_a_root_that_cannot_be_read_has_not_lost_its_studies(lending):
    (lending.root / "target" / "manifest.json").unlink()
    news = lending.changes.look()
    assert news.events == ()
    assert "studies" in news.problems


@pytest.mark.parametrize("name", ["run_results.json", "quality.json"])
def test_a_damaged_artifact_is_told_and_hides_nothing_else(lending, name):
    lending.contract["min_cohort"] = 24
    lending.publish()
    (lending.folder / "target" / name).write_text('{"products": 1, "results": 2}')
    news = lending.changes.look()
    assert [e.kind for e in news.events] == ["policy.changed"]
    assert f"lending, {name}" in news.problems


def test_a_published_quality_profile_is_believed_for_its_own_build(lending):
    profile = {
        "product": "lending.credit_profile",
        "version": 1,
        "built_at": lending.built.isoformat(),
        "measured_at": lending.built.isoformat(),
        "as_of": lending.built.isoformat(),
        "rows": "500",
        "broken": {"drift": lending.built.isoformat()},
    }
    text = json.dumps({"format": 1, "domain": "lending", "products": [profile]})
    (lending.folder / "target" / "quality.json").write_text(text)
    (event,) = lending.look()
    assert event.kind == "sla.breached"
    assert "drifted" in event.sentence
    assert lending.look() == []


def test_looking_without_recording_writes_nothing(new_mesh):
    news = new_mesh.changes.look(record=False)
    assert len(news.events) == 3
    assert not (new_mesh.folder / "outbox").exists()
    assert new_mesh.look() == list(news.events)


@pytest.mark.parametrize("name", ["half \ud800", "x" * 5000])
def test_a_name_that_dbt_would_not_have_written_is_told(new_mesh, name):
    node = new_mesh.product | {"unique_id": f"model.lending.{name}"}
    new_mesh.versions = {f"model.lending.{name}": node}
    new_mesh.publish()
    news = new_mesh.changes.look()
    assert news.events == ()
    assert "too long or no text" in news.problems["lending"].problem
