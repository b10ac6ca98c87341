"""A report says what holds, what is broken and since when, and what nobody measured."""

from datetime import timedelta

import pytest

from fl_plugin.quality.publishing import publish
from fl_plugin.quality.report import report_on

DAY = timedelta(days=1)


@pytest.fixture
def told(made, fair_product):
    """Return the report on a product with this measurement, by measure."""

    def report(found=None, product=None, *, later=timedelta(0), **words):
        product = product or fair_product()
        published = {}
        if found is not None:
            profile = publish(product, made.measured(found, **words), 25)
            published[(product.name, product.version)] = profile
        return report_on(product, published, made.at + later)

    return report


def states(report):
    return {line.measure: line.state for line in report.lines}


def test_every_promise_that_is_kept_holds(told, made):
    report = told(made.profile())
    assert set(states(report).values()) == {"holds"}
    assert not report.broken
    assert not report.unmeasured


def test_what_was_not_measured_is_not_kept(told):
    report = told()
    assert set(states(report).values()) == {"not measured"}
    assert not report.retrain


def test_a_measurement_that_is_missing_is_named(told, made):
    report = told(made.profile(uniqueness=None, tests_failed=None))
    # An unknown share is below its floor, as it is for a decision.
    assert set(report.broken) == {"uniqueness"}
    assert report.unmeasured == ("tests",)


def test_a_late_build_is_broken_since_its_time_ran_out(told, made):
    report = told(made.profile(), later=3 * DAY)
    assert report.broken == {"timeliness": made.at + DAY}


def test_drift_is_told_with_its_index_and_asks_for_a_new_model(told, made):
    report = told(made.profile(), drift={"sex": 0.3}, approved_at=made.at)
    line = next(w for w in report.lines if w.measure == "drift")
    assert line.found == "drifted (sex), below 0.5"
    assert line.state == "broken"
    assert report.retrain


def test_a_small_drift_asks_for_nothing(told, made):
    report = told(made.profile(), drift={"sex": 0.15}, approved_at=made.at)
    assert not report.retrain
    assert states(report)["drift"] == "holds"


def test_an_approved_profile_without_a_comparison_is_not_measured(told, made):
    report = told(made.profile(), approved_at=made.at)
    assert "drift" in report.unmeasured


def test_what_is_not_promised_has_no_state(told, made, fair_product):
    product = fair_product(quality=None, freshness_hours=None)
    report = told(made.profile(validity=0.1), product)
    assert states(report)["validity"] is None
    assert states(report)["timeliness"] is None
    assert not report.broken


def test_a_contract_that_only_warns_is_said_to(told, made, fair_product):
    mild = fair_product(quality={"validity": 0.9, "on_breach": "warn"})
    assert not told(made.profile(validity=0.5), mild).stops
    assert told(made.profile(validity=0.5)).stops
