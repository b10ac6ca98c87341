"""Open a table for one run: decide, read, decide again, account for it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from fl_plugin.algorithms.installed import algorithms
from fl_plugin.errors import BuildError
from fl_plugin.ledger.cohorts import cohort_digest
from fl_plugin.ledger.journal import OpenRun
from fl_plugin.ledger.record import Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.ledger.transaction import Transaction
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.manifest.types import Product
from fl_plugin.manifest.uses import TRAIN_VERTICAL
from fl_plugin.messages import Ask
from fl_plugin.party.account import Booked
from fl_plugin.party.answered import Answered
from fl_plugin.party.designs import Designs
from fl_plugin.party.domain import Domain
from fl_plugin.party.entries import decided, of_session
from fl_plugin.party.granted import check_edges, only_granted, require_packages
from fl_plugin.party.left_over import facts_of
from fl_plugin.party.matched.matching import check_day
from fl_plugin.party.matched.parts import place_of, refuse_second
from fl_plugin.party.matched.state import Matched
from fl_plugin.party.opened import OpenRows
from fl_plugin.party.rows import Wanted, read_rows
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.party.spool import Spool, sweep
from fl_plugin.party.wanting import read_preparation, read_wanted
from fl_plugin.plan.wire import decision_json, read_decision, read_request
from fl_plugin.policy.decision import decide, insist
from fl_plugin.policy.types import Decision, Facts, Request
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.privacy.channel import PeerChannel
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.randomness import Randomness, fresh_secret
from fl_plugin.privacy.terms import Terms, Trust

# The part of a party's memory that its prepared rows may take.
DESIGNS = 4


def open_session(
    ask: Ask, caller: str, domain: Domain, booked: Booked
) -> tuple[Session, Head]:
    """Return an open run and the ledger's head after it was written down.

    Raises:
        PolicyError: The domain refuses, before or after it has counted its rows.
        MeshError: The message or the table is not usable.
    """
    asked, ledger = _asked(ask), booked.ledger
    request = asked.request
    facts = domain.facts(request, caller, ledger)
    decision = decide(facts)
    # On record before a row is opened.
    ledger.append(decided("decide", ask.run, request, decision))
    insist(decision, opened=False)
    only_granted(request, asked.wanted)
    require_packages(request)
    check_edges(asked.plan, facts, request)
    check_day(ledger, request, facts.node)
    if TRAIN_VERTICAL in request.uses:
        part = place_of(domain.folder, request.study, ask.run)
        refuse_second(part, domain.name)
    product = _product(facts)
    with _rows_of(asked, product, domain, ask.run) as (rows, spool):
        distance = ledger.cohort_distance(product.name, rows.hashes)
        facts = replace(facts, rows=len(rows), cohort_distance=distance)
        decision, secret = decide(facts), fresh_secret()
        found = _Found(facts, decision, rows, spool, Randomness(secret))
        session = _session(ask, caller, domain, asked, found)
        return session, _account(session, booked, secret)


def reopen_session(ask: Ask, kept: OpenRun, domain: Domain, ledger: Ledger) -> Session:
    """Return a run as it was when it was opened, from what is kept of it.

    It was decided on then; it is decided on again before anything else leaves.

    Raises:
        BuildError: The table is another one by now.
        MeshError: The table or the contract is not usable any more.
    """
    asked = _asked(ask)
    known = json.loads(kept.facts)
    facts = domain.facts(asked.request, kept.caller, ledger)
    product = _product(facts)
    with _rows_of(asked, product, domain, ask.run) as (rows, spool):
        if rows.fingerprint != known["rows"]:
            raise BuildError(
                f"{product.name} was built again while the run was under way.",
                remedy="Start the run again: fl train",
            )
        facts = replace(
            facts,
            rows=len(rows),
            cohort_distance=known["cohort_distance"],
            epsilon_spent=known["epsilon_spent"],
        )
        decision = read_decision(known["decision"])
        found = _Found(facts, decision, rows, spool, Randomness(kept.secret))
        session = _session(ask, kept.caller, domain, asked, found)
        session.again = True
        return session


@dataclass(frozen=True)
class _Asked:
    """What a message that opens a run asks for."""

    request: Request
    wanted: Wanted
    plan: PreparationPlan
    seed: int


@dataclass(frozen=True)
class _Found:
    """What a domain has found of it."""

    facts: Facts
    decision: Decision
    rows: OpenRows
    spool: Spool
    randomness: Randomness


def _asked(ask: Ask) -> _Asked:
    seed = ask.body.get("seed")
    if type(seed) is not int:
        raise out_of_order()
    return _Asked(
        request=read_request(ask.body.get("request")),
        wanted=read_wanted(ask.body),
        plan=read_preparation(ask.body.get("preparation")),
        seed=seed,
    )


@contextmanager
def _rows_of(
    asked: _Asked, product: Product, domain: Domain, run: str
) -> Iterator[tuple[OpenRows, Spool]]:
    """Give the rows of a run; what was spooled goes if its opening fails."""
    sweep(domain.folder)
    spool = Spool(domain.folder, run)
    with spool.kept():
        # Keys are compared in memory, so the rows of a vertical run are kept there.
        kept = None if asked.request.match else spool
        yield read_rows(domain.database(), product, asked.wanted, kept), spool


def _session(
    ask: Ask, caller: str, domain: Domain, asked: _Asked, found: _Found
) -> Session:
    request, draws = asked.request, found.randomness
    return Session(
        run=ask.run,
        request=request,
        caller=caller,
        product=_product(found.facts),
        wanted=asked.wanted,
        plan=asked.plan,
        schema=Schema(()),
        seed=asked.seed,
        rows=found.rows,
        spool=found.spool,
        designs=Designs(found.facts.node.memory // DESIGNS),
        facts=found.facts,
        decision=found.decision,
        randomness=draws,
        answered=Answered(domain.name),
        masks=None if request.match else _masks(ask, request, domain, draws),
        matched=_matched(ask, request, domain, draws) if request.match else None,
    )


def _product(facts: Facts) -> Product:
    if facts.product is None:
        raise out_of_order()
    return facts.product


def agree(session: Session, features: tuple[Feature, ...], min_cohort: Any) -> None:
    """Fix the categories of all columns; the rows are coded by them.

    Args:
        session: An open run.
        features: Those of the model, then the protected ones.
        min_cohort: The largest of all domains' smallest cohorts.

    Raises:
        MessageError: They are not the run's own, or the cohort is below this one's.
    """
    wanted = session.wanted
    if session.request.match:
        raise out_of_order()
    if type(min_cohort) is not int or min_cohort < session.min_cohort:
        raise out_of_order()
    asked = (*wanted.features, *wanted.protected)
    if [(f.name, f.kind) for f in features] != [(f.name, f.kind) for f in asked]:
        raise out_of_order()
    if any(f.categories is None and f.kind == "categorical" for f in features):
        raise out_of_order()
    size = len(wanted.features)
    learned, protected = features[:size], features[size:]
    session.wanted = replace(wanted, features=learned, protected=protected)
    algorithm = algorithms()[session.request.algorithm]
    session.schema = Schema(
        features=learned,
        target=wanted.predicts,
        prepares=algorithm.prepares,
        min_cohort=min_cohort,
        edges=session.plan.edges,
    )
    session.raw = session.rows.raw(learned)
    session.protected = session.rows.codes(protected)


def _masks(
    ask: Ask, request: Request, domain: Domain, draws: Randomness
) -> PartyMasks | None:
    if not request.secure_aggregation:
        return None
    terms, trust = _cohort(ask, request, domain)
    source = draws.stream("mask keys")
    return PartyMasks(domain.name, terms, trust, domain.identity.sign, source)


def _matched(ask: Ask, request: Request, domain: Domain, draws: Randomness) -> Matched:
    terms, trust = _cohort(ask, request, domain)
    source = draws.stream("channel keys")
    channel = PeerChannel(domain.name, terms, trust, domain.identity.sign, source)
    return Matched(channel, domain.folder)


def _cohort(ask: Ask, request: Request, domain: Domain) -> tuple[Terms, Trust]:
    """Return what a message says of the cohort, and whom the domain trusts in it."""
    terms = Terms.read(ask.body.get("terms") or {})
    if terms.run != ask.run or len(terms.parties) != request.parties:
        raise out_of_order()
    told = ask.body.get("identities")
    if not isinstance(told, dict):
        raise out_of_order()
    # Who is new is written down, so only who takes part is looked at.
    return terms, domain.trust({p: told[p] for p in terms.parties if p in told})


def _account(session: Session, booked: Booked, secret: bytes) -> Head:
    decision, rows = session.decision, session.rows
    entry = of_session("open", session)
    if not decision.complete:
        booked.ledger.append(entry)
        insist(decision, opened=True)
    if session.matched is not None:
        entry = replace(entry, rule="match")  # counted against the matchings of a day

    def also(tx: Transaction) -> None:
        if decision.grant:
            tx.use_grant(decision.grant)
        tx.remember_cohort(
            session.product.name,
            cohort_digest(rows.hashes),
            rows.hashes,
            min_distance=decision.min_cohort,
        )

    return booked.opening(entry, _kept(session, secret), also)


def _kept(session: Session, secret: bytes) -> OpenRun | None:
    """Return what is kept of a run, to take it up again after a crash."""
    if session.request.match and TRAIN_VERTICAL not in session.request.uses:
        return None  # rows are only scored: that is done again, not resumed
    facts = {
        "decision": decision_json(session.decision),
        "rows": session.rows.fingerprint,
        "cohort_distance": session.facts.cohort_distance,
        "epsilon_spent": session.facts.epsilon_spent,
        "request": facts_of(session.request),
    }
    return OpenRun(
        run=session.run,
        caller=session.caller,
        secret=secret,
        facts=json.dumps(facts, sort_keys=True),
    )
