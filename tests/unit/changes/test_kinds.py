"""Each kind of event: what makes it, and whom it concerns."""

from copy import deepcopy
from datetime import timedelta

import pytest

from tests.unit.changes.conftest import ASKER, OWNER, STEWARD, V2, model


def test_the_first_look_registers_all_there_is(new_mesh):
    assert new_mesh.kinds() == ["product.added", "study.added", "grant.approved"]


def test_registering_again_after_a_fresh_parse_fires_nothing(new_mesh):
    new_mesh.look()
    for _ in range(3):
        assert new_mesh.publish().kinds() == []


def test_a_new_build_is_told_to_the_owners_of_what_depends_on_it(after):
    def build(mesh):
        mesh.built += timedelta(minutes=30, seconds=7)

    (event,) = after(build)
    assert event.kind == "product.updated"
    assert "2026-11-21 10:30:07 UTC" in event.sentence
    assert event.concerns == tuple(sorted({ASKER, OWNER}))
    assert event.consumers == ("ml_coe",)
    assert "fl evaluate credit_risk" in event.remedy


def test_a_build_that_is_told_again_to_the_minute_is_no_second_build(new_mesh):
    results = new_mesh.folder / "target" / "run_results.json"
    new_mesh.built = new_mesh.built.replace(second=31)
    new_mesh.publish()
    results.unlink()  # only catalog.json is there, and it rounds
    new_mesh.look()
    assert new_mesh.publish().kinds() == []


def test_results_of_another_command_do_not_take_a_build_back(lending):
    (lending.folder / "target" / "run_results.json").unlink()
    (lending.root / "target" / "catalog.json").unlink()
    assert lending.kinds() == []
    assert lending.publish().kinds() == []


def test_a_failed_build_is_no_new_data(lending):
    path = lending.folder / "target" / "run_results.json"
    lending.built += timedelta(hours=1)
    lending.publish()
    (lending.root / "target" / "catalog.json").unlink()
    path.write_text(path.read_text().replace("success", "error"))
    assert lending.kinds() == []


def test_a_product_that_is_gone_names_the_studies_that_need_it(after):
    found = after(lambda mesh: mesh.versions.clear())
    gone = next(e for e in found if e.kind == "product.removed")
    assert "credit_risk" in gone.remedy
    assert OWNER in gone.concerns


def test_a_product_that_came_back_is_a_new_event(lending):
    versions = deepcopy(lending.versions)
    ids = []
    for _ in range(2):
        lending.versions = {}
        lending.publish()
        ids += [e.id for e in lending.look()]
        lending.versions = deepcopy(versions)
        lending.publish()
        ids += [e.id for e in lending.look()]
    assert len(set(ids)) == len(ids) == 4


@pytest.mark.parametrize(
    ("spoil", "words", "column"),
    [
        (lambda c: c.pop("age"), "age is gone", "age"),
        (lambda c: c["age"].update(data_type="varchar"), "VARCHAR, was INTEGER", "age"),
        (lambda c: c["customer_id"].update(constraints=[]), "may be null", None),
        (
            lambda c: c["age"].update(constraints=[{"type": "not_null"}]),
            "age may no longer be null",
            "age",
        ),
        (
            lambda c: c["age"].update(data_type="decimal(4, 1)"),
            "DECIMAL, was INTEGER",
            "age",
        ),
    ],
)
def test_what_breaks_a_reader_is_named(after, spoil, words, column):
    found = after(lambda mesh: spoil(mesh.product["columns"]))
    broken = next(e for e in found if e.kind == "schema.breaking")
    assert words in broken.sentence
    assert column is None or column in broken.columns
    assert "g_risk" in broken.remedy, "the grant that stops is named"
    assert OWNER in broken.concerns


def test_a_contract_that_is_no_longer_enforced_breaks(after):
    found = after(lambda mesh: mesh.product.update(contract={"enforced": False}))
    assert "no longer enforced" in found[0].sentence


def test_a_type_that_is_only_spelt_otherwise_is_no_change(after):
    assert after(lambda m: m.product["columns"]["age"].update(data_type="INT4")) == []


def test_an_enums_values_never_reach_an_event(after):
    def change(mesh):
        mesh.product["columns"]["age"]["data_type"] = "enum('canary_a', 'canary_b')"

    found = after(change)
    assert found[0].kind == "schema.breaking"
    assert "canary" not in "".join(e.model_dump_json() for e in found)


def test_a_new_column_is_a_change_and_breaks_nothing(after):
    def add(mesh):
        column = mesh.product["columns"]["age"] | {"name": "amount"}
        mesh.product["columns"]["amount"] = deepcopy(column)

    found = after(add)
    assert [e.kind for e in found] == ["schema.changed"]
    assert found[0].columns == ("amount",)
    assert "g_risk" in found[0].remedy


def test_a_description_is_nobodys_news(after):
    assert after(lambda mesh: mesh.product.update(description="Other words.")) == []


def test_a_policy_tells_which_way_it_went_and_what_stops(after):
    (event,) = after(lambda mesh: mesh.contract.update(min_cohort=20))
    assert (event.kind, event.direction) == ("policy.changed", "loosened")
    assert "min_cohort" in event.sentence
    assert "g_risk" in event.remedy


def test_a_filters_text_never_reaches_an_event_or_the_outbox(lending):
    lending.contract["row_filter"] = "age >= 424242"
    lending.publish()
    (event,) = lending.look()
    assert "row_filter" in event.sentence
    kept = [p for p in (lending.folder / "outbox").rglob("*") if p.is_file()]
    assert not any(b"424242" in path.read_bytes() for path in kept)


def test_a_new_version_and_the_end_of_the_old_one(lending):
    lending.versions[V2] = model(V2, 2)
    lending.product["deprecation_date"] = "2026-12-01"
    lending.publish(confirm=True)
    found = {e.kind: e for e in lending.look()}
    assert found["version.added"].version == 2
    assert "ends on 2026-12-01" in found["version.deprecated"].sentence
    assert OWNER in found["version.deprecated"].concerns
    lending.now += timedelta(days=9)
    assert "version.deprecated" not in lending.kinds()
    lending.now += timedelta(days=1)
    told = [e for e in lending.look() if e.kind == "version.deprecated"]
    assert "past its date" in told[0].sentence
    assert "version.deprecated" not in lending.kinds()


def test_a_version_that_goes_while_another_stays_names_that_one(lending):
    lending.versions[V2] = model(V2, 2)
    lending.publish()
    lending.look()
    del lending.versions[V2]
    lending.publish()
    (event,) = lending.look()
    assert event.kind == "product.removed"
    assert "lending.credit_profile v1 is there" in event.sentence


def test_a_floor_that_is_missed_is_told_once_until_it_is_met_again(lending):
    told = []
    for share in (80.0, 70.0, 99.0, 80.0):
        lending.measured = {"completeness": share}
        lending.built += timedelta(hours=1)
        lending.publish()
        told.append([e.kind for e in lending.look()].count("sla.breached"))
    assert told == [1, 0, 0, 1]


def test_a_product_that_grows_stale_is_told_once(lending):
    lending.now += timedelta(hours=23)
    (event,) = lending.look()
    assert event.kind == "sla.breached"
    assert "longer ago than its contract promises" in event.sentence
    assert "dbt build" in event.remedy
    lending.now += timedelta(hours=1)
    assert lending.kinds() == []


def test_a_request_waits_for_the_stewards(new_mesh):
    new_mesh.decision = {"status": "requested"}
    new_mesh.publish()
    event = next(e for e in new_mesh.look() if e.kind == "grant.requested")
    assert STEWARD in event.concerns
    assert event.consumers == ("ml_coe",)


@pytest.mark.parametrize("status", ["approved", "rejected", "revoked"])
def test_a_decision_is_told_to_whoever_asked(new_mesh, status):
    approved = new_mesh.decision
    new_mesh.decision = {"status": "requested"}
    new_mesh.publish()
    new_mesh.look()
    new_mesh.decision = approved | {"status": status}
    new_mesh.publish()
    (event,) = new_mesh.look()
    assert event.kind == f"grant.{status}"
    assert {ASKER, OWNER} == set(event.concerns)


def test_what_ended_before_anybody_looked_is_no_news(new_mesh):
    new_mesh.decision |= {"expires": "2026-11-20"}
    new_mesh.publish()
    assert new_mesh.kinds() == ["product.added", "study.added"]


def test_a_grant_that_ends_soon_is_told_once_and_once_when_it_ended(lending):
    kinds = []
    del lending.contract["freshness_hours"]
    lending.publish(confirm=True)
    lending.look()
    start = lending.now
    for day in range(40, 62):
        lending.now = start + timedelta(days=day)
        kinds += [(day, k) for k in lending.kinds()]
    # 2027-01-20 is 60 days away; fourteen days before it is day 46.
    assert kinds == [(46, "grant.expiring"), (60, "grant.expired")]


def test_a_renewed_grant_is_approved_anew(lending):
    lending.decision["expires"] = "2027-01-25"
    lending.publish()
    (event,) = lending.look()
    assert event.kind == "grant.approved"
    assert "anew until 2027-01-25" in event.sentence


def test_a_grant_whose_file_is_gone_is_revoked(lending):
    lending.has_grant = False
    lending.publish()
    assert lending.kinds() == ["grant.revoked"]
    assert lending.kinds() == []


def test_a_grant_that_only_the_ledger_revokes_is_revoked(lending, monkeypatch):
    import fl_plugin.changes.looking as room  # noqa: PLC0415
    from fl_plugin.manifest.reader import read_manifest  # noqa: PLC0415
    from fl_plugin.policy.approval import approval_digest  # noqa: PLC0415

    manifest = read_manifest(lending.folder / "target" / "manifest.json")
    digest = approval_digest(manifest.grants["lending.g_risk"])
    monkeypatch.setattr(room, "_revoked", lambda _: frozenset({digest}))
    assert lending.kinds() == ["grant.revoked"]
    assert lending.kinds() == []


def test_a_study_that_asks_for_something_else_says_what(after):
    (event,) = after(lambda mesh: mesh.study.update(purpose="fraud_detection"))
    assert event.kind == "study.changed"
    assert event.sentence.endswith("purpose.")
    assert {STEWARD, OWNER} == set(event.concerns)


def test_a_study_that_is_gone_no_longer_learns(after):
    (event,) = after(lambda mesh: setattr(mesh, "study", None))
    assert "no longer learns" in event.sentence


def test_a_grant_that_was_confirmed_for_the_new_policy_does_not_stop(lending):
    lending.contract["min_cohort"] = 24
    lending.publish(confirm=True)
    policy, grant = lending.look()
    assert policy.kind == "policy.changed"
    assert "stops" not in policy.remedy
    assert "approved anew" in grant.sentence


@pytest.mark.parametrize("status", ["revoked", "rejected", "requested"])
def test_a_grant_that_is_not_live_makes_nobody_an_owner(new_mesh, status):
    new_mesh.study = None
    new_mesh.decision = {"status": status}
    new_mesh.publish()
    new_mesh.look()
    new_mesh.contract["min_cohort"] = 24
    new_mesh.publish()
    (event,) = new_mesh.look()
    assert (event.concerns, event.consumers) == ((), ())
