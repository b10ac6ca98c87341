"""The report and the card of every kind of target say what their record says."""

import dataclasses
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt

from fl_plugin.registry.record_json import record_from_json, record_to_json
from fl_plugin.registry.run_record import Fairness, RunRecord
from fl_plugin.report.card import card_of
from fl_plugin.report.fairness import fairness_limits, fairness_views, sentence_of
from fl_plugin.report.findings import exactness, findings, verdict
from fl_plugin.report.html import report_of
from fl_plugin.report.limits import limits
from fl_plugin.report.search import search_view
from fl_plugin.report.wording import metric_name

KINDS = ("binary", "multiclass", "regression", "count", "none")


def section(text: str, name: str) -> str:
    found = re.search(rf'<section id="{name}">.*?</section>', text, flags=re.DOTALL)
    return found.group(0) if found else ""


@pytest.fixture(scope="module")
def pages(of_kind):
    return {kind: report_of(record) for kind, record in of_kind.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_of_each_kind_is_read_back_as_it_was(of_kind, kind):
    record = of_kind[kind]
    read = record_from_json(record_to_json(record))
    assert record_to_json(read) == record_to_json(record)


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_named_and_none_is_python(of_kind, pages, kind):
    quality = section(pages[kind], "quality")
    for name in of_kind[kind].metrics:
        assert metric_name(name) in quality
        assert metric_name(name) != name
    words = re.sub(
        r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", "", pages[kind], flags=re.S)
    )
    assert not re.search(r"\b(None|nan|inf)\b", words)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_unique_and_drawings_have_words(pages, kind):
    ids = re.findall(r'\bid="([^"]+)"', pages[kind])
    assert len(ids) == len(set(ids))
    assert "<script" not in pages[kind]
    drawings = re.findall(r"<svg[^>]*>", pages[kind])
    assert all(re.search(r'aria-label="[^"]{20,}"', d) for d in drawings)


@pytest.mark.parametrize(
    ("kind", "drawn"),
    [
        ("binary", {"roc", "pr", "gain", "folds", "calibration", "groups-0"}),
        ("multiclass", {"folds", "calibration", "groups-1", "importances"}),
        ("regression", {"folds", "calibration", "groups-0", "coefficients"}),
        ("count", {"folds", "calibration", "groups-0", "coefficients"}),
        ("none", {"folds", "levels", "differences"}),
    ],
)
def test_each_kind_has_its_own_figures(pages, kind, drawn):
    every = {"roc", "pr", "gain", "calibration", "groups-0", "importances"}
    every |= {"coefficients", "folds", "levels", "differences", "groups-1"}
    found = {name for name in every if f'id="{name}-' in pages[kind]}
    assert drawn <= found
    for name in {"roc", "pr", "gain"} if kind != "binary" else set():
        assert name not in found


def test_several_classes_have_a_heat_table_with_every_count(of_kind, pages):
    record = of_kind["multiclass"]
    quality = section(pages["multiclass"], "quality")
    heat = re.search(r'<table class="heat">.*?</table>', quality, flags=re.DOTALL)
    assert heat is not None
    counts = re.findall(r"<b>([\d,]+)</b>", heat.group(0))
    wanted = [f"{cell:,}" for line in record.confusion_matrix for cell in line]
    assert counts == wanted
    assert heat.group(0).count("--cell: var(--good)") == 3
    for result in record.class_results:
        assert str(result.name) in quality
    assert 'class="heat"' not in pages["binary"]


def test_too_many_classes_have_no_matrix_that_nobody_reads(of_kind):
    many = dataclasses.replace(
        of_kind["multiclass"],
        classes=tuple(range(30)),
        confusion_matrix=tuple((1,) * 30 for _ in range(30)),
    )
    assert 'class="heat"' not in report_of(many)


def test_the_top_of_the_list_is_told(of_kind, pages):
    quality = section(pages["binary"], "quality")
    tenth = next(r for r in of_kind["binary"].ranking if r.share == 0.1)
    assert f"{tenth.lift.value:.2f} times" in quality
    assert "The top of the list" not in pages["regression"]


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression", "count"])
def test_groups_are_shown_and_small_ones_are_not(of_kind, pages, kind):
    groups = section(pages[kind], "groups")
    assert "female" in groups
    assert groups.count("kept back</td>") == 2
    views = fairness_views(of_kind[kind])
    assert [view.column for view in views] == ["Sex", "Age band"]
    assert "2 of 4 groups are kept back" in views[1].sentence
    assert "female" in views[0].sentence
    assert any("too small" in text for text in fairness_limits(of_kind[kind]))


def test_a_ratio_below_four_fifths_stands_among_the_limits(of_kind):
    record = of_kind["binary"]
    ratio = record.groups[0].figures["demographic_parity_ratio"]
    assert ratio is not None
    assert ratio < 0.8
    assert any(text.startswith("Sex: The share called") for text in limits(record))
    fair = dataclasses.replace(
        record.groups[0], figures={"demographic_parity_ratio": 0.81}
    )
    kept = dataclasses.replace(record, groups=(fair,))
    assert not any(text.startswith("Sex: The share") for text in limits(kept))


def test_one_group_alone_is_not_compared(of_kind):
    table = of_kind["binary"].groups[0]
    alone = Fairness(column="sex", groups=table.groups[:1], figures={})
    assert sentence_of(alone, "binary").startswith("Too few groups")


def test_a_search_is_told_best_first_with_what_it_spent(of_kind, pages):
    view = search_view(of_kind["multiclass"])
    assert view is not None
    assert [row.chosen for row in view.rows] == [True, False, False]
    assert view.rows[2].mean == "\N{EN DASH}"
    assert "3 settings were tried (halving), at least 25 fits" in view.sentence
    assert "spent ε = 1.5" in section(pages["multiclass"], "search")
    assert section(pages["binary"], "search") == ""


def test_a_search_for_the_higher_figure_puts_the_highest_first(of_kind):
    record = of_kind["multiclass"]
    search = dataclasses.replace(
        record.search,
        better="higher",
        candidates=tuple(
            dataclasses.replace(c, chosen=False) for c in record.search.candidates
        ),
    )
    view = search_view(dataclasses.replace(record, search=search))
    assert view is not None
    assert [row.mean for row in view.rows][:2] == ["0.520", "0.440"]


def test_the_noise_is_told_and_pooling_is_not_claimed(of_kind, pages):
    told = section(pages["binary"], "left")
    for words in ("discrete Gaussian", "signed by each domain", "10⁻⁶"):
        assert words in told
    found = exactness(of_kind["binary"])
    assert found.answer.startswith("No, and on purpose")
    assert not any("not differentially private" in t for t in limits(of_kind["binary"]))
    assert "ε = 2, δ = 1" in card_of(of_kind["binary"]).replace("\\", "")


def test_without_a_certificate_the_algorithm_says_what_it_equals(of_kind):
    found = exactness(of_kind["multiclass"])
    assert "scikit-learn's HistGradientBoostingClassifier" in found.answer
    assert "no certificate" in found.answer
    assert found.tone == "plain"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("multiclass", "The probabilities of the three classes of"),
        ("regression", "The value of"),
        ("count", "The expected number of"),
        ("none", "How the rows are alike"),
    ],
)
def test_what_was_learned_is_said_of_each_kind(of_kind, kind, said):
    first = findings(of_kind[kind])[0].answer
    assert first.startswith(said)
    assert "On rows kept apart its" in first


def test_a_lower_loss_is_said_to_have_helped(of_kind):
    record: RunRecord = of_kind["regression"]
    (result, *_) = [d for d in record.domains if d.verdict == "helped"]
    assert result.difference is not None
    assert result.difference.high is not None
    assert result.difference.high < 0
    assert verdict(result).startswith("Federation helped: \N{MINUS SIGN}")
    assert "MSE" in verdict(result)


@pytest.mark.parametrize("kind", KINDS)
def test_a_baseline_that_is_as_good_is_named(of_kind, kind):
    record = of_kind[kind]
    values = {name: found.value for name, found in record.metrics.items()}
    even = dataclasses.replace(record, baselines={"mean": values})
    assert any("training mean" in text for text in limits(even))


@pytest.mark.parametrize("kind", KINDS)
def test_the_card_of_each_kind_is_tables_and_sections(of_kind, kind):
    text = card_of(of_kind[kind])
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "None" not in text
    tables = {"binary": 6, "multiclass": 7, "regression": 6, "count": 6, "none": 4}
    assert html.count("<table>") == tables[kind]
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert headings[3] == "Metrics"
    assert ("no measure by group" in text) == (kind == "none")


def test_each_domains_calibration_is_drawn(of_kind, pages):
    assert 'id="domain-calibration-' in pages["count"]
    without = dataclasses.replace(
        of_kind["count"],
        domains=tuple(
            dataclasses.replace(d, calibration=()) for d in of_kind["count"].domains
        ),
    )
    assert 'id="domain-calibration-' not in report_of(without)


def test_fine_tuned_models_have_a_column_only_where_there_are_some(pages):
    assert "Fine-tuned" in section(pages["multiclass"], "domains")
    assert "Fine-tuned" not in section(pages["count"], "domains")


def test_notes_progress_and_steps_of_preparation_are_told(pages):
    assert "It stopped early, after 80 trees." in section(pages["multiclass"], "run")
    assert '<th class="n">Trees</th>' in section(pages["multiclass"], "run")
    told = section(pages["regression"], "provenance")
    assert "missing becomes 36, then less 35.5" in told


def test_no_name_of_a_group_or_a_class_becomes_markup(of_kind):
    evil: Any = "<img src=x onerror=alert(1)>"
    record = of_kind["multiclass"]
    table = record.groups[0]
    named = dataclasses.replace(
        table,
        column=evil,
        groups=tuple(dataclasses.replace(g, group=evil) for g in table.groups),
    )
    text = report_of(
        dataclasses.replace(
            record,
            classes=(evil, evil, evil),
            groups=(named,),
            notes=(evil,),
            class_results=tuple(
                dataclasses.replace(c, name=evil) for c in record.class_results
            ),
        )
    )
    assert "<img" not in text
