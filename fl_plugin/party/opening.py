"""Open a table for one run: decide, read, decide again, account for it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fl_plugin.algorithms.described import Described
from fl_plugin.algorithms.installed import algorithms
from fl_plugin.errors import PolicyError
from fl_plugin.ledger.cohorts import cohort_digest
from fl_plugin.ledger.record import Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.manifest.types import Product
from fl_plugin.manifest.uses import TRAIN_VERTICAL
from fl_plugin.messages import Ask
from fl_plugin.party.designs import Designs
from fl_plugin.party.domain import Domain
from fl_plugin.party.entries import decided, of_session
from fl_plugin.party.matched.matching import check_day
from fl_plugin.party.matched.state import Matched
from fl_plugin.party.rows import Wanted, read_rows
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.party.spool import Spool, sweep
from fl_plugin.party.wanting import read_preparation, read_wanted
from fl_plugin.plan.wire import read_request
from fl_plugin.policy.decision import decide
from fl_plugin.policy.rules.s05_purpose_use import SHARED_LABEL
from fl_plugin.policy.types import Decision, Facts, Request
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.privacy.channel import PeerChannel
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.vertical.installed import vertical_algorithms

_Installed = TypeVar("_Installed", bound=Described)
# The part of a party's memory that its prepared rows may take.
DESIGNS = 4


def open_session(
    ask: Ask, caller: str, domain: Domain, ledger: Ledger
) -> tuple[Session, Head]:
    """Return an open run and the ledger's head after it was written down.

    Raises:
        PolicyError: The domain refuses, before or after it has counted its rows.
        MeshError: The message or the table is not usable.
    """
    request = read_request(ask.body.get("request"))
    wanted = read_wanted(ask.body)
    plan = read_preparation(ask.body.get("preparation"))
    seed = ask.body.get("seed")
    if type(seed) is not int:
        raise out_of_order()
    facts = domain.facts(request, caller, ledger)
    decision = decide(facts)
    # On record before a row is opened.
    ledger.append(decided("decide", ask.run, request, decision))
    insist(decision, opened=False)
    _only_granted(request, wanted)
    require_packages(request)
    _check_edges(plan, facts, request)
    check_day(ledger, request, facts.node)
    product = _product(facts)
    sweep(domain.folder)
    spool = Spool(domain.folder, ask.run)
    with spool.kept():
        # Keys are compared in memory, so the rows of a vertical run are kept there.
        kept = None if request.match else spool
        rows = read_rows(domain.database(), product, wanted, kept)
        distance = ledger.cohort_distance(product.name, rows.hashes)
        facts = replace(facts, rows=len(rows), cohort_distance=distance)
        session = Session(
            run=ask.run,
            request=request,
            caller=caller,
            product=product,
            wanted=wanted,
            plan=plan,
            schema=Schema(()),
            seed=seed,
            rows=rows,
            spool=spool,
            designs=Designs(facts.node.memory // DESIGNS),
            facts=facts,
            decision=decide(facts),
            masks=None if request.match else _masks(ask, request, domain),
            matched=_matched(ask, request, domain) if request.match else None,
        )
        return session, _account(session, ledger)


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


def _masks(ask: Ask, request: Request, domain: Domain) -> PartyMasks | None:
    if not request.secure_aggregation:
        return None
    terms, trust = _cohort(ask, request, domain)
    return PartyMasks(domain.name, terms, trust, domain.identity.sign)


def _matched(ask: Ask, request: Request, domain: Domain) -> Matched:
    terms, trust = _cohort(ask, request, domain)
    channel = PeerChannel(domain.name, terms, trust, domain.identity.sign)
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


def insist(decision: Decision, *, opened: bool) -> None:
    """Raise a refusal; an open table leaves no rule without its facts.

    Raises:
        PolicyError: The decision is a no, or not yet a whole yes.
    """
    refusal = decision.refusal
    if (
        refusal is not None
        or not decision.allowed
        or (opened and not decision.complete)
    ):
        raise PolicyError(
            refusal.sentence if refusal else f"{decision.domain} does not allow this.",
            remedy=refusal.remedy if refusal else "Ask the domain's stewards.",
            reason=refusal.reason if refusal else "refused",
            domain=decision.domain,
        )


def _account(session: Session, ledger: Ledger) -> Head:
    decision, rows = session.decision, session.rows
    entry = of_session("open", session)
    if not decision.complete:
        ledger.append(entry)
        insist(decision, opened=True)
    if session.matched is not None:
        entry = replace(entry, rule="match")  # counted against the matchings of a day
    with ledger.transaction() as tx:
        head = tx.append(entry)
        if decision.grant:
            tx.use_grant(decision.grant)
        tx.remember_cohort(
            session.product.name,
            cohort_digest(rows.hashes),
            rows.hashes,
            min_distance=decision.min_cohort,
        )
    return head


def _check_edges(plan: PreparationPlan, facts: Facts, request: Request) -> None:
    if plan.edges == "exact" and not facts.node.exact_quantiles:
        raise _refused(
            f"{facts.node.domain} gives no quantiles that may be values of single "
            "rows.",
            "Leave `preparation.edges` out, or ask the domain to set exact_quantiles.",
            "edges.exact",
            request,
        )


def _only_granted(request: Request, wanted: Wanted) -> None:
    """What is opened must be what was decided on."""
    asked = {f.name: "protected" for f in wanted.protected}
    for key in (wanted.group, *wanted.match):
        if key is not None:
            asked[key] = "join_key"
    asked |= {f.name: "feature" for f in wanted.features}
    if wanted.target is not None:
        shared = request.columns.get(wanted.target) == SHARED_LABEL and request.match
        asked[wanted.target] = SHARED_LABEL if shared else "label"
    if dict(request.columns) != asked or bool(request.match) != bool(wanted.match):
        raise _refused(
            f"A message asks for other columns of {request.product} than its request.",
            "Start the run again from a plan.",
            "column.not_granted",
            request,
        )
    algorithm = _installed(request)
    learns = wanted.predicts.kind in algorithm.targets
    if not learns and not (request.match and wanted.target is None):
        raise _refused(
            f"{request.algorithm} does not learn a target of this kind.",
            "See what it learns: fl algorithms",
            "algorithm.not_allowed",
            request,
        )


def require_packages(request: Request) -> None:
    """Check that what a run needs is installed at this domain; no row is opened.

    Raises:
        UsageError: A package that the algorithm trains with is missing.
    """
    found = vertical_algorithms().get(request.algorithm) if request.match else None
    if found is None or TRAIN_VERTICAL not in request.uses:
        return
    found.of(request.parameters).require_packages()


def _installed(request: Request) -> type[Described]:
    """Return the algorithm; what its parameters need beside is asked for as well."""
    if not request.match:
        return _known(request, algorithms())
    algorithm = _known(request, vertical_algorithms())
    chosen = algorithm.of(request.parameters)
    protects = "label" in request.columns.values()
    needs = {*chosen.uses(), *(chosen.label_uses() if protects else ())}
    lacking = sorted(needs - set(request.uses))
    if lacking:
        raise _refused(
            f"{request.algorithm} with these parameters needs the use {lacking[0]}, "
            f"which the request for {request.product} does not name.",
            "Start the run again from a plan.",
            "use.not_allowed",
            request,
        )
    return algorithm


def _known(request: Request, known: Mapping[str, type[_Installed]]) -> type[_Installed]:
    algorithm = known.get(request.algorithm)
    if algorithm is None:
        raise _refused(
            f"The algorithm {request.algorithm} is not installed here.",
            "See what is: fl algorithms",
            "algorithm.not_allowed",
            request,
        )
    return algorithm


def _refused(problem: str, remedy: str, reason: str, request: Request) -> PolicyError:
    domain = request.product.partition(".")[0]
    return PolicyError(problem, remedy=remedy, reason=reason, domain=domain)
