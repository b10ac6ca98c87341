"""Anything the library returns becomes JSON, or is an error: never half of it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.cli.plain import as_text, plain
from fl_plugin.ledger.record import Head
from fl_plugin.registry.run_record import Estimate

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), values))
def test_every_answer_is_strict_json(value):
    def refuse(word):
        raise AssertionError(word)

    assert json.loads(as_text(value), parse_constant=refuse) == plain(value)


def test_named_things_keep_their_names():
    found = plain({"head": Head(3, "ab"), "auc": Estimate(value=float("nan"))})
    assert found["head"] == {"sequence": 3, "hash": "ab"}
    assert found["auc"]["value"] is None


def test_times_and_paths_are_words():
    assert plain([datetime(2026, 1, 2, tzinfo=UTC), Path("a/b")]) == [
        "2026-01-02T00:00:00+00:00",
        "a/b",
    ]


def test_what_is_no_json_is_an_error():
    with pytest.raises(TypeError):
        plain({"x": object()})
