"""The data tests of products, as a manifest has them."""

import pytest

from fl_plugin.contracts.checks import Check, checks_of
from fl_plugin.errors import BuildError


def test_tests_are_read_from_a_manifest():
    nodes = {
        "model.a.loans": {},
        "test.a.2": {
            "attached_node": "model.a.loans",
            "column_name": "age",
            "test_metadata": {
                "name": "in_range",
                "kwargs": {"low": 1, "column_name": "age", "model": "x"},
            },
            "config": {"severity": "WARN", "where": "age > 1"},
        },
        "test.a.1": {
            "attached_node": "model.a.loans",
            "test_metadata": {"name": "rows", "kwargs": {}},
        },
        "test.a.singular": {"attached_node": None},
    }
    assert checks_of(nodes) == {
        "model.a.loans": (
            Check(name="rows", column=None),
            Check(
                name="in_range",
                column="age",
                arguments={"low": 1},
                severity="warn",
                covers_all=False,
            ),
        )
    }


@pytest.mark.parametrize(
    "test",
    [
        [],
        {"attached_node": 7},
        {"attached_node": "m", "test_metadata": []},
        {"attached_node": "m", "test_metadata": {"name": "x", "kwargs": "y"}},
        {"attached_node": "m", "test_metadata": {"name": "x"}, "config": 3},
    ],
)
def test_tests_that_are_none_are_refused(test):
    with pytest.raises(BuildError):
        checks_of({"test.a.1": test})
