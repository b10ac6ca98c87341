"""Parties over arrays: a run's real sums, masks and messages without a mesh around.

Each party here is a `Session` that answers with the product's own kinds of work, in
fixed point, masked, encoded and decoded. What a `Party` does beside that (reading its
table, deciding, keeping its ledger) is left out and measured by `bench.engine` and
`bench.reading`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.coordinator.federation import Federation
from fl_plugin.manifest.contract import ProductContract
from fl_plugin.manifest.types import Column, Owner, Product, Relation
from fl_plugin.messages import Ask, Reply, decode, encode
from fl_plugin.party.party import KINDS
from fl_plugin.party.rows import Rows
from fl_plugin.party.session import Session
from fl_plugin.policy.types import Decision, Facts, Measured, Node, Request
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.splits import row_hashes
from fl_plugin.privacy.masking import PairwiseMasks

RUN = "bench"


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
    seed: int = 20261102


class MemoryParties:
    """A coordinator's transport over parties whose rows are arrays.

    Args:
        task: What to learn.
        rows: By domain; at least three, as masks demand.
    """

    def __init__(self, task: Task, rows: Mapping[str, Rows]) -> None:
        self._sessions = {d: _session(d, task, rows[d]) for d in sorted(rows)}
        publics = {
            d: s.key.public_key().public_bytes_raw() for d, s in self._sessions.items()
        }
        for domain, session in self._sessions.items():
            session.raw = session.rows.raw(task.features)
            session.masks = PairwiseMasks(domain, RUN, session.key, publics)

    @property
    def parties(self) -> tuple[str, ...]:
        """The domains' names, sorted."""
        return tuple(self._sessions)

    def exchange(self, asks: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Let one party after the other answer, bytes to bytes."""
        return {d: self._answer(self._sessions[d], data) for d, data in asks.items()}

    def _answer(self, session: Session, data: bytes) -> bytes:
        ask = decode(data)
        if not isinstance(ask, Ask):
            raise TypeError
        answer = KINDS[ask.kind]().answer(session, ask)
        return encode(
            Reply(
                kind=ask.kind,
                run=ask.run,
                round=ask.round,
                party=ask.party,
                body=answer.body,
                arrays=answer.words(session.masks, f"{ask.round}/{ask.kind}"),
            )
        )


def federation(task: Task, rows: Mapping[str, Rows]) -> Federation:
    """Return a run over these rows, ready for its first round."""
    return Federation(RUN, MemoryParties(task, rows))


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
    return Rows(
        numeric=numeric,
        text={n: pa.chunked_array([pa.array(v, pa.string())]) for n, v in text.items()},
        target=target,
        hashes=row_hashes(key_bytes(keys)),
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


def _session(domain: str, task: Task, rows: Rows) -> Session:
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
        parties=3,
    )
    return Session(
        run=RUN,
        request=request,
        caller=RUN,
        product=offered,
        algorithm=task.algorithm,
        features=task.features,
        target="target",
        seed=task.seed,
        rows=rows,
        facts=_facts(request, offered),
        decision=Decision(
            domain=domain,
            product=offered.name,
            allowed=True,
            outcomes=(),
            policy_fingerprint="",
            manifest_fingerprint="",
        ),
        key=X25519PrivateKey.generate(),
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
