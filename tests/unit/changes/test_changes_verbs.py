"""`fl catalog changes` and `fl notify` as they are typed."""

import json
from types import SimpleNamespace
from xml.etree import ElementTree as Xml

import pytest

from fl_plugin.changes.subscribers import FILE
from fl_plugin.cli.main import main
from tests.unit.changes import receiver as servers


@pytest.fixture
def fl(capsys):
    def run(mesh, *words):
        code = main([*words, "--project", str(mesh.root)])
        told = capsys.readouterr()
        return SimpleNamespace(code=code, out=told.out, err=told.err)

    return run


def test_changes_are_shown_once(new_mesh, fl):
    lines = fl(new_mesh, "catalog", "changes").out.splitlines()
    assert lines[0].split("\t")[:3] == ["at (UTC)", "what", "number"]
    assert any("grant.approved\tlending:" in line for line in lines)
    again = fl(new_mesh, "catalog", "changes")
    assert (again.code, again.out) == (0, "")
    assert "Nothing has changed." in again.err


def test_with_keep_they_are_shown_again(new_mesh, fl):
    first = fl(new_mesh, "catalog", "changes", "--keep").out
    assert fl(new_mesh, "catalog", "changes").out == first


def test_with_since_nothing_is_marked_as_read(new_mesh, fl):
    assert fl(new_mesh, "catalog", "changes", "--since", "lending:1").out
    assert fl(new_mesh, "catalog", "changes").out.count("\n") > 3


def test_each_consumer_reads_for_itself(lending, fl):
    mine = fl(lending, "catalog", "changes", "--for", "ml_coe").out
    assert "grant.approved" in mine
    assert fl(lending, "catalog", "changes", "--for", "ml_coe").out == ""
    assert fl(lending, "catalog", "changes", "--for", "marketing_analytics").out == ""
    assert fl(lending, "catalog", "changes").out


def test_changes_as_json_carry_what_to_do_and_whom_it_concerns(new_mesh, fl):
    told = json.loads(fl(new_mesh, "catalog", "changes", "--json").out)
    grant = next(e for e in told["events"] if e["kind"] == "grant.approved")
    assert grant["consumers"] == ["ml_coe"]
    assert grant["remedy"]
    assert grant["id"].startswith("evt_")
    assert (told["missed"], told["problems"]) == ({}, {})


def test_what_could_not_be_looked_at_is_told_and_the_rest_shown(lending, fl):
    (lending.folder / "target" / "manifest.json").write_text("{")
    done = fl(lending, "catalog", "changes", "--since", "lending:0")
    assert done.code == 0
    assert "grant.approved" in done.out
    assert "not looked at: lending:" in done.err


@pytest.mark.parametrize("words", [("--since", "soon"), ("--domain", "nobody")])
def test_a_word_that_means_nothing_is_an_error(lending, fl, words):
    done = fl(lending, "catalog", "changes", *words)
    assert done.code == 2
    assert done.err.startswith("error: ")


def test_building_the_catalog_writes_the_feed_beside_it_and_links_it(new_mesh, fl):
    target = new_mesh.root / "target"
    (target / "index.html").write_text(
        '"MANIFEST.JSON INLINE DATA" "CATALOG.JSON INLINE DATA"'
    )
    done = fl(new_mesh, "catalog", "build", "--no-dbt", "--json")
    path = target / "catalog" / "changes.atom"
    assert json.loads(done.out)["feed"] == str(path)
    assert Xml.parse(path).getroot().tag.endswith("}feed")  # noqa: S314 our own
    page = (target / "catalog" / "manifest.json").read_text()
    assert "(changes.atom)" in page


def test_a_feed_that_cannot_be_written_does_not_undo_the_catalog(new_mesh, fl):
    target = new_mesh.root / "target"
    (target / "index.html").write_text(
        '"MANIFEST.JSON INLINE DATA" "CATALOG.JSON INLINE DATA"'
    )
    (target / "catalog" / "changes.atom").mkdir(parents=True)
    done = fl(new_mesh, "catalog", "build", "--no-dbt")
    assert done.code == 0
    assert "no feed of changes" in done.err


def subscribe(mesh, url, **words):
    facts = {"subscribers": {"ml_coe": {"url": url, "attempts": 1} | words}}
    (mesh.folder / FILE).write_text(json.dumps(facts))


def test_send_looks_and_sends(new_mesh, fl):
    with servers.listening() as receiver:
        subscribe(new_mesh, receiver.url)
        done = fl(new_mesh, "notify", "send")
        assert done.code == 0
        assert "lending\tml_coe\t3\t0\t0\t" in done.out
        assert len(receiver.requests) == 3


def test_a_dry_run_shows_what_would_be_sent_and_changes_nothing(new_mesh, fl):
    with servers.listening() as receiver:
        subscribe(new_mesh, receiver.url)
        done = fl(new_mesh, "notify", "send", "--dry-run")
        assert done.out.count("lending:") == 3
        assert receiver.requests == []
    assert not (new_mesh.folder / "outbox").exists()


def test_what_was_not_taken_sets_the_exit_code_and_can_be_listed(new_mesh, fl):
    with servers.listening() as receiver:
        subscribe(new_mesh, receiver.url)
        receiver.behaviours = [servers.says(422), servers.says(500)]
        done = fl(new_mesh, "notify", "send", "--json")
        told = json.loads(done.out)
        assert done.code == 8
        assert told["error"]["problem"] == "3 events were not taken."
        assert told["sent"][0]["trouble"] == "answered 500"
        listed = fl(new_mesh, "notify", "list").out.splitlines()[1]
        assert listed == "lending\tml_coe\t127.0.0.1\t2\t1"
        assert fl(new_mesh, "notify", "send", "--dead").code == 0
        assert fl(new_mesh, "notify", "send").code == 0
        assert len(receiver.requests) == 5


def test_a_url_is_never_printed(new_mesh, fl):
    subscribe(new_mesh, "http://127.0.0.1:9/hook/s3cr3t-t0ken?key=s3cr3t")
    for words in (("send",), ("list",), ("send", "--dry-run"), ("send", "--json")):
        done = fl(new_mesh, "notify", *words)
        assert "s3cr3t" not in done.out + done.err
    subscribe(new_mesh, "http://bank.example/s3cr3t")
    done = fl(new_mesh, "notify", "send")
    assert done.code == 4
    assert "s3cr3t" not in done.out + done.err


def test_without_a_subscriber_sending_is_no_error(new_mesh, fl):
    done = fl(new_mesh, "notify", "send")
    assert done.code == 0
    assert "Nobody has subscribed" in done.err
