"""What a run found, in sentences; none claims more than its record shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fl_plugin.registry.run_record import DomainResult, RunRecord
from fl_plugin.report.fairness import fairness_limits
from fl_plugin.report.measures import COMPARED, HEADLINES
from fl_plugin.report.wording import (
    baseline_name,
    change_of,
    counted,
    listed,
    measure_of,
    metric_in_text,
    metric_name,
    rounded,
    short,
    size,
    title,
    value_of,
    words,
)

# Closer than this, no printed digit of a coefficient or a score differs.
EQUAL = 1e-6
Tone = Literal["good", "plain", "warn"]


@dataclass(frozen=True)
class Finding:
    """One question that a reader has, and its answer."""

    question: str
    answer: str
    tone: Tone = "plain"


def findings(run: RunRecord) -> tuple[Finding, ...]:
    """Return what stands at the head of the report and of the card."""
    asked = (_learned, _from_whom, _allowed, _left, exactness, _helped)
    return tuple(answer(run) for answer in asked)


def headline(run: RunRecord) -> str:
    """Return the run in one sentence."""
    domains = len(run.products)
    who = counted(domains, "domain").capitalize()
    subject = f"{who} trained one {words(run.study)} model"
    if run.vertical is not None:
        return f"{subject} over columns that none shows another."
    if domains == 1:
        return f"{subject}. No row left it."
    return f"{subject} together. No row left any of them."


def exactness(run: RunRecord) -> Finding:
    """Say how far the model is from one trained on all rows in one place."""
    question = "Is it as good as pooling the rows?"
    proof = run.certificate
    if run.privacy.epsilon is not None:
        return Finding(question, _NOISY)
    if proof is None:
        return _by_construction(run, question)
    if proof.distance_bound > EQUAL:
        answer = (
            "Not shown. The best coefficients on all rows in one place may be "
            f"{short(proof.distance_bound)} away from these; more rounds bring them "
            "closer."
        )
        return Finding(question, answer, "warn")
    answer = (
        "It is the same model. All its coefficients together are at most "
        f"{short(proof.distance_bound)} away from those that the same training would "
        "find on all rows in one place."
    )
    return Finding(question, answer, "good")


_NOISY = (
    "No, and on purpose: noise was added for differential privacy. The comparison with "
    "the domains' own models shows what it cost."
)


def _by_construction(run: RunRecord, question: str) -> Finding:
    if run.algorithm.equals:
        answer = (
            f"By construction it is {run.algorithm.equals}. This run carries no "
            "certificate that measures it."
        )
        return Finding(question, answer)
    answer = (
        "This run carries no certificate: how far it is from a model trained on "
        "all rows in one place is not known."
    )
    return Finding(question, answer, "warn")


def verdict(result: DomainResult) -> str:
    """Return what federation did for one domain, with the interval behind it."""
    if result.difference is None or result.difference.value is None:
        return "Too few rows of its own to compare."
    gap = result.difference
    name = result.measure
    low, high = change_of(name, gap.low), change_of(name, gap.high)
    change = f"{change_of(name, gap.value)} {metric_in_text(name)}"
    change += f", 95 % interval {low} to {high}"
    match result.verdict:
        case "helped":
            return f"Federation helped: {change}."
        case "hurt":
            return f"Federation did not help: its own model is better. {change}."
        case "no clear difference":
            return f"No clear difference: {change}, which holds zero."
        case "too few rows to say":
            return "Too few rows of its own to compare."


def limits(run: RunRecord) -> tuple[str, ...]:
    """Return what the model must not be trusted with, as far as the record shows."""
    return tuple(_limits(run))


def _learned(run: RunRecord) -> Finding:
    question = "What was learned?"
    inputs = counted(len(run.features), "column")
    method = words(run.algorithm.title or run.algorithm.name)
    subject = output_of(run)
    answer = f"{subject[:1].upper()}{subject[1:]}, from {inputs}, by {method}."
    name, _ = HEADLINES.get(run.target_kind, HEADLINES["binary"])
    found = run.metrics.get(name)
    if found is not None and found.value is not None:
        answer += f" On rows kept apart its {metric_in_text(name)} is "
        answer += value_of(name, found.value)
        if found.low is not None:
            ends = (value_of(name, found.low), value_of(name, found.high))
            answer += f" (95 % interval {ends[0]} to {ends[1]})"
        answer += "."
    return Finding(question, answer)


def output_of(run: RunRecord) -> str:
    """Return what the model predicts."""
    match run.target_kind:
        case "multiclass":
            return (
                f"the probabilities of the {len(run.classes)} classes of {run.target}"
            )
        case "regression":
            return f"the value of {run.target}"
        case "count":
            return f"the expected number of {run.target}"
        case "none":
            return "how the rows are alike, without a target"
        case _:
            return f"the probability of {run.target}"


def _from_whom(run: RunRecord) -> Finding:
    products = [f"{title(p.domain)}" for p in run.products]
    if run.vertical is not None:
        matched = f" {run.vertical.matched.rows} rows are in all of them."
        return Finding("From whom?", f"{listed(products)}.{matched}")
    known = [p.rows_bucket for p in run.products if p.rows_bucket is not None]
    rows = f" About {rounded(sum(known))} rows in all." if known else ""
    return Finding("From whom?", f"{listed(products)}.{rows}")


def _allowed(run: RunRecord) -> Finding:
    question = "Was it allowed?"
    missing = [p.product for p in run.products if p.grant is None]
    if missing:
        answer = f"No grant is recorded for {listed(missing)}."
        return Finding(question, answer, "warn")
    answer = (
        "Yes. Each domain decided by its own policy, in its own process, for the "
        f"purpose {words(run.purpose)}, and wrote its decision to its own ledger "
        "before a row was read."
    )
    return Finding(question, answer, "good")


def _left(run: RunRecord) -> Finding:
    amount = f"{size(run.bytes.up)} left the domains"
    question = "What left the domains?"
    forms = {item.form for item in run.left_domain}
    what = listed([_FORMS[form] for form in _FORMS if form in forms])
    answer = f"{amount}: {what}. " if what else f"{amount}. "
    tone: Tone = "good" if run.privacy.secure_aggregation else "plain"
    return Finding(question, answer + run.privacy.statement, tone)


_FORMS = {
    "masked sum": "masked sums (readable only once added over all domains)",
    "vocabulary": "vocabularies",
    "number": "single numbers",
    "blinded key": "blinded keys of rows",
    "sealed": "sealed messages that only another domain can read",
    "activation": "activations and their gradients, row by row",
    "encrypted number": "encrypted numbers",
}


def _helped(run: RunRecord) -> Finding:
    question = "Did federation help?"
    if not run.domains:
        return Finding(question, "The domains' own models were not compared.", "warn")
    groups = (
        ("helped", "It helped {}"),
        ("no clear difference", "no clear difference shows in {}"),
        ("hurt", "it did not help {}, where the domain's own model is better"),
        ("too few rows to say", "{} had too few rows to compare"),
    )
    parts = []
    for verdict_name, sentence in groups:
        names = [title(d.domain) for d in run.domains if d.verdict == verdict_name]
        if names:
            parts.append(sentence.format(listed(names)))
    answer = "; ".join(parts) + "."
    clear = all(d.verdict == "helped" for d in run.domains)
    return Finding(question, answer[0].upper() + answer[1:], _tone(run, clear=clear))


def _tone(run: RunRecord, *, clear: bool) -> Tone:
    if clear:
        return "good"
    return "warn" if any(d.verdict == "hurt" for d in run.domains) else "plain"


def _limits(run: RunRecord) -> Iterator[str]:
    for result in run.domains:
        if result.verdict != "helped":
            yield f"{title(result.domain)}: {verdict(result)}"
    if exactness(run).tone == "warn":
        yield exactness(run).answer
    yield from _no_better(run)
    yield from fairness_limits(run)
    if run.privacy.epsilon is None:
        yield (
            "The model is exact, not differentially private: someone who holds it may "
            "learn something about whether a person was among the rows."
        )
    yield (
        "The coefficients describe an association in past decisions; they are no "
        "causes, and they repeat whatever bias those decisions had."
        if run.coefficients
        else "The model describes how past cases went; it shows no causes, and it "
        "repeats whatever bias they had."
    )


def _no_better(run: RunRecord) -> Iterator[str]:
    """Yield where the model does not beat the one that knows the target alone."""
    for base in sorted(run.baselines):
        for name in COMPARED.get(run.target_kind, ()):
            mine, theirs = run.metrics.get(name), run.baselines[base].get(name)
            if mine is None or mine.value is None or theirs is None:
                continue
            gain = mine.value - theirs
            if (gain if measure_of(name).better == "higher" else -gain) <= 0:
                figures = (
                    f"{value_of(name, mine.value)} against {value_of(name, theirs)}"
                )
                yield (
                    f"{metric_name(name)} is no better than always answering with the "
                    f"{baseline_name(base).lower()} ({figures})."
                )
