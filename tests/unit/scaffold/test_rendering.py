"""The guard of the templates: a text that nothing has quoted stops the rendering."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from fl_plugin.errors import MeshError
from fl_plugin.scaffold.names import is_text
from fl_plugin.scaffold.rendering import (
    FOLDER,
    markdown,
    sql_identifier,
    sql_text,
    templates,
    yaml_text,
)


def line(text, **facts):
    return templates().from_string(text).render(facts)


@pytest.mark.parametrize(
    "text", ["a b", "a: b", "#a", "a\nb", "{{ a }}", "-a", "é", "'"]
)
def test_a_text_that_is_not_plain_stops_the_rendering(text):
    with pytest.raises(MeshError, match="nothing has quoted"):
        line("<< it >>", it=text)


def test_a_list_is_guarded_word_by_word():
    assert line("<< it | flow >>", it=["a", "b_c"]) == "[a, b_c]"
    with pytest.raises(MeshError, match="nothing has quoted"):
        line("<< it | flow >>", it=["a", "b]"])


def test_what_is_not_said_stops_the_rendering():
    for text in ("<< it >>", "<< it | yaml >>", "<% if it %><% endif %>"):
        with pytest.raises((MeshError, UndefinedError)):
            line(text)


def test_dbts_own_jinja_is_left_alone():
    text = "{{ ref('<< it >>') }} {% docs x %} {# y #}"
    assert line(text, it="a") == "{{ ref('a') }} {% docs x %} {# y #}"


@given(st.text(min_size=1, max_size=300).map(str.strip).filter(is_text))
def test_yaml_reads_back_every_text_that_is_let_in(text):
    assert yaml.safe_load(f"{{a: {yaml_text(text)}, b: 1}}") == {"a": text, "b": 1}


@given(st.text(max_size=50))
def test_sql_reads_a_quoted_text_to_its_end(text):
    literal, name = sql_text(text), sql_identifier(text)
    assert literal[1:-1].replace("''", "") == text.replace("'", "")
    assert name[1:-1].replace('""', "") == text.replace('"', "")


def test_markdown_shows_a_text_as_it_is():
    assert markdown("a|b [c](d) *e*") == r"a\|b \[c\]\(d\) \*e\*".replace(
        r"\(d\)", "(d)"
    )


def test_every_template_is_used_by_some_file():
    code = "".join(p.read_text() for p in FOLDER.parent.glob("*.py"))
    for path in FOLDER.rglob("*.j2"):
        name = path.name.removesuffix(".j2")
        assert re.search(rf'["/]{re.escape(name)}"', code), name
