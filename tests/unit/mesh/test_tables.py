"""Rows come from a caller's file and go to one; nothing of them is in an error."""

import pyarrow as pa
import pytest

from fl_plugin.errors import MeshError, StorageError, UsageError
from fl_plugin.mesh.tables import check_output, csv_text, read_table, write_table

ROWS = pa.table(
    {
        "name": ["a", None, "c d"],
        "amount": [1.5, None, 3.0],
        "good": [True, False, None],
    }
)
FORMATS = ["csv", "parquet", "jsonl", "ndjson", "CSV"]


@pytest.mark.parametrize("extension", FORMATS)
def test_rows_come_back_as_they_were_written(tmp_path, extension):
    path = tmp_path / f"rows.{extension}"
    write_table(ROWS, path)
    assert read_table(path).to_pylist() == ROWS.to_pylist()


def test_an_empty_table_is_written_with_its_columns(tmp_path):
    path = tmp_path / "rows.csv"
    write_table(ROWS.slice(0, 0), path)
    assert read_table(path).column_names == ROWS.column_names


def test_a_word_for_nothing_is_a_word(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("kind\nNA\nnone\nnull\n\n")
    assert read_table(path)["kind"].to_pylist()[:3] == ["NA", "none", "null"]


@pytest.mark.parametrize("extension", FORMATS)
def test_a_file_that_is_something_else_is_named_without_its_content(
    tmp_path, extension
):
    path = tmp_path / f"rows.{extension}"
    path.write_bytes(b'CANARY,x\n{"CANARY": "CANARY\n\xff\xfe,CANARY,CANARY,CANARY\n')
    with pytest.raises(UsageError) as caught:
        read_table(path)
    told = caught.value.problem + caught.value.remedy
    assert path.name in told
    assert "CANARY" not in told


@pytest.mark.parametrize("extension", FORMATS)
def test_an_empty_file_is_an_error_of_ours(tmp_path, extension):
    path = tmp_path / f"rows.{extension}"
    path.touch()
    with pytest.raises(UsageError):
        read_table(path)


@pytest.mark.parametrize("extension", FORMATS)
def test_a_missing_file_is_a_storage_error(tmp_path, extension):
    with pytest.raises(StorageError):
        read_table(tmp_path / f"rows.{extension}")


@pytest.mark.parametrize("name", ["rows", "rows.xlsx", "rows.csv.gz"])
def test_a_name_that_says_nothing_is_refused(tmp_path, name):
    for use in (read_table, check_output):
        with pytest.raises(UsageError):
            use(tmp_path / name)


@pytest.mark.parametrize("extension", ["csv", "jsonl"])
def test_a_column_that_a_format_cannot_hold_leaves_nothing_behind(tmp_path, extension):
    rows = pa.table({"raw": pa.array([[b"\xff"]], type=pa.list_(pa.binary()))})
    path = tmp_path / f"rows.{extension}"
    path.write_text("before")
    with pytest.raises(UsageError):
        write_table(rows, path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "before"


def test_a_folder_that_is_missing_is_a_storage_error(tmp_path):
    with pytest.raises(MeshError) as caught:
        write_table(ROWS, tmp_path / "nowhere" / "rows.csv")
    assert isinstance(caught.value, StorageError)


def test_csv_text_is_what_a_csv_file_holds(tmp_path):
    write_table(ROWS, tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text() == csv_text(ROWS)
