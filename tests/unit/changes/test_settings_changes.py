"""A domain that changes what it decides by says so."""

from dataclasses import replace

import pytest

from fl_plugin.changes.comparison import compare
from fl_plugin.changes.published import Published, version_of
from fl_plugin.changes.settings_changes import settings_of


@pytest.fixture
def published(facts_with):
    facts = facts_with()
    version = version_of(facts.product, facts.now.date(), 10)

    def look(**node):
        settings = settings_of(replace(facts.node, **node))
        return Published(versions={version.node: version}, settings=settings)

    return look


@pytest.mark.parametrize(
    ("node", "word"),
    [
        ({"permissions": ()}, "permissions"),
        ({"consumers": {"ml_coe": {"org_unit": ("other",)}}}, "consumers"),
        ({"principals_pinned": False}, "principals"),
        ({"algorithms": {}}, "algorithms"),
        ({"secure_aggregation": "optional"}, "secure_aggregation"),
        ({"require_signatures": ("grants",)}, "require_signatures"),
    ],
)
def test_a_changed_setting_is_told_for_each_product(published, node, word):
    (change,) = compare(published(), published(**node))
    assert change.kind == "policy.changed"
    assert change.sentence.endswith(f"changed its own settings: {word}.")


def test_settings_that_stay_are_no_change(published):
    assert compare(published(), published()) == ()


def test_settings_that_nobody_had_looked_at_are_no_change(published):
    now = published()
    before = Published(versions=now.versions)
    assert compare(before, now) == ()
