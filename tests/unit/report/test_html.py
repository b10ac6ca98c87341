"""The report is one safe, still file that says what its record says."""

import dataclasses
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest

from fl_plugin.registry.record_json import record_from_json, record_to_json
from fl_plugin.report.html import readable_date, report_of
from fl_plugin.report.inside import coefficient_plot

VOID = {"meta", "br", "link", "img", "hr"}
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """Collects tags, ids and links, and checks that every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str | None] = []
        self.links: list[str | None] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self._note(attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        assert not [name for name in named if name.startswith("on")]
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named[n] for n in ("href", "xlink:href", "src") if n in named]


@pytest.fixture(scope="module")
def text(run):
    return report_of(run)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_every_tag_is_closed_and_no_id_stands_twice(page):
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_it_loads_nothing_and_runs_nothing(page, text):
    assert not page.tags & {"script", "iframe", "object", "embed", "link", "img"}
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert "default-src 'none'" in text
    assert not re.search(r"url\((?!#)", text)
    assert "@import" not in text


def test_the_same_record_gives_the_same_page(run, text):
    assert report_of(run) == text
    assert report_of(record_from_json(record_to_json(run))) == text


def test_the_order_of_a_records_names_changes_nothing(run, text):
    def turned(mapping: Mapping[str, Any]) -> dict[str, Any]:
        return {name: mapping[name] for name in reversed(list(mapping))}

    backwards = dataclasses.replace(
        run,
        metrics=turned(run.metrics),
        software=turned(run.software),
        seconds=turned(run.seconds),
        audit_heads=turned(run.audit_heads),
        baselines=turned(run.baselines),
    )
    assert report_of(backwards) == text


def test_every_figure_says_in_words_what_it_shows(text):
    drawings = re.findall(r"<svg[^>]*>", text)
    assert len(drawings) == 12
    assert all('role="img"' in d for d in drawings)
    assert all(re.search(r'aria-label="[^"]{20,}"', d) for d in drawings)


def test_every_colour_follows_the_page(text):
    drawings = "".join(re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL))
    assert re.findall(r"#[0-9a-f]{6}\b", drawings) == []
    used = set(re.findall(r"var\(--([a-z0-9]+)\)", text))
    light, dark = re.findall(r":root \{(.*?)\}", text, flags=re.DOTALL)[:2]
    assert used <= set(re.findall(r"--([a-z0-9]+):", light)) | {"cell", "share"}
    themed = used - {"font", "mono", "cell", "share"}
    assert themed <= set(re.findall(r"--([a-z0-9]+):", dark))


def test_it_holds_what_a_reader_looks_for(run, text):
    for used in run.products:
        assert used.product in text
        assert used.policy in text
        assert used.grant in text
    for item in run.left_domain:
        assert item.what in text
    for digest in (run.model_digest, run.manifest_fingerprint, run.run):
        assert digest in text
    for head in run.audit_heads.values():
        assert head.hash in text
    assert f"{run.metrics['roc_auc'].value:.3f}" in text


def test_no_text_of_a_record_becomes_markup(run):
    first = run.products[0]
    evil = dataclasses.replace(
        run,
        study=EVIL,
        label=EVIL,
        description=EVIL,
        owner=EVIL,
        actor=EVIL,
        consumer=EVIL,
        purpose=EVIL,
        target=EVIL,
        run=EVIL,
        engine=EVIL,
        features=(EVIL,),
        created_at=EVIL,
        model_digest=EVIL,
        manifest_fingerprint=EVIL,
        software={EVIL: EVIL},
        seconds={EVIL: 1.0},
        baselines={EVIL: {}},
        metrics={EVIL: run.metrics["brier"]},
        products=(
            dataclasses.replace(
                first, product=EVIL, domain=EVIL, grant=EVIL, contact=EVIL, policy=EVIL
            ),
        ),
        domains=tuple(dataclasses.replace(d, domain=EVIL) for d in run.domains),
        left_domain=(
            dataclasses.replace(run.left_domain[0], domain=EVIL, kind=EVIL, what=EVIL),
        ),
        coefficients=(dataclasses.replace(run.coefficients[0], name=EVIL),),
        privacy=dataclasses.replace(run.privacy, statement=EVIL),
        algorithm=dataclasses.replace(
            run.algorithm, name=EVIL, parameters={EVIL: EVIL}
        ),
    )
    text = report_of(evil)
    assert not Page(text).tags & {"script", "img"}
    assert "onerror=alert(1)&gt;" in text


def test_code_in_a_description_is_shown_as_code(run):
    told = dataclasses.replace(run, description="Run `fl train <x>` or ` alone.")
    text = report_of(told)
    assert "Run <code>fl train &lt;x&gt;</code> or ` alone." in text


def test_rounds_count_from_one_whatever_the_messages_before_them(run, text):
    later = tuple(dataclasses.replace(r, round=r.round + 5) for r in run.rounds)
    assert report_of(dataclasses.replace(run, rounds=later)) == text


def test_dollars_and_backslashes_in_a_name_are_drawn_as_they_are(run):
    odd = dataclasses.replace(run.coefficients[0], name=r"cost $x_1$ $\frac{a$")
    text = report_of(dataclasses.replace(run, coefficients=(odd,)))
    assert text.count(r"cost $x_1$ $\frac{a$") == 2


def test_a_record_with_nothing_optional_still_has_a_page(bare):
    text = report_of(bare)
    assert Page(text).open == []
    assert "carries no certificate" in text
    assert "None" not in text
    assert not re.search(r"\bnan\b", text)


def test_a_missing_value_is_a_dash_never_none(run):
    undefined = {name: type(e)(value=None) for name, e in run.metrics.items()}
    domains = tuple(
        dataclasses.replace(
            d, own={}, federated={}, difference=None, verdict="too few rows to say"
        )
        for d in run.domains
    )
    text = report_of(dataclasses.replace(run, metrics=undefined, domains=domains))
    assert "None" not in text
    assert "Too few rows of its own to compare." in text


def test_standard_errors_are_drawn_where_they_are_known(run):
    plain = dataclasses.replace(run, coefficients=run.coefficients[:3])
    known = tuple(
        dataclasses.replace(c, standard_error=0.2) for c in plain.coefficients
    )
    told = dataclasses.replace(plain, coefficients=known)
    lines = []
    for record in (plain, told):
        plot = coefficient_plot(record)
        assert plot is not None
        drawn = re.findall(r"stroke: var\(--(?:federated|own)\)", plot.svg)
        lines.append(len(drawn))
    assert lines[1] - lines[0] == len(known)


def test_a_date_is_readable_and_a_strange_one_is_left_alone():
    assert readable_date("2026-11-02T10:00:00Z") == "2 November 2026"
    assert readable_date("soon") == "soon"
