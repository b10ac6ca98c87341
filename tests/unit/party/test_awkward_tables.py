"""Keys, times and targets of types that teams do use: read, or refused in words."""

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import BuildError
from fl_plugin.manifest.types import Relation
from fl_plugin.party.database import Database
from fl_plugin.party.rows import Wanted, read_rows

RELATION = Relation(database="d", schema="main", identifier="t")


@pytest.fixture
def read(tmp_path: Path, product_with):
    """Read two rows of a table whose one column of interest is this expression."""

    def read(expression, wanted, key=(), **fields):
        path = tmp_path / "d.duckdb"
        with duckdb.connect(path) as file:
            file.execute(
                f"create or replace table t as select {expression} as x "
                "from range(1, 3) as r(i)"
            )
        made = product_with(contract={"row_filter": None})
        columns = {**made.columns, "x": next(iter(made.columns.values()))}
        found = replace(made, relation=RELATION, key=key, columns=columns, **fields)
        return read_rows(Database(path, "north"), found, wanted)

    return read


KEYS = (
    "i",
    "i::hugeint",
    "i::uhugeint",
    "i::double",
    "i::decimal(18, 2)",
    "'k' || i",
    "('\\xFF\\xFE' || i)::blob",
    "md5(i::varchar)::uuid",
    "date '2026-01-01' + i::integer",
    "timestamp '2026-01-01' + i * interval 1 day",
    "timestamptz '2026-01-01 00:00:00+00' + i * interval 1 day",
    "time '00:00:00' + i * interval 1 second",
    "i = 1",
)


@pytest.mark.parametrize("key", KEYS)
def test_rows_are_told_apart_by_a_key_of_any_plain_type(read, key):
    hashes = read(key, Wanted(features=()), key=("x",)).hashes
    assert len(set(hashes.tolist())) == 2
    again = read(key, Wanted(features=()), key=("x",)).hashes
    np.testing.assert_array_equal(hashes, again)


@pytest.mark.parametrize("key", ["[i]", "{'a': i}", "map {'a': i}"])
def test_a_key_without_a_text_is_refused_by_name(read, key):
    with pytest.raises(BuildError, match="has no text") as caught:
        read(key, Wanted(features=()), key=("x",))
    assert "north." in caught.value.problem or "credit" in caught.value.problem


@pytest.mark.parametrize("time", ["time '10:00:00'", "interval 1 day", "'2026-01-01'"])
def test_what_is_no_point_in_time_holds_no_rows_out(read, time):
    with pytest.raises(BuildError, match="is no date"):
        read(time, Wanted(features=(), timed=True), event_time="x")


CODED = (
    ("i - 1", ("0", "1")),
    ("(i - 1)::double", ("0", "1")),
    ("(i - 1)::double", ("0.0", "1.0")),
    ("(i - 1)::float", ("0.0", "1")),
    ("(i - 1)::decimal(9, 2)", ("0", "1.0")),
    ("(i - 1)::varchar", ("0", "1")),
)


@pytest.mark.parametrize(("target", "classes"), CODED)
def test_classes_are_found_however_their_numbers_are_stored(read, target, classes):
    predicts = Target(kind="binary", classes=classes)
    rows = read(target, Wanted(features=(), target="x", predicts=predicts))
    np.testing.assert_array_equal(rows.target, [0.0, 1.0])


BAD = (
    ("binary", "i::double", "values beside its classes"),
    ("regression", "case when i = 1 then i::double end", "missing values"),
    ("regression", "'nan'::double", "missing values"),
    ("regression", "'inf'::double", "infinite values"),
    ("count", "-i", "negative numbers"),
)


@pytest.mark.parametrize(("kind", "target", "told"), BAD)
def test_a_target_that_cannot_be_learned_says_why(read, kind, target, told):
    classes = ("no", "yes") if kind == "binary" else ()
    predicts = Target(kind=kind, classes=classes)
    with pytest.raises(BuildError, match=told):
        read(target, Wanted(features=(), target="x", predicts=predicts))
