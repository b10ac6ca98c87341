"""Answer one query over one product: decide, read, run, decide again, release.

The order is that of training. The decision is on record before a row is read, and is
taken again on the day's files before the result leaves. Every record of one query, its
refusal too, carries the query's id, and so does the result.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fl_plugin.errors import MeshError, PolicyError
from fl_plugin.ledger.record import Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.types import Product
from fl_plugin.messages import Ask
from fl_plugin.party.database import Most
from fl_plugin.party.domain import Domain
from fl_plugin.party.masks import mask_key, masked
from fl_plugin.party.query_record import QueryRecord
from fl_plugin.party.query_sql import Reads, reads_of
from fl_plugin.party.question import Question, read_question, shown_name
from fl_plugin.party.sandbox import Sandbox, View, ipc_bytes
from fl_plugin.party.session import out_of_order
from fl_plugin.policy.decision import decide
from fl_plugin.policy.grants import live_grants
from fl_plugin.policy.types import Facts

READ_BYTES = 256 * 2**20
LARGEST_RESULT = 16 * 2**20
_WORD = 8  # bytes of an array's element, in a message


@dataclass(frozen=True, kw_only=True)
class Explored:
    """What goes back: facts for a reply, the table as words, the ledger's head."""

    body: Mapping[str, Any]
    words: npt.NDArray[np.uint64]
    head: Head


def explore(ask: Ask, caller: str, domain: Domain, ledger: Ledger) -> Explored:
    """Answer the query in a message.

    Raises:
        PolicyError: The domain refuses, or the query is more than a query may be.
        MeshError: The message, the query or the table is not usable.
    """
    question = read_question(ask.body)
    record = QueryRecord(question, ledger)
    work = _Exploration(question=question, domain=domain, record=record)
    try:
        question.check_text()
        return work.answer(domain.facts(question.asking((), None), caller, ledger))
    except MeshError as error:
        record.ended(getattr(error, "reason", error.code))
        raise record.quoted(error) from None
    except Exception:
        record.ended(MeshError.code)
        raise


@dataclass(frozen=True, kw_only=True)
class _Exploration:
    """One query on its way."""

    question: Question
    domain: Domain
    record: QueryRecord

    def answer(self, facts: Facts) -> Explored:
        """Do it all, in order."""
        limits = facts.node.query
        most = min(self.question.rows, limits.max_rows)
        with ExitStack() as running:
            sandbox = None
            if self.question.sql is not None:
                sandbox = running.enter_context(
                    Sandbox(sql=self.question.sql, seconds=limits.seconds)
                )
            columns = self._columns(facts, sandbox)
            request = self.question.asking(columns, facts.product)
            facts = replace(facts, request=request)
            self.record.decided("decide", decide(facts), request)
            table, facts = self._opened(facts, most, sandbox)
            if sandbox is not None:
                table = sandbox.run(_view(_product(facts), table, most))
        return self._released(facts, table, most)

    def _columns(self, facts: Facts, sandbox: Sandbox | None) -> tuple[str, ...]:
        """Return the columns to decide on; those of a query in the product's order."""
        product = facts.product
        if product is None:
            return ()
        granted = _granted(facts, product)
        if sandbox is None:
            return self.question.columns or granted
        reads = reads_of(sandbox.tree(), product.name, tuple(product.columns))
        return tuple(_wanted(reads, granted, product))

    def _opened(
        self, facts: Facts, most: int, sandbox: Sandbox | None
    ) -> tuple[pa.Table, Facts]:
        """Read the columns, decide on the number of rows, mask."""
        product = _product(facts)
        columns = tuple(facts.request.columns)
        self.record.keep_text()
        found = self.domain.database().excerpt(
            product.relation,
            columns,
            product.contract.row_filter,
            # A sample needs no more; a query may be about any row.
            Most(rows=most + 1 if sandbox is None else None, bytes=READ_BYTES),
        )
        facts = replace(facts, rows=found.rows)
        self.record.decided("open", decide(facts), facts.request, rows=found.rows)
        if found.table is None:
            raise _too_large(f"The columns of {product.name} that the query reads")
        masks = _masks(product, columns)
        table = masked(found.table, masks, lambda: mask_key(self.record.folder))
        return table, facts

    def _released(self, facts: Facts, table: pa.Table, most: int) -> Explored:
        kept = table.slice(0, most)
        data = ipc_bytes(kept)
        if len(data) > LARGEST_RESULT:
            raise _too_large("The result of the query")
        facts = self.domain.refreshed(facts, self.record.ledger)
        decision, request = decide(facts), facts.request
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        head = self.record.decided(
            "release", decision, request, rows=kept.num_rows, released=digest
        )
        product = _product(facts)
        body = {
            "query_id": self.record.query_id,
            "size": len(data),
            "released": digest,
            "truncated": table.num_rows > most,
            "columns": list(request.columns),
            "masks": _masks(product, tuple(request.columns)),
            "grant": decision.grant,
            "row_filter": product.contract.row_filter,
        }
        words = np.frombuffer(data + bytes(-len(data) % _WORD), dtype="<u8")
        return Explored(body=body, words=words, head=head)


def _view(product: Product, rows: pa.Table, most: int) -> View:
    model = product.name.partition(".")[2]
    return View(schema=product.domain, table=model, rows=rows, most_rows=most)


def _wanted(reads: Reads, granted: tuple[str, ...], product: Product) -> Iterator[str]:
    named = set(reads.columns) | (set(granted) if reads.everything else set())
    yield from (name for name in product.columns if name in named)
    if reads.unknown:  # step 5 says so, to those who get that far
        yield shown_name(reads.unknown)


def _granted(facts: Facts, product: Product) -> tuple[str, ...]:
    """Return what `*` means to this consumer: the columns of its newest live grant.

    Without one it means every column, and the decision will say what is missing.
    """
    request = facts.request
    live = (
        grant
        for grant in live_grants(facts, product)
        if grant.purpose == request.purpose and "query" in grant.uses
    )
    grant = next(live, None)
    names = set(grant.columns) if grant else set(product.columns)
    return tuple(name for name in product.columns if name in names)


def _masks(product: Product, columns: tuple[str, ...]) -> dict[str, str]:
    found = ((name, product.columns[name].contract.mask) for name in columns)
    return {name: mask for name, mask in found if mask is not None}


def _product(facts: Facts) -> Product:
    if facts.product is None:  # a decision that was complete has one
        raise out_of_order()
    return facts.product


def _too_large(what: str) -> PolicyError:
    return PolicyError(
        f"{what} are more than a query may hold in memory.",
        remedy="Name fewer columns, or ask the domain for a smaller product.",
        reason="query.too_large",
    )
