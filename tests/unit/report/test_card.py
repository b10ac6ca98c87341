"""The card has the sections of a model card, filled from the record."""

import dataclasses
import re

import pytest
from markdown_it import MarkdownIt

from fl_plugin.registry.record_json import record_from_json, record_to_json
from fl_plugin.report.card import card_of
from fl_plugin.report.rendering import code, markdown

EVIL = "<b>x</b> | *a* [l](http://e.example) `c` ![i](u) _u_\n# head & ~s~"


def rendered(text: str) -> str:
    html: str = MarkdownIt("commonmark").enable("table").render(text)
    return html


def test_it_has_the_sections_of_a_model_card(run):
    headings = re.findall(r"^## (.*)$", card_of(run), flags=re.MULTILINE)
    assert headings == [
        "In short",
        "Intended use",
        "Data",
        "Metrics",
        "Limits",
        "Privacy",
        "Ethical notes",
        "Reproduce",
    ]


def test_its_tables_are_tables(run):
    html = rendered(card_of(run))
    assert html.count("<table>") == 4
    assert html.count("<tr>") == 1 + 5 + 1 + 3 + 1 + len(run.metrics) + 1 + 3


def test_it_names_products_owners_grants_and_the_verdicts(run):
    html = rendered(card_of(run))
    for used in run.products:
        assert used.product in html
        assert used.owner in html
        assert used.grant in html
    assert run.model_digest in html
    assert "No clear difference" in html
    assert run.privacy.statement in html


def test_the_same_record_gives_the_same_card(run):
    assert card_of(record_from_json(record_to_json(run))) == card_of(run)


def test_no_text_of_a_record_becomes_markup(run):
    first = run.products[0]
    evil = dataclasses.replace(
        run,
        label=EVIL,
        description=EVIL,
        owner=EVIL,
        consumer=EVIL,
        purpose=EVIL,
        target=EVIL,
        engine=EVIL,
        run=EVIL,
        features=(EVIL, EVIL),
        software={EVIL: EVIL},
        products=(dataclasses.replace(first, product=EVIL, owner=EVIL, contact=EVIL),),
        privacy=dataclasses.replace(run.privacy, statement=EVIL),
    )
    html = rendered(card_of(evil))
    for tag in ("<b>", "<em>", "<a ", "<img", "<h1>head"):
        assert tag not in html
    assert html.count("<h1>") == 1
    assert html.count("<table>") == 4
    assert html.count("<td>") == rendered(card_of(run)).count("<td>") - 2 * 7


def test_a_record_with_nothing_optional_still_has_a_card(bare):
    text = card_of(bare)
    assert "None" not in text
    assert "Model card: Credit risk, version" in text


@pytest.mark.parametrize("text", [EVIL, "a\\b", "1*2*3", "~~x~~", "&lt;"])
def test_escaped_text_reads_as_it_was(text):
    html = rendered(markdown(text))
    plain = re.sub(r"</?p>\n?", "", html)
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        plain = plain.replace(entity, sign)
    assert plain == re.sub(r"\s+", " ", text)


def test_a_code_span_cannot_be_left():
    assert code("a`b`\n|c") == "`ab c`"
