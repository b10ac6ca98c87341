"""Parties over arrays: a run's real sums, masks and messages without a mesh around.

Each party here is a `Session` that answers with the product's own kinds of work, in
fixed point, masked, encoded and decoded. What a `Party` does beside that (reading its
table, deciding, keeping its ledger) is left out and measured by `bench.engine` and
`bench.reading`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fl_plugin.algorithms.base import Algorithm, Target
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import Candidate, Fit, Fitting, prepare
from fl_plugin.evaluation.base import EvaluationSpec
from fl_plugin.manifest.contract import ProductContract
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.manifest.types import Column, Owner, Product, Relation
from fl_plugin.messages import Ask, Reply, decode, encode
from fl_plugin.model.fitted import FittedModel
from fl_plugin.party.masking import STAGES, mask_stage
from fl_plugin.party.rows import Rows, Wanted
from fl_plugin.party.session import Session
from fl_plugin.party.work import KINDS
from fl_plugin.policy.types import Decision, Facts, Measured, Node, Request
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.splits import Split, row_hashes
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.terms import Terms, Trust

RUN = "bench"
# Signatures are checked once a run, which is what `bench.masks` measures.
TRUST = Trust(unsigned=True)
BAD_OR_NOT = Target(kind="binary", classes=(False, True))


@dataclass(frozen=True, kw_only=True)
class Task:
    """What the parties are to learn together.

    Args:
        features: Numeric ones in the order of the rows' `numeric`; every categorical
            one with its categories.
        seed: Decides the splits.
    """

    algorithm: Algorithm
    features: tuple[Feature, ...]
    predicts: Target = BAD_OR_NOT
    preparation: PreparationPlan = field(default_factory=PreparationPlan)
    seed: int = 20261102

    @property
    def schema(self) -> Schema:
        """What both halves of the preparation know."""
        return Schema(
            features=self.features,
            target=self.predicts,
            prepares=self.algorithm.prepares,
        )


class MemoryParties:
    """A coordinator's transport over parties whose rows are arrays.

    Args:
        task: What to learn.
        rows: By domain; at least three, as masks demand.
    """

    def __init__(self, task: Task, rows: Mapping[str, Rows]) -> None:
        terms = Terms.stopping(RUN, tuple(rows))
        self._sessions = {d: _session(d, task, rows[d], terms) for d in sorted(rows)}

    @property
    def parties(self) -> tuple[str, ...]:
        """The domains' names, sorted."""
        return tuple(self._sessions)

    def exchange(
        self,
        asks: Mapping[str, bytes],
        seconds: float,  # noqa: ARG002 they always answer
    ) -> Mapping[str, bytes]:
        """Let one party after the other answer, bytes to bytes."""
        return {d: self._answer(self._sessions[d], data) for d, data in asks.items()}

    def _answer(self, session: Session, data: bytes) -> bytes:
        ask = decode(data)
        if not isinstance(ask, Ask):
            raise TypeError
        body: Mapping[str, Any] = {}
        arrays: Mapping[str, Any] = {}
        if ask.kind in STAGES:
            body = mask_stage(session, ask)
        else:
            answer = KINDS[ask.kind]().answer(session, ask)
            body, arrays = answer.body, answer.arrays(session, ask)
        reply = Reply(
            kind=ask.kind,
            run=ask.run,
            round=ask.round,
            party=ask.party,
            body=body,
            arrays=arrays,
        )
        return encode(reply)


def federation(task: Task, rows: Mapping[str, Rows]) -> Federation:
    """Return a run over these rows, ready for its first round."""
    run = Federation(RUN, MemoryParties(task, rows))
    run.protect(Terms.stopping(RUN, tuple(rows)), TRUST)
    return run


def fit(task: Task, splits: Sequence[Split], run: Federation) -> list[Fit]:
    """Prepare and fit on the training rows of every split, side by side."""
    prepared = prepare(splits, task.schema, task.preparation, run)
    made = dict(zip(splits, prepared, strict=True))
    fitting = Fitting(type(task.algorithm), made, task.seed, run)
    parameters = task.algorithm.parameters()
    return fitting.fit([Candidate(split=s, parameters=parameters) for s in splits])


def model_of(found: Fit, task: Task) -> FittedModel:
    """Return a fit as the registry keeps it."""
    return FittedModel(
        prepared=found.prepared,
        algorithm=task.algorithm.name,
        parameters=task.algorithm.parameters(),
        arrays=found.fitted.model,
        parties=found.task.parties,
        seed=task.seed,
    )


def spec_for(task: Task, rows: int, bins: int) -> EvaluationSpec:
    """Return how a fit's chances are judged.

    Args:
        task: What was learned.
        rows: Of all parties together.
        bins: Of the histogram of scores.
    """
    predicts = task.predicts
    return EvaluationSpec(
        bins=bins, kind=predicts.kind, classes=predicts.classes, rows=rows
    )


def rows_of(
    numeric: npt.NDArray[np.float64],
    text: Mapping[str, Sequence[str]],
    target: npt.NDArray[np.bool_],
    keys: Iterable[str],
) -> Rows:
    """Return a domain's rows, their keys hashed as `party.rows` hashes them.

    Args:
        numeric: (numeric features, rows).
        text: Per categorical feature, its values.
        target: (rows,).
        keys: The rows' key, one column.
    """
    hashes = row_hashes(key_bytes(keys))
    return Rows(
        numeric=numeric,
        text={n: pa.chunked_array([pa.array(v, pa.string())]) for n, v in text.items()},
        target=target.astype(np.float64),
        hashes=hashes,
        groups=hashes,
        times=np.zeros(0),
        fingerprint="",
    )


def key_bytes(keys: Iterable[str]) -> list[bytes]:
    """Return the bytes that a party hashes for a key of one column."""
    return [b"\x01" + key.encode() for key in keys]


def product(domain: str, names: Iterable[str], *, key: str = "row_key") -> Product:
    """Return a product whose table is `main.rows` with these columns."""
    name = f"{domain}.rows"
    contract = ProductContract(
        product=name,
        status="active",
        classification="public",
        purposes=("benchmark",),
        uses=("train_horizontal",),
    )
    columns: dict[str, Column] = {}  # a bench decides nothing by them
    return Product(
        name=name,
        domain=domain,
        unique_id=f"model.{domain}.rows",
        version=None,
        latest_version=None,
        deprecation_date=None,
        description=", ".join(names),
        access="public",
        contract_enforced=True,
        materialized="table",
        tags=(),
        owner=Owner(name=domain),
        relation=Relation(database=domain, schema="main", identifier="rows"),
        columns=columns,
        key=(key,),
        event_time=None,
        contract=contract,
    )


def _session(domain: str, task: Task, rows: Rows, terms: Terms) -> Session:
    names = [f.name for f in task.features]
    offered = product(domain, names)
    request = Request(
        study=RUN,
        consumer=RUN,
        actor=RUN,
        purpose="benchmark",
        product=offered.name,
        version=None,
        uses=("train_horizontal",),
        columns=dict.fromkeys(names, "feature"),
        algorithm=task.algorithm.name,
        parameters=task.algorithm.parameters(),
        secure_aggregation=True,
        parties=len(terms.parties),
    )
    wanted = Wanted(features=task.features, target="target", predicts=task.predicts)
    return Session(
        run=RUN,
        request=request,
        caller=RUN,
        product=offered,
        wanted=wanted,
        plan=task.preparation,
        schema=task.schema,
        seed=task.seed,
        rows=rows,
        facts=_facts(request, offered),
        decision=_allowed(offered),
        masks=PartyMasks(domain, terms, TRUST),
        raw=rows.raw(task.features),
    )


def _allowed(offered: Product) -> Decision:
    return Decision(
        domain=offered.domain,
        product=offered.name,
        allowed=True,
        outcomes=(),
        policy_fingerprint="",
        manifest_fingerprint="",
    )


def _facts(request: Request, offered: Product) -> Facts:
    return Facts(
        request=request,
        caller=request.consumer,
        now=datetime.now(UTC),
        clock_floor=None,
        node=Node(domain=offered.domain, database="", consumers={}, algorithms={}),
        product=offered,
        grants=(),
        policy_fingerprint="",
        table=None,
        measured=Measured(),
        mesh_min_cohort=1,
    )
