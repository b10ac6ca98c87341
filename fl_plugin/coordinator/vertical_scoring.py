"""Have the domains of a vertical model score the rows that they share today."""

from collections.abc import Mapping
from dataclasses import dataclass

from fl_plugin.coordinator.carrying import carry
from fl_plugin.coordinator.closing import closing
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.matching import match_rows
from fl_plugin.coordinator.vertical_opening import (
    numbers,
    one_number,
    open_matched,
    task_json,
)
from fl_plugin.plan.types import Plan
from fl_plugin.summand import Arrays
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.installed import find_vertical


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """Where predictions were written.

    Args:
        domain: In whose database.
        table: Its schema and name.
        rows: How many, rounded by the domain.
    """

    domain: str
    table: str
    rows: str


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Where the parts of a registered vertical model are.

    Args:
        run: That made it.
        parts: Digest of each domain's part.
        own: The coordinator's part.
        threshold: Score above which a row counts as positive.
    """

    run: str
    parts: Mapping[str, str]
    own: Arrays
    threshold: float


def score_vertical(plan: Plan, kept: Kept, federation: Federation) -> Delivered:
    """Have the domains score all rows that they share.

    The predictions stay at the label's domain, in a table of its own.

    Raises:
        MeshError: A domain refused, or its part of the model is not the one that the
            run kept. The parties are closed all the same.
    """
    algorithm = find_vertical(plan.algorithm).of(plan.parameters)
    with closing(federation):
        opened = open_matched(plan, federation)
        floors = numbers(opened, "min_cohort")
        match_rows(plan, federation, max(floors.values()))
        bodies = {
            p.domain: {"of": kept.run, "part": kept.parts.get(p.domain, "")}
            for p in plan.parties
        }
        ready = federation.ask("score", bodies, each=True).bodies
        task = VerticalTask(
            target=plan.predicts,
            widths=numbers(ready, "width"),
            label_party=plan.label_domain,
            rows=one_number(ready, "rows"),
            labels=plan.labels,
            seed=plan.seed,
        )
        federation.ask("score", task_json(plan, task.widths))
        carry("turn", algorithm.scoring(task, kept.own), federation)
        owner = plan.label_domain
        asked = {owner: {"threshold": kept.threshold}}
        told = federation.ask_each("deliver", asked)[owner].body
    return Delivered(
        domain=owner, table=str(told.get("table", "")), rows=str(told.get("rows", ""))
    )
