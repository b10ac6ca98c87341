"""A page says who fell silent, what was not compared, and all that left."""

import dataclasses
from typing import Any

import pytest

from fl_plugin.registry.run_record import (
    ColumnPrepared,
    LeftDomain,
    NumericPrepared,
    Preparation,
    RunRecord,
    Traffic,
    TrafficRecord,
)
from fl_plugin.report.card import card_of
from fl_plugin.report.findings import exactness, findings, headline
from fl_plugin.report.html import report_of
from fl_plugin.report.inside import ratio_name, step_of
from fl_plugin.report.left import left_rows, left_the_same
from fl_plugin.report.limits import limits
from fl_plugin.report.measures import headlines
from fl_plugin.report.setting import judged, prepared_rows
from fl_plugin.report.tables import domain_rows, metric_rows, tiles, training_rounds
from fl_plugin.report.taking_part import lost, why_not_compared

SENT = (("open", 1), ("count", 1), ("step", 5), ("evaluate", 1), ("compare", 1))
LOST = "commercial_banking"


def sent(domain: str, times: Any, **words: Any) -> tuple[LeftDomain, ...]:
    clear = {"open", "compare"}
    return tuple(
        LeftDomain(
            domain=domain,
            kind=kind,
            what=f"{kind} of it, as masked integers",
            form=words.get("form") or ("number" if kind in clear else "masked sum"),
            bytes=100 * rounds,
            rounds=rounds,
        )
        for kind, rounds in times
    )


def with_left(run: RunRecord, left: tuple[LeftDomain, ...]) -> RunRecord:
    return dataclasses.replace(run, left_domain=left, target_kind="binary")


def everybody(run: RunRecord, **words: Any) -> RunRecord:
    domains = [p.domain for p in run.products]
    return with_left(run, tuple(i for d in domains for i in sent(d, SENT, **words)))


@pytest.fixture
def silent(run):
    """A run that went on when one domain had answered two steps."""
    whole = everybody(run)
    kept = tuple(i for i in whole.left_domain if i.domain != LOST)
    half = sent(LOST, (("open", 1), ("count", 1), ("step", 2)))
    return dataclasses.replace(
        with_left(run, (*kept, *half)),
        privacy=dataclasses.replace(run.privacy, dropout="recover, without it"),
        domains=tuple(
            dataclasses.replace(
                d, own={}, difference=None, verdict="too few rows to say"
            )
            if d.domain == LOST
            else d
            for d in run.domains
        ),
    )


def test_a_domain_that_sent_fewer_sums_fell_silent(run, silent):
    assert lost(silent) == (LOST,)
    assert lost(everybody(run)) == ()
    stopping = dataclasses.replace(run.privacy, dropout="stop")
    assert lost(dataclasses.replace(silent, privacy=stopping)) == ()


def test_what_only_some_are_asked_for_is_no_silence(run, silent):
    whole = everybody(run)
    extra = sent(run.products[0].domain, (("vocabulary", 1), ("compare", 2)))
    alike = with_left(run, (*whole.left_domain, *extra))
    assert lost(dataclasses.replace(alike, privacy=silent.privacy)) == ()


def test_the_silent_domain_is_named_wherever_it_matters(silent):
    assert headline(silent).startswith("Two of three domains trained")
    told = {f.question: f for f in findings(silent)}
    assert "Commercial banking fell silent" in told["From whom?"].answer
    assert told["From whom?"].tone == "warn"
    assert "fell silent" in told["Did federation help?"].answer
    assert "too few rows" not in told["Did federation help?"].answer
    assert "all rows but those of Commercial banking" in exactness(silent).answer
    (row,) = [r for r in domain_rows(silent) if r.name == "Commercial banking"]
    assert (row.short, row.tone) == ("fell silent", "warn")
    assert any(t.startswith("Commercial banking: It fell") for t in limits(silent))


@pytest.mark.parametrize("noise", [True, False])
def test_models_that_were_not_compared_are_not_said_to_have_too_few_rows(run, noise):
    domains = tuple(
        dataclasses.replace(d, own={}, difference=None, verdict="too few rows to say")
        for d in run.domains
    )
    alone = dataclasses.replace(
        run,
        domains=domains,
        cross_validation=None,
        privacy=dataclasses.replace(run.privacy, epsilon=1.0 if noise else None),
    )
    reason = why_not_compared(alone)
    assert ("budget" in reason) == noise
    assert ("folds" in reason) != noise
    for text in (report_of(alone), card_of(alone)):
        assert "oo few rows of its own" not in text
        assert "too few rows to compare" not in text
    assert 'id="domains"' not in report_of(alone)
    assert "shows what it cost" not in exactness(alone).answer
    assert why_not_compared(run) == ""


def test_all_bytes_of_a_domain_stand_in_the_table(run):
    whole = everybody(run)
    up = {d: 1000 + place for place, d in enumerate(sorted(whole.bytes.domains))}
    parts = {d: Traffic(up=b, down=0, messages=2) for d, b in up.items()}
    whole = dataclasses.replace(
        whole, bytes=TrafficRecord(up=3003, down=0, messages=6, domains=parts)
    )
    rows = left_rows(whole)
    names = [row.kind for row in rows]
    assert names == ["open", "count", "step", "evaluate", "compare", "agreement"]
    assert rows[-1].bytes == ("100 B", "101 B", "102 B")
    assert rows[-1].form == "no data"
    assert left_the_same(whole)
    assert "encrypted shares" in rows[-1].what
    assert not left_the_same(with_left(run, whole.left_domain[1:]))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("binary", "score bin and outcome"),
        ("multiclass", "class and answer"),
        ("regression", "targets, predictions and errors"),
        ("count", "deviances"),
        ("none", "rows; summed losses"),
    ],
)
def test_what_an_evaluation_sums_is_said_of_each_kind(run, kind, said):
    whole = dataclasses.replace(everybody(run), target_kind=kind, groups=())
    (row,) = [r for r in left_rows(whole) if r.kind == "evaluate"]
    assert said in row.what


def test_sums_that_were_not_masked_are_not_called_masked(run):
    clear = dataclasses.replace(
        everybody(run, form="number"),
        privacy=dataclasses.replace(run.privacy, secure_aggregation=False),
    )
    assert all("masked" not in row.what for row in left_rows(clear))
    assert all(row.form in {"in the clear", "no data"} for row in left_rows(clear))
    (found,) = [f for f in findings(clear) if f.question == "What left the domains?"]
    assert "each domain's own sums" in found.answer
    assert "masked" not in found.answer


@pytest.mark.parametrize(
    ("equals", "said"),
    [
        ("nothing: it comes close to X", "Not the same model: it comes close to X."),
        ("itself on the pooled rows", "equals the one that it gives on the pooled"),
        ("scikit-learn's Ridge", "the model equals scikit-learn's Ridge."),
    ],
)
def test_what_a_model_equals_is_a_sentence(bare, equals, said):
    used = dataclasses.replace(bare.algorithm, equals=equals)
    found = exactness(dataclasses.replace(bare, algorithm=used))
    assert said in found.answer
    assert found.tone == "plain"


@pytest.mark.parametrize(
    ("name", "kind", "ratio"),
    [
        ("logistic_regression", "binary", "odds"),
        ("private_logistic_regression", "binary", "odds"),
        ("l1_logistic_regression", "binary", "odds"),
        ("multinomial_logistic_regression", "multiclass", ""),
        ("poisson_regression", "count", "rate"),
        ("gamma_regression", "regression", "mean"),
        ("tweedie_regression", "count", "rate"),
        ("ridge", "regression", ""),
        ("ridge", "count", ""),
    ],
)
def test_a_ratio_is_shown_only_where_it_means_one(run, name, kind, ratio):
    used = dataclasses.replace(run.algorithm, name=name)
    found = dataclasses.replace(run, algorithm=used, target_kind=kind)
    assert ratio_name(found) == ratio


@pytest.mark.parametrize(
    ("step", "epsilon", "said"),
    [
        ("standard scaling: less 1, over 2", None, "standard deviation"),
        ("robust scaling: less 1, over 2", None, "interquartile range"),
        ("missing: mean 1", None, "unit"),
        ("standard scaling: less 1, over 2", 1.0, "half of the range"),
    ],
)
def test_a_coefficient_counts_per_what_the_preparation_made(run, step, epsilon, said):
    prepared = Preparation(columns=(ColumnPrepared(name="a", steps=(step,)),))
    noise = dataclasses.replace(run.privacy, epsilon=epsilon)
    found = dataclasses.replace(run, preparation=prepared, privacy=noise)
    assert said in step_of(found)


def test_a_column_is_prepared_once(run):
    both = Preparation(
        numeric=(NumericPrepared(name="age", mean=40.0, scale=10.0),),
        columns=(ColumnPrepared(name="age", steps=("missing: median 38",)),),
    )
    found = dataclasses.replace(run, preparation=both)
    assert prepared_rows(found) == (("age", "missing: median 38"),)
    noise = dataclasses.replace(run.privacy, epsilon=1.0)
    bounded = dataclasses.replace(found, privacy=noise)
    assert prepared_rows(bounded) == (
        ("age", "missing becomes 40, then less 40, over 10"),
    )


def test_the_rows_held_out_are_described_as_they_were_drawn(run):
    def told(**settings: Any) -> str:
        found = {**run.evaluation, **settings}
        return judged(dataclasses.replace(run, evaluation=found))

    assert "20 % of each domain's, drawn by a keyed hash" in told()
    assert "5 folds, drawn 5 times" in told()
    assert "the latest 25 % of all domains' rows" in told(
        holdout_by="time", holdout=0.25
    )
    assert "rows of one household on one side" in told(group="household")
    assert "its share of every class" in told(stratified=True)


def test_a_figure_of_which_nothing_is_known_has_no_place(of_kind):
    record: RunRecord = of_kind["none"]
    unknown = dataclasses.replace(record.metrics["explained_share"], value=None)
    folds = record.cross_validation
    assert folds is not None
    spreads = {n: s for n, s in folds.metrics.items() if n != "explained_share"}
    found = dataclasses.replace(
        record,
        metrics={**record.metrics, "explained_share": unknown},
        cross_validation=dataclasses.replace(folds, metrics=spreads),
        baselines={},
    )
    assert "Explained share" not in [row.name for row in metric_rows(found)]
    assert tiles(found)[0].name == "Mean loss"
    assert headlines("none", frozenset()) == ["explained_share", "mean_loss"]


def test_a_fit_without_rounds_of_its_own_counts_its_exchanges(run):
    whole = dataclasses.replace(everybody(run), rounds=())
    assert training_rounds(whole) == 5
    assert training_rounds(run) == len(run.rounds)


def test_a_share_below_zero_is_named_where_there_is_no_baseline(of_kind):
    record: RunRecord = of_kind["regression"]
    worse = dataclasses.replace(record.metrics["r2"], value=-0.4)
    found = dataclasses.replace(
        record, baselines={}, metrics={**record.metrics, "r2": worse}
    )
    assert any("answering with the mean" in text for text in limits(found))
    assert not any(
        "answering with the mean" in text
        for text in limits(dataclasses.replace(record, baselines={}))
    )


def test_figures_with_noise_are_said_to_have_it(run):
    whole = everybody(run)
    noise = sent(whole.products[0].domain, (("judge", 1),))
    found = with_left(run, (*whole.left_domain, *noise))
    assert "Every figure holds noise" in judged(found)
    assert "Every figure holds noise" not in judged(whole)
    assert "The counts hold noise" in report_of(found)
    assert "of its alarms are right" not in report_of(found)
    assert "of its alarms are right" in report_of(whole)


def test_a_gradient_is_said_to_vanish_only_where_that_is_proven(run):
    said = "Where it is zero no step"
    assert said in report_of(run)
    assert said not in report_of(dataclasses.replace(run, certificate=None))
