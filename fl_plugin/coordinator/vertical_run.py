"""One vertical run: open, match rows, fit over other columns, judge, keep the parts.

The coordinator has no path to any domain's rows. Of the model it holds its own part at
most; every domain keeps its own.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fl_plugin.coordinator.carrying import carry
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.matching import Matching, match_rows
from fl_plugin.coordinator.vertical_opening import (
    numbers,
    one_number,
    open_matched,
    task_json,
    unfit,
)
from fl_plugin.evaluation.metrics import Metrics
from fl_plugin.plan.types import Plan
from fl_plugin.vertical.base import (
    VerticalFitted,
    VerticalTask,
)
from fl_plugin.vertical.installed import find_vertical

_METRICS = TypeAdapter(Metrics)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One exchange of the fit: its number, and figures for people."""

    round: int
    figures: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class VerticalTrained:
    """Everything that a vertical run brought back, and nothing of a row.

    Args:
        opened: What each party said when it opened.
        matching: What is known of the matched rows.
        task: What was learned, by whom.
        rows: Matched rows, trained on and held out.
        fitted: The coordinator's part of the model.
        parts: Digest of the part that each domain keeps.
        figures: Of the fit, as each domain measured them.
        holdout: Of the model, over the matched rows it was not trained on.
        baseline: Of the model that knows only the training target.
        domain: At the label's domain, the model beside its own columns alone.
        ranking: How well it ranks, where that was asked for.
        seconds: By stage.
    """

    opened: Mapping[str, Mapping[str, Any]]
    matching: Matching
    task: VerticalTask
    rows: tuple[int, int]
    fitted: VerticalFitted
    progress: tuple[Step, ...]
    parts: Mapping[str, str]
    figures: Mapping[str, Mapping[str, float | None]]
    holdout: Metrics
    baseline: Metrics
    domain: Mapping[str, Any]
    ranking: Mapping[str, Any] | None
    seconds: Mapping[str, float]


@dataclass
class _Clock:
    laps: dict[str, float] = field(default_factory=dict)
    last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = round(now - self.last, 3)
        self.last = now


def train_vertical(plan: Plan, federation: Federation) -> VerticalTrained:
    """Run a vertical plan that every domain has allowed.

    What registers the model belongs within the same `closing` as this: no part is left
    of a model that is in no registry.

    Raises:
        MeshError: A domain refused, or the numbers allow no answer.
    """
    algorithm = find_vertical(plan.algorithm).of(plan.parameters)
    clock = _Clock()
    opened = open_matched(plan, federation)
    clock.lap("open")
    floors = numbers(opened, "min_cohort")
    matching = match_rows(plan, federation, max(floors.values()))
    clock.lap("match")
    task, rows = _arrange(plan, federation)
    clock.lap("prepare")
    steps: list[Step] = []
    fitted = carry(
        "turn",
        algorithm.rounds(task),
        federation,
        lambda number, figures: steps.append(Step(round=number, figures=figures)),
    )
    clock.lap("train")
    kept = federation.ask("keep", {}).bodies
    scored = replace(task, rows=rows[1])
    federation.ask("score", task_json(plan, task.widths))
    carry("turn", algorithm.scoring(scored, fitted.part), federation)
    told = _judge(plan, federation)
    clock.lap("evaluate")
    return VerticalTrained(
        opened=opened,
        matching=matching,
        task=task,
        rows=rows,
        fitted=fitted,
        progress=tuple(steps),
        parts={p: str(body.get("part", "")) for p, body in kept.items()},
        figures={p: _figures(body.get("figures")) for p, body in kept.items()},
        holdout=_metrics(told.get("holdout")),
        baseline=_metrics(told.get("baseline")),
        domain=_mapping(told.get("domain")),
        ranking=_mapping(told["ranking"]) if "ranking" in told else None,
        seconds=clock.laps,
    )


def _arrange(
    plan: Plan, federation: Federation
) -> tuple[VerticalTask, tuple[int, int]]:
    share = {"holdout": plan.evaluation.holdout}
    bodies = federation.ask("arrange", share).bodies
    rows = one_number(bodies, "train"), one_number(bodies, "test")
    widths = numbers(bodies, "width")
    federation.ask("arrange", {**share, **task_json(plan, widths)})
    task = VerticalTask(
        target=plan.predicts,
        widths=widths,
        label_party=plan.label_domain,
        rows=rows[0],
        labels=plan.labels,
        seed=plan.seed,
    )
    return task, rows


def _judge(plan: Plan, federation: Federation) -> Mapping[str, Any]:
    """Return the figures that the label's domain computes of what was scored."""
    settings = {
        "bins": plan.evaluation.bins,
        "threshold": plan.evaluation.threshold,
    }
    owner = plan.label_domain
    return federation.ask_each("assess", {owner: settings})[owner].body


def _metrics(raw: Any) -> Metrics:
    try:
        return _METRICS.validate_python(raw)
    except ValidationError:
        raise unfit("figures") from None


def _figures(raw: Any) -> dict[str, float | None]:
    found = _mapping(raw)
    if not all(v is None or isinstance(v, (int, float)) for v in found.values()):
        raise unfit("figures")
    return dict(found)


def _mapping(raw: Any) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise unfit("figures")
    return raw
