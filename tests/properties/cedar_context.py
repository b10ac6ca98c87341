"""A request and its grants as Cedar reads them: whole numbers, and no null."""

from datetime import UTC, date, datetime
from typing import Any

from fl_plugin.manifest.types import Column, Grant, Product
from fl_plugin.policy.types import Facts

Cedar = dict[str, Any]
_SCALE = 1_000_000


def context_of(facts: Facts) -> Cedar:
    request, measured = facts.request, facts.measured
    product = facts.product
    known = product.columns if product else {}
    asked = [known[name] for name in request.columns if name in known]
    numbers, odd = _numbers(request.parameters)
    return present(
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
            "asked_classification": [
                word for c in asked if product for word in up_to(class_of(c, product))
            ],
            "algorithm": request.algorithm,
            "parameters": numbers,
            "parameter_names": list(request.parameters),
            "odd_parameters": odd,
            "secure": request.secure_aggregation,
            "parties": request.parties,
            "match": request.match,
            "masks_optional": facts.node.secure_aggregation == "optional",
            "must_sign": list(facts.node.require_signatures),
            "contract_signed": facts.contract_signed,
            "epsilon": whole(request.epsilon),
            "delta": tiny(request.delta),
            "spent": whole(facts.epsilon_spent),
            "policy": facts.policy_fingerprint,
            "today": day_number(facts.now.astimezone(UTC).date()),
            "now": instant(facts.now),
            "clock_floor": instant(facts.clock_floor),
            "table": None
            if facts.table is None
            else [f"{n} {kind}" for n, kind in facts.table.items()],
            "filter_columns": None
            if facts.filter_columns is None
            else list(facts.filter_columns),
            "rows": facts.rows,
            "mesh_min_cohort": facts.mesh_min_cohort,
            "distance": facts.cohort_distance,
            "built_at": instant(measured.built_at),
            "completeness": whole(measured.completeness),
            "validity": whole(measured.validity),
            "uniqueness": whole(measured.uniqueness),
            "drift": whole(measured.drift_psi),
            "has_baseline": measured.has_baseline,
            "tests_failed": measured.tests_failed,
        }
    )


def grant_context(grant: Grant, facts: Facts) -> Cedar:
    approvers = sorted({person(a) for a in grant.approved_by})
    return present(
        {
            "domain": grant.domain,
            "products": list(grant.products),
            "study": grant.study,
            "consumer": grant.consumer,
            "requester": person(grant.requested_by),
            "purpose": grant.purpose,
            "uses": list(grant.uses),
            "columns": list(grant.columns),
            "epsilon": whole(grant.epsilon),
            "status": grant.status,
            "approvers": approvers,
            "approver_count": len(approvers),
            "decided": day_number(grant.decided_at),
            "expires": day_number(grant.expires),
            "policy": grant.policy,
            # A random grant is signed by all or by nobody, and by their own keys.
            "signed": [person(a) for a in grant.signatures],
            "revoked": bool(facts.revoked),
        }
    )


def _numbers(parameters: Any) -> tuple[dict[str, int], list[str]]:
    plain = {
        name: whole(value)
        for name, value in parameters.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return (
        {n: v for n, v in plain.items() if v is not None},
        [name for name in parameters if name not in plain],
    )


def present(values: Cedar) -> Cedar:
    """Leave out what is not known: Cedar has no null."""
    return {name: value for name, value in values.items() if value is not None}


def up_to(own: str) -> list[str]:
    """Return a class and those below it: a deny on any of them is about the column."""
    order = ["public", "internal", "confidential", "restricted"]
    return order[: order.index(own) + 1]


def class_of(column: Column, product: Product | None) -> str:
    assert product is not None
    return column.contract.classification or product.contract.classification


def whole(value: float | None) -> int | None:
    return None if value is None else round(value * _SCALE)


def tiny(chance: float | None) -> int | None:
    return None if chance is None else round(chance * 1e12)


def person(address: str) -> str:
    return address.strip().lower()


def day_number(day: date | None) -> int | None:
    return None if day is None else day.toordinal()


def instant(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)


def milliseconds(hours: float | None) -> int | None:
    return None if hours is None else round(hours * 3_600_000)
