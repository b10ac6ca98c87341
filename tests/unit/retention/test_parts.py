"""What domains keep of a vertical model goes with it, and what belongs to none goes."""

from datetime import UTC, datetime, timedelta

import pytest

from fl_plugin.registry.store import list_models

MADE = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUN = "20260101t120000-credit_risk-0a1b2c3d"
LOST = "20260101t120000-credit_risk-0a1b2c3e"


def part(domain: str, run: str = RUN) -> str:
    return f"domains/{domain}/models/credit_risk/{run}.part"


@pytest.fixture
def vertical(small):
    """One registered model with a part in each of its domains."""
    small.model("lending", "savings", run=RUN)
    for domain in ("lending", "savings"):
        small.file(part(domain))
    return small


def test_before_its_last_day_every_part_of_a_model_stays(vertical):
    before = vertical.everything()
    assert vertical.sweep(days=99.99).expired == ()
    assert vertical.everything() == before


def test_the_parts_of_all_domains_go_with_their_model(vertical):
    vertical.sweep(days=100)
    assert not list(vertical.root.rglob("*.part"))
    assert len(list_models(vertical.root / "registry").tombstones) == 1
    for domain in ("lending", "savings"):
        (record,) = vertical.records(domain)
        assert (record.rule, record.run) == ("retention.model", RUN)


def test_a_dry_run_removes_no_part(vertical):
    before = vertical.everything()
    assert [e.kind for e in vertical.sweep(days=100, dry_run=True).expired] == ["model"]
    assert vertical.everything() == before


def test_a_part_that_an_ended_sweep_left_goes_with_the_next(vertical):
    vertical.sweep(days=100)
    left = vertical.file(part("savings"))
    vertical.sweep(days=100)
    assert not left.exists()


def test_a_part_of_a_run_that_was_never_registered_goes_after_a_day(vertical):
    lost = vertical.file(part("savings", LOST))
    assert vertical.sweep(days=0.99).expired == ()
    (gone,) = vertical.sweep(days=1).expired
    assert (gone.kind, gone.domains) == ("intermediate", ("savings",))
    assert not lost.exists()
    assert (vertical.root / part("savings")).exists()
    assert [r.rule for r in vertical.records("savings")] == ["retention.intermediate"]


def test_a_part_of_a_run_that_can_be_resumed_stays(vertical):
    kept = vertical.file(part("savings", LOST))
    later = MADE + timedelta(days=1.5)
    journal = vertical.file(f"runs/{LOST}/journal", age_of=later)
    vertical.sweep(days=2)
    assert kept.exists()
    journal.unlink()
    vertical.sweep(days=2)
    assert not kept.exists()


def test_what_was_never_renamed_beside_the_parts_goes(vertical):
    aside = vertical.file(f"domains/savings/models/credit_risk/.{RUN}.part.ab12cd_9")
    vertical.sweep(days=1)
    assert not aside.exists()


def test_where_the_registry_is_elsewhere_no_part_is_judged(small):
    kept = small.file(part("savings", LOST))
    assert small.sweep(days=50).expired == ()
    assert kept.exists()


def test_where_a_model_cannot_be_read_no_part_is_judged(vertical):
    vertical.file("registry/credit_risk/v1/run.json", text="{}")
    lost = vertical.file(part("savings", LOST))
    vertical.sweep(days=50)
    assert lost.exists()


@pytest.mark.parametrize("name", ["scores.sql", "notes.part", f"{RUN}.part.sql"])
def test_a_teams_own_models_are_left_alone(vertical, name):
    own = vertical.file(f"domains/savings/models/marts/{name}")
    vertical.sweep(days=99)
    assert own.exists()


def test_a_part_that_is_a_link_is_named_and_what_it_names_stays(vertical):
    own = vertical.file("elsewhere.part")
    link = vertical.root / part("savings")
    link.unlink()
    link.symlink_to(own)
    found = vertical.sweep(days=100)
    assert list(found.problems) == ["registry/credit_risk/v1"]
    assert own.exists()
