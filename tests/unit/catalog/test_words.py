import pytest

from fl_plugin.catalog.words import (
    counted,
    filter_words,
    first_paragraph,
    first_sentence,
    listed,
    size_words,
)


@pytest.mark.parametrize(
    ("row_filter", "said"),
    [
        ("age >= 18", "age is at least 18"),
        ("age >= 18 and region = 'eu'", "age is at least 18 and region is eu"),
        ("not coalesce(opt_out, false)", "opt out is not set"),
        ("lower(region) = 'eu'", ""),
        ("a > 1 or b > 1", ""),
        ("age between 18 and 65", ""),
    ],
)
def test_a_filter_is_said_in_words_or_not_at_all(row_filter, said):
    assert filter_words(row_filter) == said


def test_lists_and_counts_read_like_english():
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert listed([]) == ""
    assert counted(1, "steward") == "1 steward"
    assert counted(1200, "row") == "1,200 rows"
    assert size_words(67_000) == "67 kB"
    assert size_words(12) == "12 B"


def test_a_summary_is_one_line_that_cannot_steer_a_terminal():
    text = "One row\nper \x1b[31mapplication. More.\n\nAnother paragraph."
    assert first_sentence(text) == "One row per [31mapplication."
    assert first_paragraph(text) == "One row per [31mapplication. More."
