"""What a file tells of its columns, and what no message repeats."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.errors import UsageError
from fl_plugin.scaffold.csv_file import read_csv
from fl_plugin.scaffold.observed import Observed

SECRET = "canary-4711"  # noqa: S105 - a value that must not come out


@pytest.fixture
def file(tmp_path):
    def write(text, name="rows.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def types(path):
    return {c.name: c.data_type for c in read_csv(path).columns}


@pytest.mark.parametrize(
    ("values", "data_type"),
    [
        (["true", "FALSE"], "boolean"),
        (["yes", "no"], "boolean"),
        (["t", "5"], "varchar"),
        (["0", "1"], "integer"),
        (["-5", "2147483647"], "integer"),
        (["1", "2147483648"], "bigint"),
        (["1", "9223372036854775808"], "double"),
        (["1", "2.5"], "double"),
        (["1e5", "-2E-3"], "double"),
        (["01234", "99999"], "varchar"),
        (["1.", "2"], "varchar"),
        (["+1", "2"], "varchar"),
        (["nan", "1"], "varchar"),
        (["１", "2"], "varchar"),  # noqa: RUF001 - a full-width digit, on purpose
        (["2024-02-29", "2023-01-01"], "date"),
        (["2024-02-29", "2023-02-29"], "varchar"),
        (["2024-01-01 10:00", "2024-01-01T10:00:00.5"], "timestamp"),
        (["", "7"], "integer"),
        (["", ""], "varchar"),
        ([" 7", "8"], "varchar"),
    ],
)
def test_the_type_is_the_narrowest_that_holds_every_value(file, values, data_type):
    path = file("a,b\n" + "".join(f"{v},x\n" for v in values))
    assert types(path)["a"] == data_type


@given(st.lists(st.text("01.-eyt2:T ", max_size=12), min_size=1, max_size=6))
def test_duckdb_can_cast_every_value_to_the_type(values):
    seen = Observed()
    for value in values:
        seen.look_at(value)
    for value in filter(None, values):
        found = duckdb.execute(
            f"select cast(? as {seen.data_type})", [value]
        ).fetchone()
        assert found is not None
        assert found[0] is not None


def test_a_column_says_whether_values_are_missing_repeat_or_tell_rows_apart(file):
    rows = "".join(f"K{i},{i % 2},{'' if i == 3 else i}\n" for i in range(8))
    key, flag, gaps = read_csv(file("key,flag,gaps\n" + rows)).columns
    assert (key.unique, key.nullable, key.few) == (True, False, False)
    assert (flag.unique, flag.few, flag.binary) == (False, True, True)
    assert (gaps.unique, gaps.nullable, gaps.binary) == (False, True, False)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Credit ID", "credit_id"),
        ("  Amount ", "amount"),
        ("isBad", "is_bad"),
        ("Größe (cm)", "grosse_cm"),
        ("1st", "n_1st"),
        ("select", "select_value"),
        ("Null", "null_value"),
        ("a--b", "a_b"),
    ],
)
def test_a_header_becomes_a_plain_name(file, header, name):
    assert list(types(file(f"{header},z\n1,2\n"))) == [name, "z"]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(file, mark):
    found = read_csv(file(f"a{mark}b\n1{mark}2\n"))
    assert found.delimiter == mark
    assert len(found.columns) == 2


def test_a_byte_order_mark_and_empty_lines_are_no_values(file):
    path = file("a,b\n1,2\n\n3,4\n\n", encoding="utf-8-sig")
    assert types(path) == {"a": "integer", "b": "integer"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "first line is empty"),
        ("\n1,2\n", "first line is empty"),
        ("a,b\n", "no rows"),
        (f"a,b\n1,2\n{SECRET}\n", "row 2 has not as many values"),
        (f"a,b\n1,2,{SECRET}\n", "row 1 has not as many values"),
        (f'a,b\n1,"{SECRET}\n', "quotes"),
        (f'a,b\n1,"x"{SECRET}\n', "quotes"),
        ("a,A\n1,2\n", "called a"),
        ("a,\n1,2\n", "column 2"),
        ("a,{{ x }}\n1,2\n", "column 2"),
        ("a,b<script>\n1,2\n", "column 2"),
        ("a,b\x1b[0m\n1,2\n", "column 2"),
        ("a,Ω\n1,2\n", "column 2"),
        (f"a,{'b' * 60}\n1,2\n", "column 2"),
        ("a,b\n1," + "x" * 200_000 + "\n", "quotes or its lines"),
        (",".join(f"c{i}" for i in range(501)) + "\n1\n", "more than 500"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_repeats_no_value(file, text, why):
    with pytest.raises(UsageError) as caught:
        read_csv(file(text))
    assert why in caught.value.problem
    assert SECRET not in str(caught.value) + caught.value.remedy


def test_what_is_not_utf8_or_no_file_is_refused(file, tmp_path):
    with pytest.raises(UsageError, match="not UTF-8"):
        read_csv(file("a,b\nö,1\n", encoding="latin-1"))
    for path in (tmp_path, tmp_path / "missing", tmp_path / "null"):
        (tmp_path / "null").unlink(missing_ok=True)
        (tmp_path / "null").symlink_to("/dev/null")
        with pytest.raises(UsageError, match="does not exist"):
            read_csv(path)


def test_a_file_that_is_too_large_is_refused_unread(file, monkeypatch):
    monkeypatch.setattr("fl_plugin.scaffold.csv_file.MAX_BYTES", 5)
    with pytest.raises(UsageError, match="larger than"):
        read_csv(file("a,b\n1,2\n"))
