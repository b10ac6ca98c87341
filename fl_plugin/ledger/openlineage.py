"""The audit as OpenLineage run events, for a lineage tool beside the mesh.

A run of a study is a run of the job that goes by the study's name, and each record of
it is an event: the first is its START, the last its end. A refusal by a rule ends it
with ABORT, an error with FAIL. A run that was opened and never closed has no end, and
neither do its events. A record that belongs to no run is a run of its own.

The events follow https://openlineage.io/spec/2-0-2/OpenLineage.json. They carry names,
digests and rounded counts, as the records do; never a value.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fl_plugin import errors
from fl_plugin.ledger.record import AuditRecord, timestamp

Event = dict[str, Any]

NAMESPACE = "data-mesh"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets"
_OURS = "urn:data-mesh-learning:openlineage:1-0-0"
_RUNS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:data-mesh-learning:runs")
# A record's rule holds a reason code of the policy, or the code of an error.
_ERROR_CODES = frozenset(
    kind.code
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.MeshError)
) - {errors.PolicyError.code}


@dataclass(frozen=True)
class _Line:
    """A record, and whose ledger it stands in."""

    domain: str
    record: AuditRecord

    @property
    def names(self) -> tuple[str, ...]:
        """What names its run; nothing that a run may be called names a lone record."""
        if self.record.run:
            return (self.record.run,)
        return (self.domain, str(self.record.sequence))


def run_events(
    records: Mapping[str, Iterable[AuditRecord]],
    *,
    since: datetime | None = None,
    namespace: str = NAMESPACE,
) -> tuple[Event, ...]:
    """Return the events of the domains' records, in order of time.

    Args:
        records: By domain; whole runs, so that each event has its right type.
        since: Leaves out events before this time.
        namespace: The mesh's name among other meshes.
    """
    floor = "" if since is None else timestamp(since)
    events = [
        event
        for run in _runs(records).values()
        for event in _events(run, namespace)
        if event["eventTime"] >= floor
    ]
    return tuple(sorted(events, key=lambda event: str(event["eventTime"])))


def event_lines(events: Iterable[Event]) -> Iterator[str]:
    """Yield one line of JSON, in ASCII, for each event."""
    return (json.dumps(event, separators=(",", ":")) for event in events)


def run_uuid(namespace: str, *names: str) -> str:
    """Return the id that a run goes by outside: the same for the same names.

    Args:
        namespace: The mesh's.
        names: The run; or, for a record that has none, its domain and sequence.
    """
    return str(uuid.uuid5(_RUNS, json.dumps([namespace, *names])))


def _runs(
    records: Mapping[str, Iterable[AuditRecord]],
) -> dict[tuple[str, ...], list[_Line]]:
    runs: dict[tuple[str, ...], list[_Line]] = {}
    for domain, found in records.items():
        for line in (_Line(domain, record) for record in found):
            runs.setdefault(line.names, []).append(line)
    for lines in runs.values():
        lines.sort(key=lambda line: (line.record.at, line.domain, line.record.sequence))
    return runs


def _events(run: Sequence[_Line], namespace: str) -> Iterator[Event]:
    ending = _ending(run)
    for place, line in enumerate(run):
        last = place == len(run) - 1
        if place == 0:
            yield _event(line, "START", namespace)
        if last and ending:
            error = _reason(run) if ending != "COMPLETE" else ""
            yield _event(line, ending, namespace, error)
        elif place:
            yield _event(line, "RUNNING", namespace)


def _ending(run: Sequence[_Line]) -> str:
    """Return how a run ended; empty where it has not, or nobody saw it end."""
    reason = _reason(run)
    if reason:
        return "FAIL" if reason in _ERROR_CODES else "ABORT"
    opened, closed = (
        {line.domain for line in run if line.record.action == action}
        for action in ("open", "close")
    )
    return "COMPLETE" if opened <= closed else ""


def _reason(run: Sequence[_Line]) -> str:
    refused = [line.record for line in run if line.record.decision == "refused"]
    return refused[-1].rule or "refused" if refused else ""


def _event(line: _Line, kind: str, namespace: str, error: str = "") -> Event:
    record = line.record
    facets = {"mesh_audit": _audit_facet(line)}
    if error:
        facets["errorMessage"] = _facet(
            f"{_FACETS}/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet",
            message=error,
            programmingLanguage="python",
        )
    return {
        "eventType": kind,
        "eventTime": record.at,
        "run": {"runId": run_uuid(namespace, *line.names), "facets": facets},
        "job": {
            "namespace": namespace,
            "name": record.study or record.action,
            "facets": {"jobType": _job_type(record)},
        },
        "inputs": [_dataset(record, namespace)] if record.product else [],
        "outputs": [],
        "producer": _producer(),
        "schemaURL": SPEC,
    }


def _dataset(record: AuditRecord, namespace: str) -> Event:
    domain, _, model = record.product.partition(".")
    fields = [{"name": name} for name in record.columns]
    facets = {
        "schema": _facet(
            f"{_FACETS}/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
            fields=fields,
        ),
        "mesh_contract": _facet(
            f"{_OURS}:MeshContractDatasetFacet",
            policy=record.policy,
            manifest=record.manifest,
        ),
    }
    if record.version is not None:
        facets["version"] = _facet(
            f"{_FACETS}/1-0-1/DatasetVersionDatasetFacet.json"
            "#/$defs/DatasetVersionDatasetFacet",
            datasetVersion=str(record.version),
        )
    return {"namespace": f"{namespace}/{domain}", "name": model, "facets": facets}


def _audit_facet(line: _Line) -> Event:
    record = line.record
    return _facet(
        f"{_OURS}:MeshAuditRunFacet",
        domain=line.domain,
        run=record.run,
        action=record.action,
        decision=record.decision,
        rule=record.rule,
        consumer=record.consumer,
        actor=record.actor,
        purpose=record.purpose,
        algorithm=record.algorithm,
        round=record.round,
        rowsBucket=record.rows_bucket,
        epsilon=record.epsilon,
        policy=record.policy,
        released=record.released,
        ledgerSequence=record.sequence,
        ledgerHash=record.hash,
        ledgerPrevious=record.previous,
    )


def _job_type(record: AuditRecord) -> Event:
    return _facet(
        f"{_FACETS}/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
        processingType="BATCH",
        integration="DATA_MESH",
        jobType="STUDY" if record.study else "GOVERNANCE",
    )


def _facet(schema: str, **fields: Any) -> Event:
    return {"_producer": _producer(), "_schemaURL": schema, **fields}


@cache
def _producer() -> str:
    try:
        return f"urn:data-mesh-learning:{version('data-mesh-learning')}"
    except PackageNotFoundError:  # run from a folder that was never installed
        return "urn:data-mesh-learning:unknown"
