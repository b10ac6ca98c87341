"""An independent answer to a request, by Cedar (cedarpolicy.com).

Written from docs/governance.md and not from `fl_plugin.policy`: it reads the same
facts, translates them into Cedar's policies, entities and contexts, and leaves the
answer to Cedar. A release is allowed where the product is offered, the consumer may
ask, some one grant carries it and every column may be taken in its role: four kinds of
question, each denied unless a policy permits it, and whatever is missing is denied.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cedarpy

from fl_plugin.manifest.types import Column, Product
from fl_plugin.policy.types import Facts, Node
from tests.properties.cedar_context import (
    Cedar,
    class_of,
    context_of,
    day_number,
    grant_context,
    milliseconds,
    person,
    present,
    tiny,
    whole,
)
from tests.properties.cedar_policies import OFFERED, RELIED_ON, TAKEN, permit

_TYPES = {  # what a contract may call a type, and what DuckDB calls it
    "varchar": "VARCHAR",
    "text": "VARCHAR",
    "integer": "INTEGER",
    "int": "INTEGER",
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
    "decimal(12, 2)": "DECIMAL(12,2)",
}
PLENTY = 1_000_000


def allowed_by_cedar(group: Sequence[Facts]) -> list[bool]:
    """Return Cedar's answer to each of several requests about one product.

    Args:
        group: Facts that share product and node.
    """
    if not group:
        return []
    product, node = group[0].product, group[0].node
    policies = cedarpy.PolicySet.from_str(
        permit("offer", f"{OFFERED} && ({_algorithms(node)})")
        + permit("rely", RELIED_ON)
        + permit("take", TAKEN)
        + "".join(_contract(product))
    )
    entities = cedarpy.Entities.from_json_str(json.dumps(_entities(product, node)))

    def asked(questions: Sequence[Cedar]) -> list[bool]:
        answers = cedarpy.is_authorized_batch(list(questions), policies, entities)
        return [answer.allowed for answer in answers]

    offered = asked([_offer(facts) for facts in group])
    rest = [
        list(_other_questions(facts)) if may else []
        for facts, may in zip(group, offered, strict=True)
    ]
    answers = iter(asked([question for q in rest for _, question in q]))
    together = [_together([(kind, next(answers)) for kind, _ in q]) for q in rest]
    return [a and b for a, b in zip(offered, together, strict=True)]


def while_planning(facts: Facts) -> Facts:
    """Return facts with what only the opened table tells filled in."""
    if facts.rows is not None:
        return facts
    return replace(facts, rows=PLENTY)


def _together(answers: Sequence[tuple[str, bool]]) -> bool:
    """Every question is answered with yes; of the grants, one is enough."""
    granted = any(answer for kind, answer in answers if kind == "rely")
    return granted and all(answer for kind, answer in answers if kind != "rely")


def _contract(product: Product | None) -> Iterator[str]:
    """Yield a permit for each allow rule and a forbid for each deny rule."""
    if product is None:
        return
    for rule in product.contract.allow:
        conditions = [
            *_has(rule.consumer),
            f"{_list(rule.purposes)}.contains(context.purpose)",
            f"{_list(rule.uses)}.containsAll(context.uses)",
        ]
        yield _policy("permit", "ask", conditions)
    for denied in product.contract.deny:
        conditions = list(_has(denied.consumer))
        if denied.purposes:
            conditions.append(f"{_list(denied.purposes)}.contains(context.purpose)")
        if denied.uses:
            conditions.append(f"context.uses.containsAny({_list(denied.uses)})")
        if denied.columns is not None:
            lines = [
                f"context.asked_{word}.containsAny({_list(words)})"
                for word, words in denied.columns.model_dump().items()
                if words
            ]
            conditions.append(f"({' || '.join(lines)})")
        yield _policy("forbid", "ask", conditions)


def _has(consumer: Any) -> Iterator[str]:
    for key, values in consumer.items():
        yield f"principal.attributes has {key}"
        yield f"principal.attributes.{key}.containsAny({_list(values)})"


def _algorithms(node: Node) -> str:
    """Return the condition that the request names one of the node's algorithms."""
    permitted = ["false"]
    for name, ranges in node.algorithms.items():
        assert ranges != "any", "the random nodes name ranges"
        conditions = [
            f"context.algorithm == {json.dumps(name)}",
            f"{_list(ranges)}.containsAll(context.parameter_names)",
        ]
        for word, (low, high) in ranges.items():
            assert not isinstance(low, str)
            assert not isinstance(high, str)
            bounds = f"{whole(low)} <= context.parameters.{word} && "
            bounds += f"context.parameters.{word} <= {whole(high)}"
            conditions.append(f"(!(context.parameters has {word}) || ({bounds}))")
        permitted.append(f"({' && '.join(conditions)})")
    return " || ".join(permitted)


def _policy(effect: str, action: str, conditions: Sequence[str]) -> str:
    when = " && ".join(conditions) or "true"
    return (
        f'{effect}(principal, action == Action::"{action}", resource)'
        f" when {{ {when} }};\n"
    )


def _entities(product: Product | None, node: Node) -> list[Cedar]:
    found: list[Cedar] = [
        {
            "uid": {"type": "Consumer", "id": name},
            "attrs": {"attributes": {k: list(v) for k, v in attributes.items()}},
            "parents": [{"type": "Domain", "id": node.domain}],
        }
        for name, attributes in node.consumers.items()
    ]
    if product is None:
        return found
    contract, domain = product.contract, product.domain
    approval, floors = contract.approval, contract.quality
    attributes = {
        "name": product.name,
        "domain": domain,
        "version": product.version,
        "access": product.access,
        "enforced": product.contract_enforced,
        "status": contract.status,
        "ends": day_number(product.deprecation_date),
        "promised": [f"{n} {_TYPES[c.data_type]}" for n, c in product.columns.items()],
        "columns": list(product.columns),
        "restricted": [
            n
            for n, c in product.columns.items()
            if class_of(c, product) == "restricted"
        ],
        "stewards": [person(s) for s in product.owner.stewards],
        "purposes": list(contract.purposes),
        "uses": list(contract.uses),
        "min_cohort": contract.min_cohort,
        "approvers": approval.approvers,
        "restricted_approvers": approval.restricted_approvers,
        "max_days": approval.max_days,
        "completeness": whole(floors.completeness),
        "validity": whole(floors.validity),
        "uniqueness": whole(floors.uniqueness),
        "drift": whole(floors.drift_psi),
        "only_warns": floors.on_breach == "warn",
        "fresh_for": milliseconds(contract.freshness_hours),
        "dp_epsilon": whole(contract.dp.epsilon) if contract.dp else None,
        "dp_delta": tiny(contract.dp.delta) if contract.dp else None,
        "dp_for": list(contract.dp.required_for) if contract.dp else [],
    }
    found.append(_entity("Product", product.name, attributes))
    found += [_entity("Column", n, _column(c)) for n, c in product.columns.items()]
    return found


def _column(column: Column) -> Cedar:
    contract = column.contract
    return {
        "roles": list(contract.roles),
        "uses": None if contract.uses is None else list(contract.uses),
        "label_sharing": contract.label_sharing,
        "mask": contract.mask,
    }


def _about(facts: Facts, kind: str) -> Cedar:
    name = facts.product.name if facts.product else "nothing"
    return {
        "principal": {"type": "Consumer", "id": facts.caller},
        "action": f'Action::"{kind}"',
        "resource": {"type": "Product", "id": name},
    }


def _offer(facts: Facts) -> Cedar:
    return _about(facts, "offer") | {"context": context_of(facts)}


def _other_questions(facts: Facts) -> Iterator[tuple[str, Cedar]]:
    request, context = facts.request, context_of(facts)
    rule = {word: context[word] for word in _OF_A_RULE}
    yield "ask", _about(facts, "ask") | {"context": rule}
    narrow = {word: context[word] for word in _OF_A_GRANT if word in context}
    for grant in facts.grants:
        relied = narrow | {"grant": grant_context(grant, facts)}
        yield "rely", _about(facts, "rely") | {"context": relied}
    for column, role in request.columns.items():
        taken = {"role": role, "uses": context["uses"]}
        resource = {"type": "Column", "id": column}
        asked = _about(facts, "take") | {"resource": resource, "context": taken}
        yield "take", asked


# Contexts are made small: Cedar reads each of them anew.
_OF_A_RULE = (
    *("purpose", "uses", "asked_names", "asked_pii", "asked_roles"),
    "asked_classification",
)
_OF_A_GRANT = (
    *("today", "now", "clock_floor", "policy", "study", "consumer", "purpose"),
    *("uses", "columns", "epsilon", "must_sign"),
)


def _entity(kind: str, name: str, attributes: Cedar) -> Cedar:
    uid = {"type": kind, "id": name}
    return {"uid": uid, "attrs": present(attributes), "parents": []}


def _list(words: Any) -> str:
    return json.dumps(list(words))
