"""What a run found, in sentences; none claims more than its record shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fl_plugin.registry.run_record import DomainResult, RunRecord
from fl_plugin.report.wording import (
    counted,
    figure,
    listed,
    metric_name,
    rounded,
    short,
    signed,
    size,
    title,
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
    if domains == 1:
        return f"{subject}. No row left it."
    return f"{subject} together. No row left any of them."


def exactness(run: RunRecord) -> Finding:
    """Say how far the model is from one trained on all rows in one place."""
    question = "Is it as good as pooling the rows?"
    proof = run.certificate
    if proof is None:
        answer = (
            "This run carries no certificate: how far it is from a model trained on "
            "all rows in one place is not known."
        )
        return Finding(question, answer, "warn")
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


def verdict(result: DomainResult) -> str:
    """Return what federation did for one domain, with the interval behind it."""
    if result.difference is None or result.difference.value is None:
        return "Too few rows of its own to compare."
    gap = result.difference
    interval = f"95 % interval {signed(gap.low)} to {signed(gap.high)}"
    change = f"{signed(gap.value)} ROC-AUC, {interval}"
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
    auc = run.metrics.get("roc_auc")
    inputs = counted(len(run.features), "column")
    answer = (
        f"The probability of {run.target}, from {inputs}, by "
        f"{words(run.algorithm.name)}."
    )
    if auc is not None and auc.value is not None:
        answer += f" On rows kept apart its ROC-AUC is {figure(auc.value)}"
        if auc.low is not None:
            answer += f" (95 % interval {figure(auc.low)} to {figure(auc.high)})"
        answer += "."
    return Finding("What was learned?", answer)


def _from_whom(run: RunRecord) -> Finding:
    products = [f"{title(p.domain)}" for p in run.products]
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
    majority = run.baselines.get("majority", {})
    for name in ("accuracy", "brier"):
        mine, theirs = run.metrics.get(name), majority.get(name)
        if mine is None or mine.value is None or theirs is None:
            continue
        gain = mine.value - theirs if name == "accuracy" else theirs - mine.value
        if gain <= 0:
            yield (
                f"{metric_name(name)} is no better than always answering with the "
                f"majority class ({figure(mine.value)} against {figure(theirs)})."
            )
    if run.privacy.epsilon is None:
        yield (
            "The model is exact, not differentially private: someone who holds it may "
            "learn something about whether a person was among the rows."
        )
    yield (
        "The coefficients describe an association in past decisions; they are no "
        "causes, and they repeat whatever bias those decisions had."
    )
