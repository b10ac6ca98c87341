"""What is left of a value behind a mask."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.errors import ContractError, StorageError
from fl_plugin.party.masks import mask_key, masked

KEY, OTHER = b"k" * 32, b"o" * 32


def seen(values, mask, key=KEY, name="x", kind=None):
    table = pa.table({name: pa.array(values, type=kind), "rest": range(len(values))})
    found = masked(table, {name: mask}, lambda: key)
    assert found["rest"].to_pylist() == list(range(len(values)))
    return found[name].to_pylist()


def test_null_leaves_nothing():
    assert seen(["a", None, "b"], "null") == [None, None, None]


def test_a_year_leaves_the_year():
    assert seen([date(1984, 5, 6), None], "year") == [1984, None]
    at = datetime(2026, 11, 21, 12, tzinfo=UTC).replace(tzinfo=None)
    assert seen([at], "year") == [2026]


@pytest.mark.parametrize(
    ("value", "bucket"),
    [
        *((0, 0), (7, 7), (10, 10), (99, 90), (100, 100), (1_234, 1_000)),
        *((-87, -80), (999_999, 900_000), (10**15, 10**15), (0.0042, 0.004)),
    ],
)
def test_a_bucket_leaves_the_first_digit(value, bucket):
    (found,) = seen([value], "bucket")
    assert found == pytest.approx(bucket, rel=1e-12)
    assert type(found) is type(value)


def test_a_bucket_of_what_is_no_finite_number_stays_so():
    found = seen([None, float("inf"), 12.5], "bucket")
    assert found == [None, float("inf"), 10.0]
    assert seen([Decimal("1234.50"), None], "bucket") == [1_000.0, None]


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_a_bucket_has_one_digit_and_is_never_larger(value):
    (found,) = seen([value], "bucket")
    assert len(str(abs(found)).rstrip("0")) <= 1
    assert abs(found) <= abs(value) < 10 * max(abs(found), 1)
    assert found * value >= 0


def test_a_pseudonym_is_the_same_for_the_same_value_and_tells_nothing():
    first, again, other, none = seen(["ann", "ann", "bob", None], "hash")
    assert first == again != other
    assert none is None
    assert "ann" not in first
    assert len(first) == 24
    assert seen([7, 8, 7], "hash")[0] == seen(["7"], "hash")[0]


def test_a_pseudonym_depends_on_the_key_and_on_the_column():
    (one,) = seen(["ann"], "hash")
    assert seen(["ann"], "hash", key=OTHER) != [one]
    assert seen(["ann"], "hash", name="y") != [one]
    assert seen(["ann"], "hash", name="X") == [one]


def test_a_column_that_is_not_masked_needs_no_key():
    def never():
        raise AssertionError

    table = pa.table({"x": [1]})
    assert masked(table, {}, never).equals(table)
    assert masked(table, {"x": "bucket"}, never).num_rows == 1


@pytest.mark.parametrize(
    ("values", "mask"),
    [(["a"], "year"), (["a"], "bucket"), ([[1]], "hash"), ([1], "blur")],
)
def test_a_mask_that_does_not_fit_is_an_error_without_a_value(values, mask):
    with pytest.raises(ContractError, match="x is of a type"):
        seen(values, mask)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path):
    key = mask_key(tmp_path)
    assert len(key) == 32
    assert mask_key(tmp_path) == key
    assert (tmp_path / "mask.key").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["mask.key"]


@pytest.mark.parametrize("damage", ["others may read it", "short", "long", "folder"])
def test_a_key_that_is_not_sound_is_not_used(tmp_path, damage):
    path = tmp_path / "mask.key"
    if damage == "folder":
        path.mkdir(mode=0o700)
    else:
        mask_key(tmp_path)
    if damage == "others may read it":
        path.chmod(0o640)
    if damage in {"short", "long"}:
        path.write_bytes(b"x" * (31 if damage == "short" else 33))
    with pytest.raises(StorageError):
        mask_key(tmp_path)
