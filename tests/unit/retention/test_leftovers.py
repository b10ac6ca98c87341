"""Drafts, spools and logs go, nothing else does, and no link is followed."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from fl_plugin.errors import ContractError, StorageError, UsageError
from fl_plugin.retention.places import remove

REMOVE = "fl_plugin.retention.sweep.remove"
MADE = datetime(2026, 1, 1, 12, tzinfo=UTC)
INTERMEDIATE = [
    "registry/credit_risk/.v3.draft/model.skops",
    "registry/credit_risk/v9/.tombstone.json.new",
    "runs/20260101t120000-credit_risk-0badcafe/spool.bin",
    "domains/.trading-a1b2c3d4/node.yml",
    "target/.docs-a1b2c3d4/catalog.json",
    "target/catalog/.site-a1b2c3d4/index.html",
    "domains/lending/ledger/ledger.sqlite.new-a1b2c3d4",
    "domains/lending/ledger/ledger.sqlite.new-a1b2c3d4-wal",
    "domains/lending/outbox/.events.jsonl-a1b2c3d4",
    "domains/lending/outbox/readers/.ml_coe.json-a1b2c3d4",
    "domains/lending/target/.quality.json.a1b2c3d4",
    "domains/lending/.node.yml.a1b2c3d4.aside",
    "domains/lending/models/grants/.g_credit_risk.yml.a1b2c3d4.aside",
]
KEPT = [
    "README.md",
    "data/application.csv",
    "data/.settings.original",
    "domains/lending/data/lending.duckdb",
    "domains/lending/ledger/ledger.sqlite.backup",
    "domains/lending/ledger/mask.key",
    "domains/lending/models/products/.loans.template",
    "domains/lending/models/products/loans.yml",
    "domains/lending/outbox/.gitignore",
    "domains/lending/outbox/.lock",
    "domains/lending/outbox/readers/ml_coe.json",
    "domains/lending/seeds/.raw.yml.a1b2c3d4",
    "domains/lending/target/run_results.json",
    "models/studies/credit_risk.yml",
    "registry/credit_risk/.lock",
    "target/manifest.json",
]


@pytest.mark.parametrize("name", INTERMEDIATE)
def test_what_was_only_needed_for_a_while_goes_after_its_hours(small, name):
    path = small.file(name)
    assert small.sweep(days=0.99).expired == ()
    assert path.exists()
    (gone,) = small.sweep(days=1).expired
    assert gone.kind == "intermediate"
    assert not path.exists()


def test_after_its_hours_no_intermediate_file_is_left_and_all_else_is(small):
    before = small.everything()
    for name in [*INTERMEDIATE, *KEPT]:
        small.file(name)
    small.sweep(days=2)
    ledgers = {n for n in small.everything() if n.endswith("ledger.sqlite")}
    assert small.everything() - ledgers == before | set(KEPT)


def test_hours_can_be_set_and_a_domain_may_only_be_stricter(small):
    small.file("retention.yml", text="intermediate_hours: 48\n")
    small.file("domains/lending/retention.yml", text="intermediate_hours: 2\n")
    small.file("domains/savings/retention.yml", text="intermediate_hours: 99\n")
    for domain in ("lending", "savings"):
        small.file(f"domains/{domain}/outbox/.events.jsonl-a1b2c3d4")
    assert len(small.sweep(days=0.5).expired) == 1
    assert len(small.sweep(days=1.9).expired) == 0
    assert len(small.sweep(days=2).expired) == 1


def test_a_draft_in_which_something_is_still_written_stays(small):
    draft = small.file("registry/credit_risk/.v3.draft/model.skops")
    small.file("registry/credit_risk/.v3.draft/run.json", age_of=later(5))
    os.utime(draft.parent, (MADE.timestamp(), MADE.timestamp()))
    assert small.sweep(days=5.5).expired == ()
    assert draft.exists()


@pytest.mark.parametrize(
    ("name", "kind", "days"),
    [
        ("logs/dbt.log", "log", 30),
        ("domains/lending/logs/fl-build.log", "log", 30),
        ("target/catalog/index.html", "published", 365),
        ("domains/lending/target/quality.json", "published", 365),
    ],
)
def test_logs_and_what_was_published_go_after_their_days(small, name, kind, days):
    path = small.file(name)
    assert small.sweep(days=days - 0.01).expired == ()
    (gone,) = small.sweep(days=days).expired
    assert gone.kind == kind
    assert not path.exists()


def test_a_site_of_which_one_page_is_new_stays_whole(small):
    small.file("target/catalog/index.html")
    small.file("target/catalog/static.html", age_of=later(300))
    assert small.sweep(days=400).expired == ()


def later(days: float) -> datetime:
    return MADE + timedelta(days=days)


def test_each_removal_is_in_the_ledger_of_its_domain_and_no_other(small):
    small.file("domains/lending/outbox/.events.jsonl-a1b2c3d4")
    small.file("domains/lending/logs/dbt.log")
    small.sweep(days=31)
    assert [(r.rule, r.columns) for r in small.records("lending")] == [
        ("retention.intermediate", ("domains/lending/outbox/.events.jsonl-a1b2c3d4",)),
        ("retention.log", ("domains/lending/logs/dbt.log",)),
    ]
    assert small.records("savings") == []


def test_what_cannot_be_recorded_is_not_removed(small):
    path = small.file("domains/lending/outbox/.events.jsonl-a1b2c3d4")
    small.file("domains/lending/ledger/ledger.sqlite", text="no ledger")
    found = small.sweep(days=31)
    assert [type(e) for e in found.problems.values()] == [StorageError]
    assert path.exists()


def test_one_domain_touches_nothing_of_the_others_or_of_the_mesh(small):
    for name in INTERMEDIATE:
        small.file(name)
    small.file("domains/savings/outbox/.events.jsonl-a1b2c3d4")
    gone = {str(e.path) for e in small.sweep("savings", days=2).expired}
    assert gone == {"domains/savings/outbox/.events.jsonl-a1b2c3d4"}


LINKS = [
    "registry/credit_risk/.v3.draft",
    "runs/spool",
    "target/catalog",
    "target/.docs-a1b2c3d4",
    "domains/lending/outbox",
    "domains/lending/target/quality.json",
    "domains/lending/ledger/.x.a1b2c3d4",
    "domains/lending/logs",
    "domains/lending/models/grants",
    "registry",
    "runs",
    "logs",
]


@pytest.mark.parametrize("name", LINKS)
def test_a_link_is_never_followed(small, tmp_path, name):
    outside = tmp_path / "outside"
    (outside / "credit_risk" / ".v3.draft").mkdir(parents=True)
    for path in ("credit_risk/.v3.draft/x", ".events.jsonl-a1b2c3d4", "dbt.log"):
        (outside / path).write_text("theirs")
    (outside / ".g.yml.a1b2c3d4.aside").write_text("theirs")
    (outside / "events.jsonl").write_text('{"at": "2026-01-01T00:00Z"}\n')
    os.utime(outside, (0, 0))
    before = {p: p.read_bytes() for p in outside.rglob("*") if p.is_file()}
    link = small.root / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside, target_is_directory=True)
    small.sweep(days=20_000)
    assert {p: p.read_bytes() for p in outside.rglob("*") if p.is_file()} == before
    assert link.is_symlink()


def test_a_domain_that_is_a_link_is_none(small, tmp_path):
    away = tmp_path / "away"
    (small.root / "domains/lending").rename(away)
    (small.root / "domains/lending").symlink_to(away)
    (away / "outbox").mkdir()
    (away / "outbox" / ".events.jsonl-a1b2c3d4").write_text("x")
    assert small.sweep(days=20_000).expired == ()
    assert (away / "outbox" / ".events.jsonl-a1b2c3d4").exists()
    with pytest.raises(UsageError):
        small.sweep("lending")


def test_a_link_inside_a_draft_goes_and_what_it_names_stays(small, tmp_path):
    theirs = tmp_path / "theirs.txt"
    theirs.write_text("theirs")
    draft = small.file("registry/credit_risk/.v3.draft/model.skops").parent
    (draft / "link").symlink_to(theirs)
    os.utime(draft, (0, 0))
    small.sweep(days=2)
    assert not draft.exists()
    assert theirs.read_text() == "theirs"


def test_only_what_lies_in_the_mesh_can_be_removed(small, tmp_path):
    theirs = tmp_path / "theirs.txt"
    theirs.write_text("theirs")
    inside = small.root / "link"
    inside.symlink_to(theirs)
    for path in (theirs, inside, small.root / ".." / "theirs.txt"):
        with pytest.raises(StorageError):
            remove(small.root, path)
    assert theirs.read_text() == "theirs"


def test_special_files_are_not_touched(small):
    pipe = small.root / "runs" / "pipe"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    assert small.sweep(days=20_000).expired == ()
    assert pipe.exists()


def test_a_removal_that_dies_is_finished_by_the_next_sweep(small, monkeypatch):
    draft = small.file("registry/credit_risk/.v3.draft/model.skops").parent

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(REMOVE, dies)
        with pytest.raises(KeyboardInterrupt):
            small.sweep(days=2)
    assert draft.exists()
    small.sweep(days=2)
    assert not draft.exists()


def test_one_thing_that_cannot_be_removed_keeps_nothing_else_from_going(
    small, monkeypatch
):
    small.file("runs/a")
    second = small.file("runs/b")

    def refuses(root, path):
        if path.name == "a":
            raise StorageError("The disk refuses.", remedy="Mend it.")
        remove(root, path)

    monkeypatch.setattr(REMOVE, refuses)
    found = small.sweep(days=2)
    assert list(found.problems) == ["runs/a"]
    assert [str(e.path) for e in found.expired] == ["runs/b"]
    assert not second.exists()


@pytest.mark.parametrize(
    "text",
    [
        "logs_days: 0\n",
        "logs_days: -1\n",
        "logs_days: 30.5\n",
        "logs_days: '30'\n",
        "log_days: 30\n",
        "models_days: true\n",
        "- 1\n",
        "a: &x [*x]\n",
        "\x00",
    ],
)
@pytest.mark.parametrize("where", ["retention.yml", "domains/lending/retention.yml"])
def test_settings_that_are_wrong_stop_the_sweep_before_anything_goes(
    small, text, where
):
    path = small.file("runs/spool")
    small.file(where, text=text)
    with pytest.raises(ContractError):
        small.sweep(days=20_000)
    assert path.exists()


def test_a_mesh_without_a_registry_or_outboxes_has_nothing_to_lose(small):
    found = small.sweep(days=20_000)
    assert (found.expired, found.problems) == ((), {})
