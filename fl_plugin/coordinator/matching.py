"""Match the rows of a vertical run: carry what the domains say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fl_plugin.alignment.coordinator import matching
from fl_plugin.alignment.counts import bucket_words, rows_in_words
from fl_plugin.alignment.exchange import Matched
from fl_plugin.alignment.lookup import letter_for
from fl_plugin.alignment.terms import BLINDED, KEYED_HASH, MatchingTerms
from fl_plugin.coordinator.carrying import carry
from fl_plugin.coordinator.federation import Federation
from fl_plugin.errors import ContractError, MessageError
from fl_plugin.manifest.study_match import MatchPlan
from fl_plugin.plan.types import Plan
from fl_plugin.summand import Array, Arrays

_SAME_VERSION = "Check that every node runs the same version of fl_plugin."


@dataclass(frozen=True, kw_only=True)
class Matching:
    """What is known of the matched rows.

    Args:
        rows: How many, in words: a bucket.
        lost: By domain, its rows that not every domain has, likewise.
    """

    rows: str
    lost: Mapping[str, str]


def match_rows(plan: Plan, federation: Federation, min_cohort: int) -> Matching:
    """Have the domains find their common rows.

    Args:
        plan: A vertical one.
        federation: The run; its channels are open.
        min_cohort: Counts below it are not told.

    Raises:
        ContractError: Only some of the domains have a salt.
        MeshError: A domain refused, or left the protocol.
    """
    match = plan.match
    if match is None:
        raise ContractError(
            f"{plan.study} is no vertical study.", remedy="Use mode: vertical."
        )
    salted = _salted(federation.ask("match", {}).bodies)
    if match.keys:
        return _look_up(plan, match, federation, salted=salted)
    federation.ask("match", {"rule": match.normalise, "salted": salted})
    terms = _terms(plan, match, federation.run, federation.parties, salted=salted)
    found: Matched = carry("match", matching(terms), federation)
    return Matching(
        rows=rows_in_words(found.rows, min_cohort=min_cohort), lost=dict(found.lost)
    )


def _look_up(
    plan: Plan, match: MatchPlan, federation: Federation, *, salted: bool
) -> Matching:
    """Match the label's domain with each other one, and have it tell whose row is when.

    Its own keys may repeat; each of the others has a key once.
    """
    owner, lost = plan.label_domain, {}
    for domain, key in sorted(match.keys.items()):
        about = {"rule": match.normalise, "salted": salted, "key": key}
        federation.ask_each(
            "match",
            {owner: {**about, "with": domain}, domain: {**about, "with": owner}},
        )
        both = tuple(sorted((owner, domain)))
        run = f"{federation.run} {domain}"
        terms = _terms(plan, match, run, both, salted=salted)
        found: Matched = carry("match", matching(terms), federation)
        lost[domain] = found.lost[domain]
    judged = plan.evaluation
    asked = {owner: {"holdout": judged.holdout, "by": judged.holdout_by}}
    told = federation.ask_each("expand", asked)[owner]
    letters = {
        domain: {"sealed": _letter(told.arrays, domain)} for domain in match.keys
    }
    federation.ask_each("expand", {domain: {} for domain in letters}, letters)
    lost[owner] = _words(told.body, "lost")
    return Matching(rows=_words(told.body, "rows"), lost=lost)


def _terms(
    plan: Plan, match: MatchPlan, run: str, parties: tuple[str, ...], *, salted: bool
) -> MatchingTerms:
    return MatchingTerms(
        run=run,
        parties=parties,
        rules=(match.normalise,),
        method=KEYED_HASH if match.how == "keyed_hash" else BLINDED,
        salted=salted,
        seed=plan.seed,
    )


def _letter(arrays: Arrays, domain: str) -> Array:
    if letter_for(domain) not in arrays:
        raise MessageError(
            f"There is no letter for {domain} in which its rows are named.",
            remedy=_SAME_VERSION,
        )
    return arrays[letter_for(domain)]


def _words(body: Mapping[str, Any], name: str) -> str:
    """Return a bucket of rows in words."""
    told = body.get(name)
    ends = told if isinstance(told, list) else []
    if len(ends) != len(("low", "high")) or any(type(n) is not int for n in ends):
        raise MessageError(
            "A domain does not say about how many rows it has.", remedy=_SAME_VERSION
        )
    return bucket_words(*ends)


def _salted(bodies: Mapping[str, Mapping[str, Any]]) -> bool:
    told = {party: body.get("salted") for party, body in bodies.items()}
    if any(type(has) is not bool for has in told.values()):
        raise MessageError(
            "A domain does not say whether it has a salt.",
            remedy=_SAME_VERSION,
        )
    if len(set(told.values())) > 1:
        without = min(party for party, has in told.items() if not has)
        raise ContractError(
            f"Some domains have a salt for matching and {without} has none.",
            remedy="Give all of them the same: fl salt new",
        )
    return all(told.values())
