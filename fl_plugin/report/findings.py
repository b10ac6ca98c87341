"""What a run found, in sentences; none claims more than its record shows."""

from dataclasses import dataclass
from typing import Literal

from fl_plugin.registry.run_record import DomainResult, RunRecord
from fl_plugin.report.measures import headlines
from fl_plugin.report.taking_part import looked_up, lost, why_not_compared
from fl_plugin.report.wording import (
    change_of,
    counted,
    listed,
    measure_of,
    method_in_text,
    metric_in_text,
    numeral,
    rounded,
    short,
    size,
    title,
    value_of,
    words,
)

SILENT = "It fell silent during the run and was not compared."
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
    domains, silent = len(run.products), len(lost(run))
    who = counted(domains, "domain").capitalize()
    if silent:
        who = (
            f"{numeral(domains - silent).capitalize()} of {counted(domains, 'domain')}"
        )
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
        return Finding(question, _noisy(run))
    if proof is None:
        return _by_construction(run, question)
    where = "all rows"
    if lost(run):
        where = f"all rows but those of {listed([title(d) for d in lost(run)])},"
    if proof.distance_bound > EQUAL:
        answer = (
            f"Not shown. The best coefficients on {where} in one place may be "
            f"{short(proof.distance_bound)} away from these; more rounds bring them "
            "closer."
        )
        return Finding(question, answer, "warn")
    answer = (
        "It is the same model. All its coefficients together are at most "
        f"{short(proof.distance_bound)} away from those that the same training would "
        f"find on {where} in one place."
    )
    return Finding(question, answer, "good")


def _noisy(run: RunRecord) -> str:
    answer = "No, and on purpose: noise was added for differential privacy."
    if why_not_compared(run):
        return f"{answer} What that cost is not measured in this run."
    return f"{answer} The comparison with the domains' own models shows what it cost."


def _by_construction(run: RunRecord, question: str) -> Finding:
    equals = run.algorithm.equals
    if equals.startswith("nothing: "):
        rest = equals.removeprefix("nothing: ")
        answer = f"Not the same model: {rest}. How far off it is was not measured here."
        return Finding(question, answer)
    if equals:
        if equals.startswith("itself "):
            equals = f"the one that it gives {equals.removeprefix('itself ')}"
        answer = (
            f"By construction the model equals {equals}. This run carries no "
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
    gap, name = result.difference, result.measure
    if gap is None or gap.value is None or result.verdict == "too few rows to say":
        return "Too few rows of its own to compare."
    low, high = change_of(name, gap.low), change_of(name, gap.high)
    change = f"{change_of(name, gap.value)} {metric_in_text(name)}"
    change += f", 95 % interval {low} to {high}"
    if measure_of(name).better == "lower":
        change += ", lower is better"
    if result.verdict == "helped":
        return f"Federation helped: {change}."
    if result.verdict == "hurt":
        return f"Federation did not help: its own model is better. {change}."
    return f"No clear difference: {change}; the interval holds zero."


def _learned(run: RunRecord) -> Finding:
    question = "What was learned?"
    inputs = counted(len(run.features), "column")
    method = method_in_text(run.algorithm.title or run.algorithm.name)
    subject = output_of(run)
    answer = f"{subject[:1].upper()}{subject[1:]}, from {inputs}, by {method}."
    known = {name for name, found in run.metrics.items() if found.value is not None}
    name, _ = headlines(run.target_kind, known)
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
            several = numeral(len(run.classes))
            return f"the probabilities of the {several} classes of {run.target}"
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
        owner, matched = title(run.vertical.label_domain), run.vertical.matched.rows
        found = f"{matched} rows are in all of them."
        if looked_up(run):
            found = f"{matched} rows of {owner} have a row in each of the others."
        return Finding("From whom?", f"{listed(products)}. {found}")
    known = [p.rows_bucket for p in run.products if p.rows_bucket is not None]
    rows = f" About {rounded(sum(known))} rows in all." if known else ""
    silent = [title(domain) for domain in lost(run)]
    if not silent:
        return Finding("From whom?", f"{listed(products)}.{rows}")
    answer = (
        f"{listed(products)}.{rows} {listed(silent)} fell silent during the run: what "
        "was summed from then on is without its rows."
    )
    return Finding("From whom?", answer, "warn")


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
    what = listed(_what_left(run))
    answer = f"{amount}: {what}. " if what else f"{amount}. "
    tone: Tone = "good" if run.privacy.secure_aggregation else "plain"
    return Finding(question, answer + _noise(run), tone)


def _what_left(run: RunRecord) -> list[str]:
    """Return the forms in words; figures in the clear may be a domain's own sums."""
    clear = {item.kind for item in run.left_domain if item.form == "number"}
    forms = {item.form for item in run.left_domain}
    told = (
        ("masked sum" in forms, "masked sums (readable only once added over all)"),
        (bool(clear & _SUMS), "each domain's own sums"),
        (bool(clear - _SUMS), "rounded figures in the clear"),
        ("vocabulary" in forms, "common values of text columns"),
        *((form in forms, words) for form, words in _OF_ROWS.items()),
    )
    return [words for here, words in told if here]


def _noise(run: RunRecord) -> str:
    spent = run.privacy.epsilon
    if run.vertical is not None:
        return run.privacy.statement
    if spent is None:
        return "No noise was added: exact, not differentially private."
    delta = run.privacy.delta
    chance = f", δ = {short(delta)}" if delta is not None else ""
    return (
        f"Noise was added before: ε = {short(spent)}{chance} for each row that the "
        "model learned from."
    )


# What a vertical run sends is of single rows, in forms that not everybody can read.
_OF_ROWS = {
    "blinded key": "blinded keys of rows",
    "sealed": "sealed messages that only another domain can read",
    "activation": "activations and their gradients, row by row",
    "encrypted number": "encrypted numbers",
}
# Kinds of message whose answers are sums over rows.
_SUMS = frozenset({"count", "cut", "prepare", "step", "evaluate", "judge"})


def _helped(run: RunRecord) -> Finding:
    question = "Did federation help?"
    reason = why_not_compared(run)
    if reason:
        return Finding(question, reason, "plain" if run.domains else "warn")
    groups = (
        ("helped", "It helped {}"),
        ("no clear difference", "no clear difference shows in {}"),
        ("hurt", "it did not help {}, where the domain's own model is better"),
        ("too few rows to say", "{} had too few rows to compare"),
    )
    silent, parts = lost(run), []
    for verdict_name, sentence in groups:
        names = [
            title(d.domain)
            for d in run.domains
            if d.verdict == verdict_name and d.domain not in silent
        ]
        if names:
            parts.append(sentence.format(listed(names)))
    if silent:
        names = [title(domain) for domain in silent]
        parts.append(f"{listed(names)} fell silent and could not be compared")
    answer = "; ".join(parts) + "."
    clear = all(d.verdict == "helped" for d in run.domains)
    return Finding(question, answer[0].upper() + answer[1:], _tone(run, clear=clear))


def _tone(run: RunRecord, *, clear: bool) -> Tone:
    if clear:
        return "good"
    return "warn" if any(d.verdict == "hurt" for d in run.domains) else "plain"
