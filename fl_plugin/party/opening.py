"""Open a table for one run: decide, read, decide again, account for it."""

from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.discovery import discover
from fl_plugin.errors import PolicyError
from fl_plugin.ledger.cohorts import cohort_digest
from fl_plugin.ledger.record import Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.messages import Ask
from fl_plugin.party.domain import Domain
from fl_plugin.party.entries import decided, of_session
from fl_plugin.party.rows import read_rows
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.plan.wire import read_features, read_request
from fl_plugin.policy.decision import decide
from fl_plugin.policy.types import Decision, Request
from fl_plugin.preparation.features import Feature

ALGORITHMS = discover("fl_plugin.algorithms", Algorithm, "fl_plugin.algorithms")


def open_session(
    ask: Ask, caller: str, domain: Domain, ledger: Ledger
) -> tuple[Session, Head]:
    """Return an open run and the ledger's head after it was written down.

    Raises:
        PolicyError: The domain refuses, before or after it has counted its rows.
        MeshError: The message or the table is not usable.
    """
    request = read_request(ask.body.get("request"))
    features = read_features(ask.body.get("features"))
    target, seed = ask.body.get("target"), ask.body.get("seed")
    if not isinstance(target, str) or type(seed) is not int:
        raise out_of_order()
    facts = domain.facts(request, caller, ledger)
    decision = decide(facts)
    # On record before a row is opened.
    ledger.append(decided("decide", ask.run, request, decision))
    insist(decision, opened=False)
    _only_granted(request, features, target)
    product = facts.product
    if product is None:
        raise out_of_order()
    rows = read_rows(domain.database(), product, features, target)
    distance = ledger.cohort_distance(product.name, rows.hashes)
    facts = replace(facts, rows=len(rows), cohort_distance=distance)
    session = Session(
        run=ask.run,
        request=request,
        caller=caller,
        product=product,
        algorithm=_algorithm(request),
        features=features,
        target=target,
        seed=seed,
        rows=rows,
        facts=facts,
        decision=decide(facts),
        key=X25519PrivateKey.generate(),
    )
    return session, _account(session, ledger)


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


def read_keys(raw: Any) -> dict[str, bytes]:
    """Return the parties' public keys in a message.

    Raises:
        MessageError: They are malformed.
    """
    try:
        return {str(name): bytes.fromhex(key) for name, key in dict(raw).items()}
    except (TypeError, ValueError):
        raise out_of_order() from None


def _account(session: Session, ledger: Ledger) -> Head:
    decision, rows = session.decision, session.rows
    entry = of_session("open", session)
    if not decision.complete:
        ledger.append(entry)
        insist(decision, opened=True)
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


def _only_granted(request: Request, features: tuple[Feature, ...], target: str) -> None:
    """What is opened must be what was decided on."""
    asked = {f.name: "feature" for f in features} | {target: "label"}
    if dict(request.columns) != asked:
        raise PolicyError(
            f"A message asks for other columns of {request.product} than its request.",
            remedy="Start the run again from a plan.",
            reason="column.not_granted",
            domain=request.product.partition(".")[0],
        )


def _algorithm(request: Request) -> Algorithm:
    if request.algorithm not in ALGORITHMS:
        raise PolicyError(
            f"The algorithm {request.algorithm} is not installed here.",
            remedy="See what is: fl algorithms",
            reason="algorithm.not_allowed",
        )
    return ALGORITHMS[request.algorithm].of(request.parameters)
