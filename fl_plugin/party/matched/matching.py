"""A domain's own side of a matching: its keys, its salt and its limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from fl_plugin.alignment.keys import Keys, distinct, normalise
from fl_plugin.alignment.limits import Limits
from fl_plugin.alignment.party import MatchingParty, MatchingSide
from fl_plugin.alignment.terms import (
    BLINDED,
    KEYED_HASH,
    LEAST_SALT,
    MatchingTerms,
    refused,
)
from fl_plugin.errors import (
    ContractError,
    PolicyError,
    StorageError,
    TrainingError,
)
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.uses import MATCH_MANY
from fl_plugin.party.matched.state import Lookup, matched_of
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
        per_day=node.matching.per_day,
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
    limits_of(node, 1).check_day(request.product, done)


def begin(session: Session, rule: str, *, salted: bool) -> MatchingParty:
    """Return the domain's half of the run's matching of rows with all domains.

    Args:
        session: An open run.
        rule: How keys are spelt before they are compared.
        salted: Whether all domains have a salt, as the coordinator says.

    Raises:
        ContractError: The keys are not fit to match by.
        PolicyError: The domain's limits forbid it.
    """
    peers = matched_of(session).channel.peers
    return _one_to_one(
        session, _terms(session, rule, session.run, peers, salted=salted)
    )


def begin_with(
    session: Session, rule: str, peer: str, key: str, *, salted: bool
) -> MatchingParty:
    """Return the domain's half of a matching with one other domain.

    Where the domain's contract lets it say how often its keys come (`match_many`), its
    rows may repeat them, and the session remembers which row has which.

    Args:
        session: An open run.
        rule: As of `begin`.
        peer: The other domain.
        key: The column.
        salted: As of `begin`.

    Raises:
        MessageError: The peer is none, or was matched with before.
        ContractError: As of `begin`.
        PolicyError: As of `begin`.
    """
    matched, many = matched_of(session), may_repeat(session)
    if peer not in matched.channel.peers or key not in session.wanted.match:
        raise out_of_order()
    if peer in matched.lookups or (matched.matching is not None and not many):
        raise out_of_order()
    domain = peer if many else session.product.domain  # whose rows are looked up
    terms = _terms(session, rule, f"{session.run} {domain}", (peer,), salted=salted)
    matched.peer = peer
    if not many:
        return _one_to_one(session, terms)
    values = _keys(session, key).combine_chunks().dictionary_encode()
    found = {key: values.dictionary.to_pylist()}
    keys, which = distinct(found, (rule,), min_cohort=session.min_cohort)
    party = MatchingParty(terms, _side(session, keys, terms))
    codes = values.indices.fill_null(len(which)).to_numpy(zero_copy_only=False)
    matched.lookups[peer] = Lookup(
        key=key,
        matching=party,
        first=keys.rows,
        which=which,
        codes=codes.astype(np.int64),
    )
    return party


@contextmanager
def of_product(session: Session) -> Iterator[None]:
    """Name the product in the words of what goes wrong with its columns or limits."""
    try:
        yield
    except (ContractError, PolicyError, TrainingError) as error:
        if session.product.name not in error.problem:
            error.problem = f"{session.product.name}: {error.problem}"
        raise


def may_repeat(session: Session) -> bool:
    """Whether this domain tells others which of their rows each of its own needs."""
    return MATCH_MANY in session.request.uses


def _one_to_one(session: Session, terms: MatchingTerms) -> MatchingParty:
    if len(session.wanted.match) != 1:
        raise out_of_order()
    (key,) = session.wanted.match
    keys = normalise(
        {key: _keys(session, key).to_pylist()},
        terms.rules,
        min_cohort=session.min_cohort,
    )
    return MatchingParty(terms, _side(session, keys, terms))


def _keys(session: Session, key: str) -> pa.ChunkedArray:
    rows = session.rows
    if not isinstance(rows, Rows) or key not in rows.keys:
        raise out_of_order()
    return rows.keys[key]


def _terms(
    session: Session, rule: str, run: str, peers: tuple[str, ...], *, salted: bool
) -> MatchingTerms:
    return MatchingTerms(
        run=run,
        parties=tuple(sorted({session.product.domain, *peers})),
        rules=(rule,),
        method=METHODS[session.request.match],
        salted=salted,
        seed=session.seed,
    )


def _side(session: Session, keys: Keys, terms: MatchingTerms) -> MatchingSide:
    matched = matched_of(session)
    salt = salt_of(matched.folder)
    if salt and not terms.salted:
        raise refused(
            f"{session.product.domain} has a salt, and the coordinator says that the "
            "domains share none",
            "Without it whoever knows a key can tell about where its row stands. Give "
            "the salt to every domain of the study, or take it away here.",
        )
    return MatchingSide(
        party=session.product.domain,
        keys=keys,
        channel=matched.channel,
        limits=limits_of(session.facts.node, session.min_cohort),
        salt=salt,
        source=session.randomness.stream("matching"),
    )


def _unusable(file: Path, how: str) -> StorageError:
    return StorageError(
        f"The salt for matching, {file.name}, {how}.",
        remedy="Make a new one that only its owner may read, the same in every domain: "
        "fl salt new",
    )
