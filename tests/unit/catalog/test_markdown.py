from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.catalog.markdown import (
    address,
    code,
    defused,
    link,
    plain,
    prose,
    table,
)

TAG = '<img src=x onerror="alert(1)">'
hostile = st.text(alphabet="<>!/?aI`~[]()|\\*_# \n&;\x1b\u202e", max_size=60)


def opens_a_tag(text):
    return any(
        here == "<" and (after.isalpha() or after in "/!?")
        for here, after in pairwise(text)
    )


@given(hostile)
def test_nothing_that_is_written_here_opens_a_tag(text):
    for written in (plain(text), code(text), prose(text), link(text, "model", text)):
        assert not opens_a_tag(written)


@given(hostile)
def test_a_cell_stays_one_cell(text):
    written = table(["a", "b"], [[plain(text), "x"]])
    assert len(written.splitlines()) == 3
    assert written.splitlines()[2].count("|") == 3


@given(hostile)
def test_code_is_closed_by_the_fence_that_opened_it(text):
    written = code(text)
    fence = written[: len(written) - len(written.lstrip("`"))]
    assert fence not in written[len(fence) : -len(fence)]


@given(st.recursive(hostile, lambda below: st.dictionaries(hostile, below)))
def test_no_text_of_an_artifact_opens_a_tag(artifact):
    def texts(value):
        if isinstance(value, dict):
            for key, below in value.items():
                yield key
                yield from texts(below)
        else:
            yield value

    assert not any(opens_a_tag(text) for text in texts(defused(artifact)))


def test_sql_that_compares_is_not_changed():
    assert defused({"raw_code": "a < b and c <= 3"}) == {"raw_code": "a < b and c <= 3"}


def test_defusing_makes_a_copy():
    before = {"description": TAG}
    assert defused(before) != before
    assert before == {"description": TAG}


def test_an_open_fence_does_not_swallow_what_follows():
    assert prose("Look:\n```sql\nselect 1").endswith("\n```")
    assert prose("Look:\n```sql\nselect 1\n```").count("```") == 2


def test_an_image_is_not_fetched():
    assert prose("![pixel](http://elsewhere.example/p.png)").startswith("[pixel]")


def test_only_an_address_becomes_a_mail_link():
    assert address("a.b@bank.example").endswith("(mailto:a.b@bank.example)")
    assert "mailto" not in address("a)b@bank.example")


def test_the_address_of_a_page_cannot_end_the_link_early():
    assert link("x", "model", "model.a.b) [y](javascript:c").count("(") == 1
