"""Who may ask for a product at all: by the domain's list, its contract and permissions.

The same rules decide when the study runs. Asked here, they spare stewards a grant that
would never count.
"""

from collections.abc import Iterator
from datetime import datetime

from fl_plugin.access.rules import Terms
from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.rules.s02_consumer import ConsumerRule
from fl_plugin.policy.rules.s03_allow_deny import AccessRule
from fl_plugin.policy.rules.s03_permission import PermissionRule
from fl_plugin.policy.types import Facts, Measured, Node, Request

_RULES: tuple[type[Rule], ...] = (ConsumerRule, AccessRule, PermissionRule)


def who_refusals(
    consumer: str, terms: Terms, node: Node, now: datetime
) -> Iterator[Refusal]:
    """Yield why a consumer may not ask for this."""
    product = terms.product
    request = Request(
        study="",
        consumer=consumer,
        actor="",
        purpose=terms.purpose,
        product=product.name,
        version=product.version,
        uses=tuple(terms.uses),
        columns=dict.fromkeys(terms.columns, ""),
        algorithm="",
        parameters={},
        secure_aggregation=True,
        parties=1,
    )
    facts = Facts(
        request=request,
        caller=consumer,
        now=now,
        clock_floor=None,
        node=node,
        product=product,
        grants=(),
        policy_fingerprint="",
        table=None,
        measured=Measured(),
        mesh_min_cohort=1,
    )
    for rule in _RULES:
        yield from rule().refusals(facts)
