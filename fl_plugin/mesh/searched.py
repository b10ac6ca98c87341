"""A search as its record keeps it."""

from statistics import stdev

from fl_plugin.coordinator.searching import Searched, Tried
from fl_plugin.registry import run_record as rec


def search_of(found: Searched | None) -> rec.Search | None:
    """Return every candidate with its figure; None where nothing was searched."""
    if found is None:
        return None
    return rec.Search(
        method=found.method,
        measure=found.metric,
        better="higher" if found.better == "higher" else "lower",
        candidates=tuple(
            _candidate(tried, chosen=i == 0) for i, tried in enumerate(found.tried)
        ),
    )


def _candidate(tried: Tried, *, chosen: bool) -> rec.Candidate:
    known = [v for v in tried.values if v is not None]
    return rec.Candidate(
        parameters=dict(tried.parameters),
        mean=tried.mean,
        sd=stdev(known) if len(known) > 1 else None,
        fits=len(tried.values),
        chosen=chosen,
    )
