"""Which fits a run consists of: each one's rows, parameters and preparation."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.algorithms.installed import algorithms
from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.manifest.uses import EVALUATE, TRAIN_HORIZONTAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, listed, malformed, numbered
from fl_plugin.party.job import Job
from fl_plugin.party.kinds.prepare import selections
from fl_plugin.party.portions import check_portions, portion_of
from fl_plugin.party.private import check_algorithm, is_private, pay_for
from fl_plugin.party.session import Session
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.summand import Array

MOST_JOBS = 2_048
# Fewer rows than this per summed unknown could be solved for (Boyd & Vandenberghe's
# normal equations have as many unknowns as columns).
ROWS_PER_COLUMN = 10
LEAST_ROWS = 100


class Assign(Kind):
    """Take note of the run's fits; nothing leaves."""

    name: ClassVar[str] = "assign"
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_HORIZONTAL, EVALUATE})
    releases: ClassVar[str] = "nothing"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Check every fit against what was decided on.

        Raises:
            PolicyError: A parameter is not among those that were decided on, or the
                rows are too few for so many columns.
            MessageError: The message is malformed.
        """
        jobs = listed(ask, "jobs", dict)
        if len(jobs) > MOST_JOBS:
            raise malformed("jobs")
        splits = selections(session, [dict(j.get("split") or {}) for j in jobs])
        arrays = numbered(ask, len(jobs))
        for i, (split, told) in enumerate(zip(splits, jobs, strict=True)):
            portions = _portions(session, told.get("portions"))
            check_portions(session, split, portions)
            facts = told.get("prepared")
            if not isinstance(facts, dict):
                raise malformed("preparation")
            prepared = Prepared.from_wire(facts, arrays[i], session.schema)
            task = prepared.task(parties=session.request.parties, seed=session.seed)
            job = Job(
                split=split,
                portions=portions,
                algorithm=_algorithm(session, told.get("parameters")),
                prepared=prepared,
                prepared_as=_digest(facts, arrays[i]),
                task=task,
            )
            if is_private(session):
                pay_for(session, job)
            else:
                _check_rows(session, job)
            session.jobs.append(job)
        for worker in (*session.preparers.values(), *session.portioned.values()):
            worker.forget()
        return Answer()


def _portions(session: Session, raw: Any) -> tuple[float, ...]:
    """Return the share of training rows that are used, class by class."""
    size = max(len(session.wanted.predicts.classes), 1)
    if not isinstance(raw, list) or len(raw) != size:
        raise malformed("portions")
    if not all(isinstance(v, float) and 0.0 < v <= 1.0 for v in raw):
        raise malformed("portions")
    return tuple(raw)


def _algorithm(session: Session, raw: Any) -> Algorithm:
    """Return the algorithm with parameters that were all decided on."""
    asked = session.request.parameters
    if not isinstance(raw, Mapping) or set(raw) != set(asked):
        raise malformed("parameters")
    for name, value in raw.items():
        allowed = (
            asked[name] if isinstance(asked[name], (list, tuple)) else [asked[name]]
        )
        if not any(type(v) is type(value) and v == value for v in allowed):
            raise PolicyError(
                f"A message asks for another {name} of {session.request.algorithm} "
                "than its request.",
                remedy="Start the run again from a plan.",
                reason="parameter.not_decided",
                domain=session.product.domain,
            )
    found = algorithms()[session.request.algorithm]
    check_algorithm(session, found)
    return found.of(dict(raw))


def _digest(facts: Any, arrays: Mapping[str, Array]) -> str:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _check_rows(session: Session, job: Job) -> None:
    whole = max(job.portions)
    # A search prepares its portions by themselves; else all rows were prepared.
    prepared = whole if (job.split, whole) in session.portioned else 1.0
    if int(portion_of(session, job.split, (prepared,)).sum()) > job.prepared.rows:
        raise MessageError(
            "A message says that all domains together have fewer rows than this one "
            "has.",
            remedy="Start the run again.",
        )
    # Masked, only the total is seen; plain, this domain's own sums are.
    counts = np.array(job.prepared.class_counts or (job.prepared.rows,))
    seen = float(counts @ np.array(job.portions)) / prepared
    if session.masks is None:
        seen = int(portion_of(session, job.split, job.portions).sum())
    columns = job.task.width if job.algorithm.prepares == "matrix" else 0
    if seen < max(LEAST_ROWS, ROWS_PER_COLUMN * columns):
        raise PolicyError(
            f"The rows of {session.product.name} that could be seen are too few "
            "for so many features: single rows could be worked out.",
            remedy="Use fewer features, or secure aggregation over more domains.",
            reason="cohort.too_few_for_features",
            domain=session.product.domain,
        )
