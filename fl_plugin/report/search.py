"""A search over parameters: what was tried, what it gave, what it cost."""

from dataclasses import dataclass

from fl_plugin.registry.run_record import Candidate, RunRecord, Search
from fl_plugin.report.wording import (
    NOTHING,
    count,
    metric_name,
    short,
    value_of,
    words,
)


@dataclass(frozen=True)
class CandidateRow:
    """One setting."""

    parameters: str
    mean: str
    sd: str
    fits: str
    epsilon: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class SearchView:
    """The search, best candidate first."""

    sentence: str
    measure: str
    rows: tuple[CandidateRow, ...]
    private: bool


def search_view(run: RunRecord) -> SearchView | None:
    """Return the search of a run; None where there was none."""
    search = run.search
    if search is None:
        return None
    ranked = sorted(search.candidates, key=lambda c: _place(c, search))
    return SearchView(
        sentence=_sentence(search),
        measure=metric_name(search.measure),
        rows=tuple(_row(candidate, search) for candidate in ranked),
        private=any(c.epsilon is not None for c in ranked),
    )


def _place(candidate: Candidate, search: Search) -> tuple[bool, bool, float]:
    """Return the chosen one first, then the better ones, then those without a mean."""
    mean = candidate.mean
    if mean is None:
        return (not candidate.chosen, True, 0.0)
    return (not candidate.chosen, False, mean if search.better == "lower" else -mean)


def _sentence(search: Search) -> str:
    fits = sum(candidate.fits for candidate in search.candidates)
    # Of a setting that went on, the record holds the last step's fits alone.
    least = "at least " if search.method == "halving" else ""
    text = (
        f"{len(search.candidates)} settings were tried ({words(search.method)}), "
        f"{least}{count(fits)} fits in all, each judged on rows that it had not seen; "
        f"{search.better} is better. The folds are of all rows, so those held out "
        "took part in this choice, though not in the training of the model."
    )
    if search.method == "halving":
        text += (
            " Settings that went out early were judged by models of fewer rows, so "
            "their figures do not compare with the last."
        )
    if search.epsilon is not None:
        text += f" The search spent ε = {short(search.epsilon)} of the budget."
    return text


def _row(candidate: Candidate, search: Search) -> CandidateRow:
    settings = [
        f"{name} = {value}" for name, value in sorted(candidate.parameters.items())
    ]
    spent, spread = candidate.epsilon, value_of(search.measure, candidate.sd)
    return CandidateRow(
        ", ".join(settings) or "defaults",
        value_of(search.measure, candidate.mean),
        NOTHING if candidate.sd is None else f"± {spread}",
        count(candidate.fits),
        short(spent),
        candidate.chosen,
    )
