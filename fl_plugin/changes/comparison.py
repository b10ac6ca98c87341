"""What is different between two looks at a domain, in the order it is told."""

from fl_plugin.changes.contract_changes import contract_changes
from fl_plugin.changes.event import Change
from fl_plugin.changes.grant_changes import grant_changes
from fl_plugin.changes.product_changes import product_changes
from fl_plugin.changes.published import Published
from fl_plugin.changes.settings_changes import settings_changes
from fl_plugin.changes.study_changes import study_changes


def compare(before: Published | None, now: Published) -> tuple[Change, ...]:
    """Return every change; without a last look all there is, is new."""
    was = before or Published()
    return (
        *product_changes(was, now),
        *contract_changes(was, now),
        *settings_changes(was, now),
        *study_changes(was, now),
        *grant_changes(was, now, first=before is None),
    )
