"""A product's page, card and search hit say what its domain has published."""

import json

from fl_plugin.catalog.enrich import enrich
from fl_plugin.catalog.search import search
from fl_plugin.catalog.show import show
from tests.unit.catalog.conftest import PRODUCT

PROFILE = {
    "product": "lending.credit_profile",
    "version": 1,
    "built_at": "2026-11-21T04:50:00Z",
    "measured_at": "2026-11-21T05:00:00Z",
    "as_of": "2026-11-20T05:00:00Z",
    "rows": "500",
    "at_least": {"validity": 0.9},
    "approved_at": "2026-11-01T05:00:00Z",
    "drift": [
        {"column": "age", "verdict": "drifted", "psi_below": 0.5},
        {"column": "sex", "verdict": "stable"},
    ],
    "bias": [
        {
            "label": "is_bad",
            "protected": "sex",
            "verdict": "uneven",
            "groups": [
                {
                    "group": "<b>a</b>",
                    "share": [0.2, 0.25],
                    "rate": [0.3, 0.4],
                    "than_all": "higher",
                },
                {"group": "b"},
            ],
        }
    ],
}


def publish(small, **changes):
    folder = small.root / "domains" / "lending"
    (folder / "target").mkdir(parents=True, exist_ok=True)
    (folder / "node.yml").touch()
    found = {"domain": "lending", "products": [PROFILE | changes]}
    (folder / "target" / "quality.json").write_text(json.dumps(found))
    return small


BROKEN = {"broken": {"validity": "2026-11-02T00:00:00Z"}}


def page(small):
    return enrich(small.view()).manifest["nodes"][PRODUCT]["description"]


def test_a_page_shows_drift_and_labels_over_groups(small):
    text = page(publish(small))
    assert "age **drifted** (index below 0.5); the other columns are stable" in text
    assert "| 20 % to 25 % | 30 % to 40 % | higher |" in text
    assert "too few |" in text
    assert "<b>" not in text
    assert "Below its promise" not in text


def test_a_broken_floor_is_marked_on_the_page_the_card_and_the_hit(small):
    publish(small, **BROKEN)
    text = page(small)
    assert "**Below its promise since 2026\\-11\\-02: validity; it may not" in text
    view = small.view()
    card = show(view, "credit_profile")
    assert "quality: below its promise: validity" in card.problems
    assert card.kinds["quality"]["Broken: validity"].startswith("since 2026-11-02")
    hits = {h.kind: h for h in search(view.manifest, ["credit"], view.published)}
    assert hits["product"].mark.startswith("below its promise since 2026-11-02")
    assert not hits["study"].mark
    facts = enrich(view).manifest["nodes"][PRODUCT]["meta"]
    assert facts["Quality"] == "below its promise"


def test_a_contract_that_only_warns_does_not_say_that_nobody_may_use_it(small):
    small.mesh["quality"]["on_breach"] = "warn"
    text = page(publish(small, **BROKEN))
    assert "Below its promise" in text
    assert "it may not be used" not in text


def test_a_profile_that_cannot_be_read_counts_as_none(small):
    publish(small, rows="500 or <script>")
    assert "Drift" not in page(small)
    assert show(small.view(), "credit_profile").problems == ()
