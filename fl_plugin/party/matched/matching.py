"""A domain's own side of a matching: its keys, its salt and its limits."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from fl_plugin.alignment.keys import normalise
from fl_plugin.alignment.limits import Limits
from fl_plugin.alignment.party import MatchingParty, MatchingSide
from fl_plugin.alignment.terms import BLINDED, KEYED_HASH, LEAST_SALT, MatchingTerms
from fl_plugin.errors import StorageError
from fl_plugin.ledger.store import Ledger
from fl_plugin.party.matched.state import matched_of
from fl_plugin.party.rows import Rows
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.policy.types import Node, Request

SALT_FILE = "matching.salt"
METHODS = {"private": BLINDED, "keyed_hash": KEYED_HASH}
_LARGEST = 4_096
_MOST_OPENED = 100_000  # more than a node opens in a day


def salt_of(folder: Path) -> bytes:
    """Return the secret that the domain shares with those it matches with.

    Args:
        folder: The domain's own.

    Returns:
        Empty where there is none.

    Raises:
        StorageError: Others may read the file, or it is too short.
    """
    file = folder / SALT_FILE
    try:
        if not file.exists():
            return b""
        open_to_others = file.stat().st_mode & 0o077
        salt = file.read_bytes()[:_LARGEST].strip()
    except OSError as error:
        raise _unusable(file, f"cannot be read ({error.strerror})") from None
    if open_to_others:
        raise _unusable(file, "can be read by others")
    if len(salt) < LEAST_SALT:
        raise _unusable(file, f"is shorter than {LEAST_SALT} bytes")
    return salt


def limits_of(node: Node, min_cohort: int) -> Limits:
    """Return what a domain's settings let others learn by matching."""
    return Limits(
        largest_list=node.matching.largest_list,
        largest_ratio=node.matching.largest_ratio,
        per_peer_and_day=node.matching.per_day,
        least_matches=min_cohort,
    )


def check_day(ledger: Ledger, request: Request, node: Node) -> None:
    """Refuse one matching too many of a product within 24 hours, if it is one.

    Raises:
        PolicyError: The ledger has as many as the domain's settings allow.
    """
    if not request.match:
        return
    since = datetime.now(UTC) - timedelta(days=1)
    done = sum(
        r.product == request.product
        and r.rule == "match"
        and datetime.fromisoformat(r.at) >= since
        for r in ledger.show(action="open", last=_MOST_OPENED)
    )
    limits_of(node, 1).check_day("other domains", done)


def begin(session: Session, rule: str, *, salted: bool) -> MatchingParty:
    """Return the domain's half of the run's matching.

    Args:
        session: An open run.
        rule: How keys are spelt before they are compared.
        salted: Whether all domains have a salt, as the coordinator says.

    Raises:
        ContractError: The keys are not fit to match by.
        PolicyError: The domain's limits forbid it.
    """
    matched = matched_of(session)
    rows, key = session.rows, session.wanted.match
    if not isinstance(rows, Rows) or rows.keys is None or key is None:
        raise out_of_order()
    me = session.product.domain
    terms = MatchingTerms(
        run=session.run,
        parties=tuple(sorted({me, *matched.channel.peers})),
        rules=(rule,),
        method=METHODS[session.request.match],
        salted=salted,
        seed=session.seed,
    )
    side = MatchingSide(
        party=me,
        keys=normalise(
            {key: rows.keys.to_pylist()}, (rule,), min_cohort=session.min_cohort
        ),
        channel=matched.channel,
        limits=limits_of(session.facts.node, session.min_cohort),
        salt=salt_of(matched.folder) if salted else b"",
    )
    return MatchingParty(terms, side)


def _unusable(file: Path, how: str) -> StorageError:
    return StorageError(
        f"The salt for matching, {file.name}, {how}.",
        remedy="Make a new one that only its owner may read, the same in every domain: "
        "fl salt new",
    )
