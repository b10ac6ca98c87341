"""Match the rows of a vertical run: carry what the domains say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fl_plugin.alignment.coordinator import matching
from fl_plugin.alignment.counts import rows_in_words
from fl_plugin.alignment.exchange import Matched
from fl_plugin.alignment.terms import BLINDED, KEYED_HASH, MatchingTerms
from fl_plugin.coordinator.carrying import carry
from fl_plugin.coordinator.federation import Federation
from fl_plugin.errors import ContractError, MessageError
from fl_plugin.plan.types import Plan


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
    federation.ask("match", {"rule": match.normalise, "salted": salted})
    terms = MatchingTerms(
        run=federation.run,
        parties=federation.parties,
        rules=(match.normalise,),
        method=KEYED_HASH if match.how == "keyed_hash" else BLINDED,
        salted=salted,
        seed=plan.seed,
    )
    found: Matched = carry("match", matching(terms), federation)
    return Matching(
        rows=rows_in_words(found.rows, min_cohort=min_cohort), lost=dict(found.lost)
    )


def _salted(bodies: Mapping[str, Mapping[str, Any]]) -> bool:
    told = {party: body.get("salted") for party, body in bodies.items()}
    if any(type(has) is not bool for has in told.values()):
        raise MessageError(
            "A domain does not say whether it has a salt.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
    if len(set(told.values())) > 1:
        without = min(party for party, has in told.items() if not has)
        raise ContractError(
            f"Some domains have a salt for matching and {without} has none.",
            remedy="Give all of them the same: fl salt new",
        )
    return all(told.values())
