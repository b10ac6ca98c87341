"""One domain's decision: every rule in order, the first that refuses decides.

Step 10, the record in the ledger before data is touched, is the party's.
"""

from functools import cache

from fl_plugin.discovery import discover
from fl_plugin.errors import PolicyError
from fl_plugin.policy.grants import covering_grant
from fl_plugin.policy.people import cohort_floor, whom_to_ask
from fl_plugin.policy.rule import Rule
from fl_plugin.policy.types import Decision, Facts, Outcome

ROOM = "fl_plugin.policy.rules"
ENTRY_POINTS = "fl_plugin.rules"
STEPS = range(1, 10)
_MAY_GO_ON = {"passed", "at_opening"}


def decide(facts: Facts) -> Decision:
    """Return the decision on a request: no unless every rule says yes.

    While a plan is made nothing is open yet: the rules that need the table say
    `at_opening`, and `Decision.complete` stays false. An error inside a rule is a
    refusal, `internal.error`, without details: they could hold a value.
    """
    outcomes = _outcomes(facts)
    allowed = all(outcome.status in _MAY_GO_ON for outcome in outcomes)
    product = facts.product
    grant = covering_grant(facts) if allowed else None
    return Decision(
        domain=facts.node.domain,
        product=facts.request.product,
        allowed=allowed,
        outcomes=outcomes,
        policy_fingerprint=facts.policy_fingerprint,
        manifest_fingerprint=facts.manifest_fingerprint,
        grant=grant.name if grant else None,
        contact=whom_to_ask(product) if product else facts.node.domain,
        min_cohort=cohort_floor(product, facts.mesh_min_cohort),
        row_filter=product.contract.row_filter if product else None,
        decided_at=facts.now,
    )


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


def _outcomes(facts: Facts) -> tuple[Outcome, ...]:
    try:
        rules = all_rules()
    except Exception:  # whatever it is, it must not become a yes
        return (_internal(1, "rules"),)
    outcomes: list[Outcome] = []
    refused = False
    for rule in rules:
        outcome = _not_reached(rule) if refused else _checked(rule, facts)
        refused = refused or outcome.status not in _MAY_GO_ON
        outcomes.append(outcome)
    return tuple(outcomes)


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return the rules in order of step, third parties' after ours.

    Raises:
        MeshError: A rule cannot be loaded.
        LookupError: A step has no rule of ours.
    """
    found = [rule() for rule in discover(ROOM, Rule, ENTRY_POINTS).values()]
    ours = {rule.step for rule in found if type(rule).__module__.startswith(ROOM)}
    if ours != set(STEPS):
        raise LookupError("a step of the decision has no rule")
    return tuple(sorted(found, key=lambda rule: (rule.step, _origin(rule), rule.name)))


def _origin(rule: Rule) -> bool:
    return not type(rule).__module__.startswith(ROOM)


def _checked(rule: Rule, facts: Facts) -> Outcome:
    try:
        if facts.now.tzinfo is None:
            return _internal(rule.step, rule.name)  # a local time decides nothing
        outcome = rule.check(facts)
    except Exception:  # whatever it is, it must not become a yes
        return _internal(rule.step, rule.name)
    sound = isinstance(outcome, Outcome) and outcome.status in {*_MAY_GO_ON, "refused"}
    return outcome if sound else _internal(rule.step, rule.name)


def _internal(step: int, name: str) -> Outcome:
    return Outcome(
        step=step,
        rule=name,
        status="refused",
        reason="internal.error",
        sentence=f"The rule {name} could not be applied, so the answer is no.",
        remedy="Ask the domain to look at its installation and its contract.",
    )


def _not_reached(rule: Rule) -> Outcome:
    return Outcome(
        step=rule.step,
        rule=rule.name,
        status="not_reached",
        reason=f"{rule.name}.not_reached",
        sentence="An earlier rule has refused.",
    )
