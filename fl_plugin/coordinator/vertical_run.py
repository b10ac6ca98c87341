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
from fl_plugin.coordinator.closing import closing
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.matching import Matching, match_rows
from fl_plugin.errors import MessageError
from fl_plugin.evaluation.metrics import Metrics
from fl_plugin.plan.types import Plan
from fl_plugin.plan.vertical import keys_at
from fl_plugin.plan.wire import features_json, request_json
from fl_plugin.privacy.terms import Terms
from fl_plugin.summand import Arrays
from fl_plugin.vertical.base import (
    VerticalFitted,
    VerticalTask,
)
from fl_plugin.vertical.installed import find_vertical

_METRICS = TypeAdapter(Metrics)
_NOBODY = {"kind": "none", "classes": []}


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
    with closing(federation, resumes=False):
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


def open_matched(plan: Plan, federation: Federation) -> Mapping[str, Mapping[str, Any]]:
    """Have every party decide, read its own columns, and open its sealed channels."""
    terms = Terms.stopping(federation.run, [p.domain for p in plan.parties])
    predicts = target_json(plan)
    bodies = {}
    for party in plan.parties:
        # Rows that are only scored need no target.
        labelled = plan.target in party.request.columns
        bodies[party.domain] = {
            "request": request_json(party.request),
            "features": features_json(party.features),
            "preparation": plan.preparation.model_dump(mode="json"),
            "target": plan.target if labelled else None,
            "predicts": predicts if labelled else _NOBODY,
            "match": list(keys_at(plan.match, party.domain)),
            **_ranked(plan, party.domain, labelled=labelled),
            "seed": plan.seed,
            "identities": {p.domain: p.identity for p in plan.parties},
            "terms": terms.message,
        }
    opened = federation.ask("open", bodies, each=True).bodies
    told = federation.ask("channel", {}).bodies
    keys = {party: body.get("announcement") for party, body in told.items()}
    federation.ask("channel", {"announcements": keys})
    return opened


def _ranked(plan: Plan, domain: str, *, labelled: bool) -> dict[str, Any]:
    """Return what only the label's domain reads: whose rows are ranked, and when."""
    if not labelled or domain != plan.label_domain:
        return {}
    last = plan.evaluation.holdout_by == "last"
    return {"group": plan.evaluation.group, "timed": last}


def task_json(plan: Plan, widths: Mapping[str, int]) -> dict[str, Any]:
    """Return what every party is told of a fit, or of scoring."""
    return {
        "widths": dict(widths),
        "label_party": plan.label_domain,
        "labels": plan.labels,
        "predicts": target_json(plan),
    }


def target_json(plan: Plan) -> dict[str, Any]:
    """Return what is predicted as plain JSON values."""
    return {"kind": plan.predicts.kind, "classes": list(plan.predicts.classes)}


def numbers(bodies: Mapping[str, Mapping[str, Any]], word: str) -> dict[str, int]:
    """Return a whole number that each party has told.

    Raises:
        MessageError: One is missing.
    """
    found = {party: body.get(word) for party, body in bodies.items()}
    if any(type(n) is not int or n < 0 for n in found.values()):
        raise _unfit(word)
    return {party: int(n or 0) for party, n in found.items()}


def one_number(bodies: Mapping[str, Mapping[str, Any]], word: str) -> int:
    """Return the number that all parties tell alike.

    Raises:
        MessageError: They do not agree.
    """
    found = set(numbers(bodies, word).values())
    if len(found) != 1:
        raise MessageError(
            f"The domains do not agree on the number of matched rows ({word}).",
            remedy="Build the products again, then start the run again.",
        )
    return found.pop()


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
        raise _unfit("figures") from None


def _figures(raw: Any) -> dict[str, float | None]:
    found = _mapping(raw)
    if not all(v is None or isinstance(v, (int, float)) for v in found.values()):
        raise _unfit("figures")
    return dict(found)


def _mapping(raw: Any) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise _unfit("figures")
    return raw


def _unfit(word: str) -> MessageError:
    return MessageError(
        f"A party told no usable {word}.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
