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
from datetime import UTC, date, datetime
from typing import Any

import cedarpy

from fl_plugin.manifest.types import Column, Grant, Product
from fl_plugin.policy.types import Facts, Node
from tests.properties.cedar_policies import OFFERED, RELIED_ON, TAKEN, permit

Cedar = dict[str, Any]
_SCALE = 1_000_000  # Cedar counts in whole numbers
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
        conditions = [
            f"context.algorithm == {json.dumps(name)}",
            f"{_list(ranges)}.containsAll(context.parameter_names)",
        ]
        for word, (low, high) in ranges.items():
            bounds = f"{_whole(low)} <= context.parameters.{word} && "
            bounds += f"context.parameters.{word} <= {_whole(high)}"
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
        "ends": _day(product.deprecation_date),
        "promised": [f"{n} {_TYPES[c.data_type]}" for n, c in product.columns.items()],
        "columns": list(product.columns),
        "restricted": [
            n for n, c in product.columns.items() if _class(c, product) == "restricted"
        ],
        "stewards": [_person(s) for s in product.owner.stewards],
        "purposes": list(contract.purposes),
        "uses": list(contract.uses),
        "min_cohort": contract.min_cohort,
        "approvers": approval.approvers,
        "restricted_approvers": approval.restricted_approvers,
        "max_days": approval.max_days,
        "completeness": _whole(floors.completeness),
        "validity": _whole(floors.validity),
        "uniqueness": _whole(floors.uniqueness),
        "drift": _whole(floors.drift_psi),
        "only_warns": floors.on_breach == "warn",
        "fresh_for": _milliseconds(contract.freshness_hours),
        "dp_epsilon": _whole(contract.dp.epsilon) if contract.dp else None,
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
    return _about(facts, "offer") | {"context": _context(facts)}


def _other_questions(facts: Facts) -> Iterator[tuple[str, Cedar]]:
    request, context = facts.request, _context(facts)
    rule = {word: context[word] for word in _OF_A_RULE}
    yield "ask", _about(facts, "ask") | {"context": rule}
    narrow = {word: context[word] for word in _OF_A_GRANT if word in context}
    for grant in facts.grants:
        relied = narrow | {"grant": _grant(grant, facts)}
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


def _context(facts: Facts) -> Cedar:
    request, measured = facts.request, facts.measured
    product = facts.product
    known = product.columns if product else {}
    asked = [known[name] for name in request.columns if name in known]
    numbers, odd = _numbers(request.parameters)
    return _present(
        {
            "product": request.product,
            "domain": facts.node.domain,
            "version": request.version,
            "consumer": request.consumer,
            "caller": facts.caller,
            "study": request.study,
            "purpose": request.purpose,
            "uses": list(request.uses),
            "columns": list(request.columns),
            "asked_names": [c.name for c in asked],
            "asked_pii": [c.contract.pii for c in asked if c.contract.pii],
            "asked_roles": [role for c in asked for role in c.contract.roles],
            "asked_classification": [_class(c, product) for c in asked if product],
            "algorithm": request.algorithm,
            "parameters": numbers,
            "parameter_names": list(request.parameters),
            "odd_parameters": odd,
            "secure": request.secure_aggregation,
            "parties": request.parties,
            "masks_optional": facts.node.secure_aggregation == "optional",
            "must_sign": list(facts.node.require_signatures),
            "contract_signed": facts.contract_signed,
            "epsilon": _whole(request.epsilon),
            "spent": _whole(facts.epsilon_spent),
            "policy": facts.policy_fingerprint,
            "today": _day(facts.now.astimezone(UTC).date()),
            "now": _instant(facts.now),
            "clock_floor": _instant(facts.clock_floor),
            "table": None
            if facts.table is None
            else [f"{n} {kind}" for n, kind in facts.table.items()],
            "filter_columns": None
            if facts.filter_columns is None
            else list(facts.filter_columns),
            "rows": facts.rows,
            "mesh_min_cohort": facts.mesh_min_cohort,
            "distance": facts.cohort_distance,
            "built_at": _instant(measured.built_at),
            "completeness": _whole(measured.completeness),
            "validity": _whole(measured.validity),
            "uniqueness": _whole(measured.uniqueness),
            "drift": _whole(measured.drift_psi),
            "has_baseline": measured.has_baseline,
            "tests_failed": measured.tests_failed,
        }
    )


def _grant(grant: Grant, facts: Facts) -> Cedar:
    approvers = sorted({_person(a) for a in grant.approved_by})
    return _present(
        {
            "domain": grant.domain,
            "products": list(grant.products),
            "study": grant.study,
            "consumer": grant.consumer,
            "requester": _person(grant.requested_by),
            "purpose": grant.purpose,
            "uses": list(grant.uses),
            "columns": list(grant.columns),
            "epsilon": _whole(grant.epsilon),
            "status": grant.status,
            "approvers": approvers,
            "approver_count": len(approvers),
            "decided": _day(grant.decided_at),
            "expires": _day(grant.expires),
            "policy": grant.policy,
            # A random grant is signed by all or by nobody, and by their own keys.
            "signed": [_person(a) for a in grant.signatures],
            "revoked": bool(facts.revoked),
        }
    )


def _numbers(parameters: Any) -> tuple[dict[str, int], list[str]]:
    plain = {
        name: _whole(value)
        for name, value in parameters.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return (
        {n: v for n, v in plain.items() if v is not None},
        [name for name in parameters if name not in plain],
    )


def _present(values: Cedar) -> Cedar:
    """Leave out what is not known: Cedar has no null."""
    return {name: value for name, value in values.items() if value is not None}


def _entity(kind: str, name: str, attributes: Cedar) -> Cedar:
    uid = {"type": kind, "id": name}
    return {"uid": uid, "attrs": _present(attributes), "parents": []}


def _class(column: Column, product: Product | None) -> str:
    assert product is not None
    return column.contract.classification or product.contract.classification


def _list(words: Any) -> str:
    return json.dumps(list(words))


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value * _SCALE)


def _person(address: str) -> str:
    return address.strip().lower()


def _day(day: date | None) -> int | None:
    return None if day is None else day.toordinal()


def _instant(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)


def _milliseconds(hours: float | None) -> int | None:
    return None if hours is None else round(hours * 3_600_000)
