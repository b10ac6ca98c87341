"""Adult over three domains equals scikit-learn on all rows."""

import pyarrow.parquet as pq
import pytest

from bench import adult

here = pytest.mark.skipif(
    not adult.PLACE.is_file(), reason="the adult data set is not shipped"
)


@here
def test_adult_over_three_domains_equals_scikit_learn_on_all_rows():
    figures = adult.compare(pq.read_table(adult.PLACE))
    assert [f.name for f in figures if not f.met] == []
    assert sum(bool(f.bar) for f in figures) == 3


@here
def test_adults_domains_hold_every_row_once_and_are_unlike():
    table = pq.read_table(adult.PLACE)
    parts = adult.by_occupation(table)
    assert sum(len(part) for part in parts.values()) == len(table)
    shares = [
        sum(income == ">50K" for income in part["income"].to_pylist()) / len(part)
        for part in parts.values()
    ]
    assert max(shares) > 3 * min(shares)


def test_without_the_file_the_command_says_so_and_ends_well(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("sys.argv", ["adult", str(tmp_path / "none.parquet")])
    assert adult.main() == 0
    assert "not here" in capsys.readouterr().out
