"""A model goes when the strictest of its products says so, and something stays."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from fl_plugin.errors import BuildError, RegistryError, StorageError, UsageError
from fl_plugin.mesh.auditing import ledgers_of, verify_ledgers
from fl_plugin.registry.store import list_models, open_model, reserve
from fl_plugin.retention import sweep as room
from fl_plugin.retention.sweep import RetentionArea


def registry(small):
    return list_models(small.root / "registry")


def test_before_its_last_day_nothing_of_a_model_goes(small):
    small.model("lending", "savings")
    before = small.everything()
    found = small.sweep(days=99.99)
    assert (found.expired, found.problems) == ((), {})
    assert small.everything() == before


def test_on_its_last_day_a_model_goes_and_only_its_tombstone_stays(small):
    folder = small.model("lending", "savings")
    found = small.sweep(days=100)
    assert [(e.kind, e.study, e.version) for e in found.expired] == [
        ("model", "credit_risk", 1)
    ]
    assert [p.name for p in folder.iterdir()] == ["tombstone.json"]
    assert registry(small).entries == ()
    assert registry(small).problems == {}


def test_the_strictest_product_decides(small):
    small.model("savings")
    small.model("lending", "savings")
    found = small.sweep(days=150)
    assert [e.version for e in found.expired] == [2]
    assert "100 days of lending.loans's contract" in found.expired[0].why


def test_products_that_say_nothing_keep_a_model(small):
    small.domain("lending", None)
    small.model("lending")
    assert small.sweep(days=30_000).expired == ()


@pytest.mark.parametrize("where", ["retention.yml", "domains/lending/retention.yml"])
def test_a_mesh_or_a_domain_may_be_stricter_than_the_contract(small, where):
    small.model("lending", "savings")
    small.file(where, text="models_days: 10\n")
    assert small.sweep(days=9).expired == ()
    (gone,) = small.sweep(days=10).expired
    assert "10 days" in gone.why


def test_a_domain_cannot_be_laxer_than_the_mesh(small):
    small.file("retention.yml", text="models_days: 10\n")
    small.file("domains/lending/retention.yml", text="models_days: 9000\n")
    small.model("lending")
    assert len(small.sweep(days=10).expired) == 1


def test_the_tombstone_says_when_why_and_what(small):
    folder = small.model("lending", "savings")
    digests = json.loads((folder / "digests.json").read_text())["files"]
    small.sweep(days=100)
    (stone,) = registry(small).tombstones
    assert stone.removed_at == "2026-04-11T12:00:00+00:00"
    assert stone.reason == "Older than the 100 days of lending.loans's contract."
    assert stone.products == ("lending.loans", "savings.loans")
    assert stone.digests == digests
    assert stone.created_at == "2026-01-01T12:00:00+00:00"
    assert stone.audit_heads["lending"].hash == small.began("lending")


def test_each_domain_of_the_model_has_it_on_record(small):
    small.model("lending", "savings", run="run-7")
    small.sweep(days=100)
    for domain in ("lending", "savings"):
        (record,) = small.records(domain)
        assert (record.run, record.study) == ("run-7", "credit_risk")
        assert record.product == f"{domain}.loans"
        assert (record.rule, record.actor) == ("retention.model", "tester")
        (stone,) = registry(small).tombstones
        assert stone.recorded[domain].hash == record.hash


def test_the_heads_that_a_removed_run_knew_still_show_a_cut_ledger(small):
    small.model("lending")
    small.sweep(days=100)
    ledgers = ledgers_of(small.root, "lending")
    assert verify_ledgers(ledgers, registry(small))["lending"].ok
    ledgers["lending"].unlink()
    with small.ledger("lending"):
        pass  # a new, empty ledger: whole in itself
    found = verify_ledgers(ledgers, registry(small))["lending"]
    assert not found.ok
    assert found.first_bad == 1


def test_a_version_that_is_gone_is_never_given_again(small):
    small.model("lending")
    small.sweep(days=100)
    with reserve(small.root / "registry", "credit_risk") as slot:
        assert slot.version == 2


def test_who_asks_for_a_model_that_is_gone_is_told_when_and_why(small):
    small.model("lending")
    small.sweep(days=100)
    with pytest.raises(RegistryError) as told:
        open_model(small.root / "registry", "credit_risk", 1)
    assert "removed on 2026-04-11" in told.value.problem
    assert "lending.loans" in told.value.problem


def test_the_latest_model_is_the_latest_that_is_there(small):
    small.model("savings")
    small.model("lending")
    small.sweep(days=100)
    assert open_model(small.root / "registry", "credit_risk").version == 1


def test_looking_only_changes_nothing(small):
    small.model("lending")
    before = small.everything()
    found = small.sweep(days=100, dry_run=True)
    assert [e.version for e in found.expired] == [1]
    assert found.dry_run
    assert small.everything() == before
    assert small.records("lending") == []


def test_one_domain_removes_its_own_models_only(small):
    small.domain("savings", 100)
    small.model("lending")
    small.model("savings")
    found = small.sweep("savings", days=100)
    assert [e.version for e in found.expired] == [2]
    assert [e.version for e in registry(small).entries] == [1]


def test_a_product_that_is_gone_leaves_the_model_and_says_so(small):
    folder = small.model("savings")
    (small.root / "domains/savings/target/manifest.json").write_text(
        (small.root / "domains/savings/target/manifest.json")
        .read_text()
        .replace("loans", "debts")
    )
    found = small.sweep(days=9000)
    assert isinstance(found.problems["registry/credit_risk/v1"], BuildError)
    assert (folder / "model.skops").exists()


def test_a_strict_product_ends_a_model_though_another_cannot_be_asked(small):
    small.model("lending", "savings")
    (small.root / "domains/savings/target/manifest.json").unlink()
    found = small.sweep(days=100)
    assert [e.version for e in found.expired] == [1]
    assert found.problems == {}


def test_a_domain_that_left_the_mesh_stops_no_removal(small):
    small.file("retention.yml", text="models_days: 10\n")
    small.model("lending", "savings")
    (small.root / "domains/savings/node.yml").unlink()
    assert len(small.sweep(days=10).expired) == 1
    assert len(small.records("lending")) == 1


def test_a_damaged_model_is_told_and_left(small):
    folder = small.model("lending")
    (folder / "run.json").write_text("{}")
    found = small.sweep(days=9000)
    assert list(found.problems) == ["registry/credit_risk/v1"]
    assert (folder / "model.skops").exists()


def test_a_ledger_that_cannot_be_written_keeps_the_model(small):
    folder = small.model("lending")
    small.root.joinpath("domains/lending/ledger/ledger.sqlite").write_bytes(b"no")
    found = small.sweep(days=100)
    assert isinstance(found.problems["registry/credit_risk/v1"], StorageError)
    assert found.expired == ()
    assert (folder / "model.skops").exists()
    assert not (folder / "tombstone.json").exists()


STEPS = ("_record", "write_tombstone", "_empty")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_sweep_that_dies_at_any_step_is_finished_by_the_next(
    small, monkeypatch, step, when
):
    folder = small.model("lending")
    holder = room if step == "write_tombstone" else room._Broom
    plain = getattr(holder, step)

    def dies(*args):
        if when == "after":
            plain(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(holder, step, dies)
        with pytest.raises(KeyboardInterrupt):
            small.sweep(days=100)
    assert (folder / "run.json").exists() or small.records("lending")
    small.sweep(days=100)
    assert [p.name for p in folder.iterdir()] == ["tombstone.json"]
    assert small.records("lending")
    assert registry(small).problems == {}


def test_a_tombstone_with_files_beside_it_counts_as_removed(small):
    folder = small.model("lending")
    kept = (folder / "model.skops").read_bytes()
    small.sweep(days=100)
    (folder / "model.skops").write_bytes(kept)
    assert registry(small).entries == ()
    small.sweep(days=100)
    assert [p.name for p in folder.iterdir()] == ["tombstone.json"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"study": 1}', "\x00", "9" * 2000])
def test_an_altered_tombstone_is_told_and_hides_no_other_model(small, text):
    small.model("savings")
    folder = small.model("lending")
    small.sweep(days=100)
    (folder / "tombstone.json").write_text(text)
    found = registry(small)
    assert [e.version for e in found.entries] == [1]
    assert list(found.problems) == ["credit_risk/v2"]


def test_a_tombstone_of_another_model_is_none(small):
    small.model("lending")
    other = small.model("lending")
    small.sweep(days=100)
    (other / "tombstone.json").write_bytes(
        (small.root / "registry/credit_risk/v1/tombstone.json").read_bytes()
    )
    assert list(registry(small).problems) == ["credit_risk/v2"]


def test_a_time_without_a_zone_is_refused(small):
    area = RetentionArea(small.root)
    with pytest.raises(UsageError):
        area.apply(now=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_domain_that_is_not_there_is_named(small):
    with pytest.raises(UsageError) as told:
        small.sweep("trading")
    assert "lending, savings" in told.value.remedy


def test_the_real_clock_is_the_default(small):
    small.model("lending", made=datetime.now(UTC) - timedelta(days=101))
    assert len(RetentionArea(small.root).apply().expired) == 1
