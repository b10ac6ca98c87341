"""What is told of a database's errors never hangs on a value of a row."""

import duckdb
import pytest

from fl_plugin.party.unreadable import unreadable


@pytest.mark.parametrize("value", ["checksum", "Corrupt", "WAL file", "harmless"])
def test_an_error_about_a_value_is_told_alike_for_all_values(value):
    with pytest.raises(duckdb.DataError) as caught:
        duckdb.execute("select cast(? as integer)", [value])
    assert value in str(caught.value)
    told = unreadable("north", caught.value)
    assert told.problem == (
        "The database of north cannot be read (ConversionException)."
    )
