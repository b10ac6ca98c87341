"""A small mesh with models, on a clock that the test moves."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fl_plugin.ledger.record import AuditEntry
from fl_plugin.ledger.store import Ledger
from fl_plugin.model.canonical import model_digest
from fl_plugin.model.pipeline import build_pipeline
from fl_plugin.registry.record_json import record_from_json
from fl_plugin.registry.run_record import AuditHead, ProductUsed
from fl_plugin.registry.store import publish, reserve
from fl_plugin.retention.sweep import RetentionArea
from tests.small_models import small_model

SAMPLE = Path(__file__).parents[1] / "report" / "sample_run.json"
MADE = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPEC = small_model()


def manifest(domain: str, days: int | None) -> str:
    mesh = {
        "product": f"{domain}.loans",
        "status": "active",
        "classification": "confidential",
        "purposes": ["credit_risk"],
        "uses": ["evaluate"],
    }
    node = {
        "unique_id": f"model.{domain}.loans",
        "package_name": domain,
        "name": "loans",
        "group": "team",
        "config": {"meta": {"mesh": mesh | ({"retention_days": days} if days else {})}},
    }
    group = {"name": "team", "owner": {"name": "Team"}}
    return json.dumps(
        {
            "metadata": {
                "project_name": domain,
                "generated_at": "2026-01-01T00:00:00Z",
            },
            "nodes": {node["unique_id"]: node},
            "groups": {f"group.{domain}.team": group},
            "exposures": {},
        }
    )


class SmallMesh:
    """The mesh's folder and what a test asks of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.domain("lending", 100)
        self.domain("savings", 400)

    def domain(self, name: str, days: int | None) -> Path:
        folder = self.root / "domains" / name
        (folder / "target").mkdir(parents=True, exist_ok=True)
        (folder / "node.yml").write_text(f"domain: {name}\ndatabase: data/x.duckdb\n")
        (folder / "target" / "manifest.json").write_text(manifest(name, days))
        return folder

    def model(self, *domains: str, made: datetime = MADE, **changes) -> Path:
        products = tuple(
            ProductUsed(
                product=f"{domain}.loans",
                version=None,
                domain=domain,
                policy="sha256:0a",
                manifest="sha256:0b",
                rows_bucket=100,
                grant=None,
            )
            for domain in domains
        )
        heads = {d: AuditHead(sequence=1, hash=self.began(d)) for d in domains}
        with reserve(self.root / "registry", "credit_risk") as slot:
            run = replace(
                record_from_json(SAMPLE.read_bytes()),
                study="credit_risk",
                version=slot.version,
                created_at=made.isoformat(),
                model_digest=model_digest(SPEC),
                products=products,
                audit_heads=heads,
                **changes,
            )
            pipeline = build_pipeline(SPEC)
            return publish(slot, pipeline, run, card="# card", report="<p>r").path

    def began(self, domain: str) -> str:
        """Return the hash of the first record of a domain's ledger."""
        with self.ledger(domain) as book:
            if not book.show():
                entry = AuditEntry(
                    action="open",
                    decision="allowed",
                    consumer="ml_coe",
                    actor="a",
                    purpose="p",
                    study="credit_risk",
                    run="r",
                )
                book.append(entry, now=MADE)
            return book.show()[0].hash

    def ledger(self, domain: str) -> Ledger:
        return Ledger.open(self.root / f"domains/{domain}/ledger/ledger.sqlite")

    def records(self, domain: str):
        path = self.root / f"domains/{domain}/ledger/ledger.sqlite"
        if not path.exists():
            return []
        with self.ledger(domain) as book:
            return [r for r in book.show() if r.action == "retention"]

    def file(self, name: str, *, age_of: datetime = MADE, text: str = "x") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        at = age_of.timestamp()
        os.utime(path, (at, at))
        for folder in path.relative_to(self.root).parents:
            os.utime(self.root / folder, (at, at))
        return path

    def sweep(self, domain=None, *, days: float = 0, dry_run: bool = False):
        now = MADE + timedelta(days=days)
        area = RetentionArea(self.root, "tester")
        return area.apply(domain, dry_run=dry_run, now=now)

    def everything(self) -> set[str]:
        found = (p for p in self.root.rglob("*") if not p.is_dir() or p.is_symlink())
        return {str(p.relative_to(self.root)) for p in found}


@pytest.fixture
def small(tmp_path) -> SmallMesh:
    root = tmp_path / "mesh"
    root.mkdir()
    return SmallMesh(root)
