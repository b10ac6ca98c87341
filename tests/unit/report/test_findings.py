"""The sentences at the head claim what the record shows, and no more."""

import dataclasses
from typing import Any

import pytest

from fl_plugin.registry.run_record import Certificate, Estimate, RunRecord
from fl_plugin.report.findings import (
    Finding,
    exactness,
    findings,
    headline,
    verdict,
)
from fl_plugin.report.limits import limits


def answer(run: RunRecord, question: str) -> Finding:
    return next(f for f in findings(run) if f.question == question)


def judged(run: RunRecord, *verdicts: Any) -> RunRecord:
    domains = tuple(
        dataclasses.replace(d, verdict=v)
        for d, v in zip(run.domains, verdicts, strict=True)
    )
    return dataclasses.replace(run, domains=domains)


def certified(run: RunRecord, bound: float) -> RunRecord:
    proof = Certificate(
        gradient_norm=1.0, smallest_eigenvalue=1.0, distance_bound=bound
    )
    return dataclasses.replace(run, certificate=proof)


def test_the_headline_counts_the_domains(run):
    assert headline(run).startswith("Three domains trained one credit risk model")
    alone = dataclasses.replace(run, products=run.products[:1])
    assert (
        headline(alone) == "One domain trained one credit risk model. No row left it."
    )


@pytest.mark.parametrize(
    ("bound", "tone", "said"),
    [
        (1e-9, "good", "It is the same model"),
        (1e-6, "good", "It is the same model"),
        (1.1e-6, "warn", "Not shown"),
        (3.0, "warn", "Not shown"),
    ],
)
def test_the_same_model_is_claimed_only_within_the_bound(run, bound, tone, said):
    found = exactness(certified(run, bound))
    assert found.tone == tone
    assert found.answer.startswith(said)


def test_no_certificate_means_no_claim(run):
    found = exactness(dataclasses.replace(run, certificate=None))
    assert found.tone == "warn"
    assert "not known" in found.answer


@pytest.mark.parametrize(
    ("verdicts", "tone"),
    [
        (("helped",) * 3, "good"),
        (("helped", "no clear difference", "helped"), "plain"),
        (("helped", "hurt", "helped"), "warn"),
        (("too few rows to say",) * 3, "plain"),
    ],
)
def test_federation_is_praised_only_where_all_gain(run, verdicts, tone):
    assert answer(judged(run, *verdicts), "Did federation help?").tone == tone


def test_every_domain_is_named_with_its_own_verdict(run):
    text = answer(
        judged(run, "helped", "hurt", "too few rows to say"), "Did federation help?"
    ).answer
    assert text == (
        "It helped Consumer banking; it did not help Auto finance, where the domain's "
        "own model is better; Commercial banking had too few rows to compare."
    )


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("helped", "Federation helped: +0.100 ROC-AUC"),
        ("hurt", "Federation did not help: its own model is better."),
        ("no clear difference", "No clear difference: +0.100 ROC-AUC"),
        ("too few rows to say", "Too few rows"),
    ],
)
def test_a_verdict_shows_its_interval(run, name, start):
    gap = Estimate(value=0.1, low=-0.05, high=0.25)
    result = dataclasses.replace(run.domains[0], verdict=name, difference=gap)
    assert verdict(result).startswith(start)
    shown = "\N{MINUS SIGN}0.050 to +0.250" in verdict(result)
    assert shown == (name != "too few rows to say")


def test_a_product_without_a_grant_is_named(run):
    bare = dataclasses.replace(run.products[1], grant=None)
    found = answer(dataclasses.replace(run, products=(bare,)), "Was it allowed?")
    assert found.tone == "warn"
    assert bare.product in found.answer


def test_rows_are_never_more_exact_than_their_buckets(run):
    counts = (490, 340, 170)
    products = tuple(
        dataclasses.replace(p, rows_bucket=n)
        for p, n in zip(run.products, counts, strict=True)
    )
    text = answer(dataclasses.replace(run, products=products), "From whom?").answer
    assert text.endswith("About 1,000 rows in all.")
    hidden = tuple(dataclasses.replace(p, rows_bucket=None) for p in run.products)
    text = answer(dataclasses.replace(run, products=hidden), "From whom?").answer
    assert "rows" not in text


def test_the_limits_name_every_domain_that_does_not_gain(run):
    text = " ".join(limits(judged(run, "helped", "hurt", "no clear difference")))
    assert "Auto finance: Federation did not help" in text
    assert "Commercial banking: No clear difference" in text
    assert "Consumer banking" not in text


def test_a_model_no_better_than_the_majority_class_is_told_so(run):
    majority = {"majority": {"accuracy": 0.99, "brier": 0.001}}
    text = " ".join(limits(dataclasses.replace(run, baselines=majority)))
    assert "Accuracy is no better than always answering with the majority" in text
    assert "Brier score is no better" in text
    assert "no better" not in " ".join(limits(run))


def test_membership_is_a_limit_unless_noise_was_added(run):
    private = dataclasses.replace(
        run, privacy=dataclasses.replace(run.privacy, epsilon=1.0)
    )
    assert any("not differentially private" in limit for limit in limits(run))
    assert not any("not differentially private" in limit for limit in limits(private))
