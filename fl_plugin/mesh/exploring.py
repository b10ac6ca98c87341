"""Rows of a product that offers the use `query`: `mesh.explore`.

The domain decides and computes in its own process; what comes back is the result, the
id under which the domain has it on record, and the digest of what it released.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fl_plugin.coordinator.answers import Answers
from fl_plugin.coordinator.federation import Federation
from fl_plugin.discovery import discover
from fl_plugin.engines.base import Engine
from fl_plugin.errors import MessageError, UsageError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Grant, Manifest, Product
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.mesh.identity import actor, run_id
from fl_plugin.plan.wire import request_json
from fl_plugin.policy.types import Request

STUDY = "exploration"
SAMPLE_ROWS = 10
MOST_ROWS = 1_000


@dataclass(frozen=True, kw_only=True)
class Result:
    """The answer to a query or a sample.

    Args:
        query_id: The `run` of the domain's audit records about it.
        product: Whose rows.
        consumer: To whom they were given.
        grant: What allowed it.
        columns: Columns of the product that it read.
        masks: Which of them are masked, and how.
        truncated: Whether there were more rows than may be returned.
        released: Digest of the result as the domain has it on record.
        arrow: The result.
    """

    query_id: str
    product: str
    consumer: str
    grant: str
    columns: tuple[str, ...]
    masks: Mapping[str, str]
    truncated: bool
    released: str
    arrow: pa.Table

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return a dict for each row."""
        return list(self.arrow.to_pylist())

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame.

        Raises:
            UsageError: pandas is not installed.
        """
        if find_spec("pandas") is None:
            raise UsageError(
                "pandas is not installed, and this package does not need it.",
                remedy="Install it (`pip install pandas`), or use .arrow or "
                ".to_pylist().",
            )
        return self.arrow.to_pandas()


@dataclass(frozen=True)
class Exploring:
    """What a consumer may read of the mesh in `root`.

    Args:
        root: The mesh's root folder.
        engine: How to reach the domain.
    """

    root: Path
    engine: str = "embedded"

    def sample(
        self,
        product: str,
        *,
        rows: int = SAMPLE_ROWS,
        columns: Sequence[str] = (),
        consumer: str | None = None,
        study: str = STUDY,
    ) -> Result:
        """Return some rows of a product, the first that its domain comes across.

        Args:
            product: `<domain>.<model>`.
            rows: How many; the domain's own bound may be lower.
            columns: Which; all that are granted unless named.
            consumer: On whose behalf; left out where the grants name only one.
            study: What the grant was given for.

        Raises:
            PolicyError: The domain refuses; the refusal is on record there.
            UsageError: There is no such product, or the consumer must be named.
        """
        body = {"sql": None, "columns": list(columns), "rows": _positive(rows)}
        return self._ask(product, body, consumer, study)

    def query(
        self,
        product: str,
        sql: str,
        *,
        consumer: str | None = None,
        study: str = STUDY,
    ) -> Result:
        """Return what one select over a product gives.

        Args:
            product: `<domain>.<model>`; the query names it so, or by the model alone.
            sql: DuckDB's dialect. `*` means what is granted.
            consumer: On whose behalf; left out where the grants name only one.
            study: What the grant was given for.

        Raises:
            PolicyError: The domain refuses, or the query is more than one may be.
            UsageError: There is no such product, or it is no query.
        """
        body = {"sql": sql, "columns": [], "rows": MOST_ROWS}
        return self._ask(product, body, consumer, study)

    def _ask(
        self, product: str, body: Mapping[str, Any], consumer: str | None, study: str
    ) -> Result:
        manifest = read_manifest(
            self.root / "target" / "manifest.json",
            load_vocabulary(self.root / "mesh_policy.yml"),
        )
        found = _product(manifest, product)
        request = _request(found, _grants(manifest, found, study), consumer, study)
        with self._party(found.domain, request.consumer) as transport:
            federation = Federation(run_id("query"), transport)
            told = {**body, "request": request_json(request)}
            answers = federation.ask("query", told)
        return _result(answers, request)

    @contextmanager
    def _party(self, domain: str, consumer: str) -> Iterator[Engine]:
        engines = discover("fl_plugin.engines", Engine, "fl_plugin.engines")
        if self.engine not in engines:
            raise UsageError(
                f"There is no engine {self.engine}.",
                remedy=f"Choose one of: {', '.join(sorted(engines))}.",
            )
        folder = self.root / "domains" / domain
        with engines[self.engine]([folder], consumer) as transport:
            yield transport


def _positive(rows: int) -> int:
    if rows < 1:
        raise UsageError(
            "A sample has at least one row.", remedy="Ask for one row or more."
        )
    return rows


def _product(manifest: Manifest, name: str) -> Product:
    if name in manifest.problems:
        raise manifest.problems[name]
    if name not in manifest.products:
        known = ", ".join(n for n, p in manifest.products.items() if n == p.name)
        raise UsageError(
            f"There is no product {name!r}.", remedy=f"Products of this mesh: {known}."
        )
    return manifest.products[name]


def _grants(manifest: Manifest, product: Product, study: str) -> list[Grant]:
    """Return the grants that speak of querying it, live or not, the newest first.

    They only say in whose name and for which purpose to ask: the domain decides by
    its own.
    """
    found = [
        grant
        for grant in manifest.grants.values()
        if product.name in grant.products
        and grant.study == study
        and "query" in grant.uses
    ]
    return sorted(found, key=lambda g: (g.status == "approved", g.name), reverse=True)


def _request(
    product: Product, grants: Sequence[Grant], consumer: str | None, study: str
) -> Request:
    named = sorted({grant.consumer for grant in grants})
    if consumer is None and len(named) != 1:
        who = f"Grants name: {', '.join(named)}." if named else "No grant names one."
        raise UsageError(
            f"Nobody is named who may query {product.name} for {study}.",
            remedy=f"Name the consumer with --as. {who}",
        )
    asking = named[0] if consumer is None else consumer
    mine = [grant.purpose for grant in grants if grant.consumer == asking]
    return Request(
        study=study,
        consumer=asking,
        actor=actor(),
        purpose=mine[0] if mine else product.contract.purposes[0],
        product=product.name,
        version=product.version,
        uses=("query",),
        columns={},
        algorithm="",
        parameters={},
        secure_aggregation=False,
        parties=1,
    )


def _result(answers: Answers, request: Request) -> Result:
    """Return what a reply holds, which is checked like everything that comes in."""
    (body,) = answers.bodies.values()
    (arrays,) = answers.raw.values()
    words, size = arrays.get("table"), body.get("size")
    if words is None or words.dtype != np.uint64 or type(size) is not int:
        raise _bad()
    if not 0 <= size <= words.nbytes:
        raise _bad()
    data = words.astype("<u8", copy=False).tobytes()[:size]
    released = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if released != body.get("released"):
        raise _bad()
    try:
        table = pa.ipc.open_stream(data).read_all()
        table.validate(full=True)
        masks = {str(n): str(m) for n, m in dict(body["masks"]).items()}
        columns = tuple(str(n) for n in body["columns"])
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError):
        raise _bad() from None
    return Result(
        query_id=str(body.get("query_id")),
        product=request.product,
        consumer=request.consumer,
        grant=str(body.get("grant")),
        columns=columns,
        masks=masks,
        truncated=body.get("truncated") is True,
        released=released,
        arrow=table,
    )


def _bad() -> MessageError:
    return MessageError(
        "A domain's answer to a query is not a table.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
