"""What a new part may be called, and which text may stand in its files."""

import pytest

from fl_plugin.errors import UsageError
from fl_plugin.scaffold.names import check_address, check_name, check_text

HOSTILE = [
    "",
    ".",
    "..",
    "../lending",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a.b",
    "a b",
    "a\nb",
    "a\x00b",
    "lending\n",
    "Lending",
    "1lending",
    "_lending",
    "lending_",
    "len__ding",
    "len-ding",
    "lénding",
    "lendіng",  # noqa: RUF001 - a Cyrillic letter, on purpose
    "ｌending",  # noqa: RUF001 - a full-width letter, on purpose
    "lending\u202e",
    "lending\u200b",
    "{{ env_var('HOME') }}",
    "{% raw %}",
    "lending: x",
    "lending #x",
    "'lending'",
    '"lending"',
    "lending;drop",
    "--help",
    "$(id)",
    "`id`",
    "*",
    "!!python/object",
    "&a",
    "a" * 49,
]
TAKEN = ["select", "table", "order", "null", "true", "yes", "on", "main", "mesh"]
TAKEN += ["dbt", "dbt_utils", "con", "com1", "lpt9", "information_schema", "data"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_not_plain_is_refused_without_being_repeated_raw(name):
    with pytest.raises(UsageError) as caught:
        check_name(name, "domain")
    assert caught.value.problem.isprintable()


@pytest.mark.parametrize("name", TAKEN)
def test_a_word_that_means_something_already_is_refused(name):
    with pytest.raises(UsageError, match="cannot be the name"):
        check_name(name, "domain")


@pytest.mark.parametrize("name", ["a", "lending", "cards_2024", "a1_b2", "a" * 48])
def test_plain_snake_case_is_taken_as_it_is(name):
    assert check_name(name, "domain") == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "a\nb",
        "a\x1bb",
        "{{ x }}",
        "{% x %}",
        "{# x",
        "<b>",
        "a\\b",
        "`x`",
        "a\u202eb",
        "a\u2028b",
        "a\x85b",
        "x" * 301,
    ],
)
def test_text_that_something_would_act_on_is_refused(text):
    with pytest.raises(UsageError, match="The owner cannot be used"):
        check_text(text, "owner")


@pytest.mark.parametrize("text", ["Lénding & Söhne", 'a "b": #c', "- x", "| 1 |", "'"])
def test_other_text_is_taken_as_it_is(text):
    assert check_text(f" {text} ", "owner") == text


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@b", "a@b.c\n", "a b@c.d", "a@b.c, d@e.f", "é@b.c", "a@b.c#", "@b.c"],
)
def test_what_is_no_mail_address_is_refused(address):
    with pytest.raises(UsageError, match="not a mail address"):
        check_address(address, "steward")
