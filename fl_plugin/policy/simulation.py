"""What would be decided if the stewards had approved exactly what is asked for.

Nothing is granted by it: it tells a consumer, before anybody is asked, whether a grant
is all that is missing.
"""

from dataclasses import replace
from datetime import timedelta

from fl_plugin.manifest.types import Grant
from fl_plugin.policy.types import Facts

SUPPOSED = "supposed"


def suppose_granted(facts: Facts) -> Facts:
    """Return the facts with one grant: all that is asked for, approved by all today.

    Signatures are supposed as well. What no grant can change, the contract above all,
    is as it is.
    """
    product, request = facts.product, facts.request
    if product is None:
        return facts
    today = facts.now.date()
    days = product.contract.approval.max_days
    grant = Grant(
        name=SUPPOSED,
        domain=product.domain,
        products=(product.name,),
        product_ids=(product.unique_id,),
        study=request.study,
        consumer=request.consumer,
        requested_by="",
        requested_at=today,
        days=days,
        purpose=request.purpose,
        uses=request.uses,
        columns=tuple(request.columns),
        epsilon=request.epsilon,
        status="approved",
        approved_by=product.owner.stewards,
        decided_at=today,
        expires=today + timedelta(days=days),
        policy=facts.policy_fingerprint,
    )
    kept = tuple(w for w in facts.node.require_signatures if w != "grants")
    node = replace(facts.node, require_signatures=kept)
    return replace(facts, grants=(grant,), node=node)
