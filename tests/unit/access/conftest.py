"""A mesh of two small domains in files, and a `parse` that does what dbt's would."""

import json
import re
import shutil
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from fl_plugin.access.area import Access
from fl_plugin.access.asking import Asking
from fl_plugin.access.deciding import Voice
from fl_plugin.ledger.store import Ledger
from fl_plugin.policy.principals import principals_digest
from fl_plugin.signing.keys import SigningKey, create_key

DOMAINS = ("cards", "lending")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
POLICY = """\
purposes: [credit_risk, fraud_detection]
uses: [aggregate, train_horizontal, evaluate, query]
classifications: [public, internal, confidential, restricted]
pii: [identifier, quasi, sensitive]
roles: [join_key, feature, label, protected]
floors: {min_cohort: 10}
"""
COLUMNS: dict[str, tuple[str, dict[str, Any]]] = {
    "customer_id": (
        "varchar",
        {"roles": ["join_key"], "classification": "restricted", "uses": ["aggregate"]},
    ),
    "age": ("integer", {"roles": ["feature"]}),
    "amount": ("integer", {"roles": ["feature"]}),
    "note": ("varchar", {}),
    "is_bad": ("boolean", {"roles": ["label"], "classification": "restricted"}),
}


def contract_of(domain: str) -> dict[str, Any]:
    return {
        "product": f"{domain}.credit_profile",
        "status": "active",
        "classification": "confidential",
        "purposes": ["credit_risk"],
        "uses": ["train_horizontal", "evaluate", "query"],
        "allow": [
            {
                "consumer": {"org_unit": ["ml_coe"]},
                "purposes": ["credit_risk"],
                "uses": ["train_horizontal", "evaluate", "query"],
            }
        ],
        "min_cohort": 25,
        "approval": {"approvers": 1, "restricted_approvers": 2, "max_days": 120},
    }


@dataclass
class SmallMesh:
    """Two domains and one study; `contracts` and `stewards` change what is built."""

    root: Path
    now: datetime = NOW
    contracts: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {d: contract_of(d) for d in DOMAINS}
    )
    stewards: dict[str, list[str]] = field(
        default_factory=lambda: {
            d: [f"{who}.{d}@bank.example" for who in ("steward", "risk")]
            for d in DOMAINS
        }
    )
    columns: dict[str, tuple[str, dict[str, Any]]] = field(
        default_factory=lambda: deepcopy(COLUMNS)
    )

    @property
    def access(self) -> Access:
        return Access(self.root, lambda: self.now)

    def grants(self, domain: str) -> Path:
        return self.root / "domains" / domain / "models" / "grants"

    def file(self, domain: str, name: str = "g_credit_risk_ml_coe") -> Path:
        return self.grants(domain) / f"{name}.yml"

    def files(self) -> dict[Path, str]:
        return {
            p: p.read_text()
            for domain in DOMAINS
            for p in sorted(self.grants(domain).rglob("*"))
            if p.is_file()
        }

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def parse(self) -> None:
        """Write each domain's manifest and the mesh's, as `dbt parse` would."""
        whole = _manifest("small_mesh")
        whole["exposures"]["exposure.small_mesh.credit_risk"] = _study()
        for domain in DOMAINS:
            own = _manifest(domain)
            own["groups"] = {f"group.{domain}.{domain}": self._group(domain)}
            own["nodes"] = {f"model.{domain}.credit_profile": self._model(domain)}
            own["exposures"] = self._exposures(domain)
            for key in ("groups", "nodes", "exposures"):
                whole[key] |= own[key]
            self._write(self.root / "domains" / domain, own)
        self._write(self.root, whole)

    def ledger(self, domain: str) -> Ledger:
        return Ledger.open(self.root / "domains" / domain / "ledger" / "ledger.sqlite")

    def records(self, domain: str) -> list[tuple[str, str, str]]:
        with self.ledger(domain) as ledger:
            return [(r.action, r.actor, r.rule) for r in ledger.show()]

    def ask(self, **words: Any) -> Any:
        asking = Asking(by="scientist@bank.example", **words)
        return self.access.request("credit_risk", asking)

    def approve(self, domain: str, who: str, **words: Any) -> Any:
        voice = Voice(by=f"{who}.{domain}@bank.example", key=words.pop("key", None))
        return self.access.approve(domain, "g_credit_risk_ml_coe", voice, **words)

    def approve_by_both(self, domain: str) -> None:
        self.approve(domain, "steward")
        self.approve(domain, "risk")
        self.parse()

    def sign_with(self, domain: str, *people: str) -> dict[str, SigningKey]:
        """Make the domain require signatures of people whose keys are known."""
        keys = {p: create_key(self.root / f"{p}.{domain}.pem") for p in people}
        names = {f"{p}.{domain}@bank.example": {"key": keys[p].public} for p in people}
        coe = {"attributes": {"org_unit": ["ml_coe"]}}
        listed = {"consumers": {"ml_coe": coe}, "people": names}
        (self.root / "principals.yml").write_text(yaml.safe_dump(listed))
        node = {
            "domain": domain,
            "database": f"data/{domain}.duckdb",
            "principals": principals_digest(self.root),
            "require_signatures": ["grants"],
        }
        (self.root / "domains" / domain / "node.yml").write_text(yaml.safe_dump(node))
        return keys

    def know(self, domain: str, **consumers: dict[str, list[str]]) -> None:
        """Let the domain's own list name these consumers and no others."""
        path = self.root / "domains" / domain / "node.yml"
        node = yaml.safe_load(path.read_text()) | {"consumers": consumers}
        path.write_text(yaml.safe_dump(node))

    def _write(self, folder: Path, manifest: dict[str, Any]) -> None:
        path = folder / "target" / "manifest.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(manifest))

    def _group(self, domain: str) -> dict[str, Any]:
        owner = {"name": domain.title(), "stewards": self.stewards[domain]}
        return {"name": domain, "package_name": domain, "owner": owner}

    def _model(self, domain: str) -> dict[str, Any]:
        return {
            "unique_id": f"model.{domain}.credit_profile",
            "package_name": domain,
            "name": "credit_profile",
            "access": "public",
            "group": domain,
            "contract": {"enforced": True},
            "config": {"meta": {"mesh": self.contracts[domain]}},
            "columns": {
                name: {"data_type": kind, "config": {"meta": {"mesh": block}}}
                for name, (kind, block) in self.columns.items()
            },
        }

    def _exposures(self, domain: str) -> dict[str, Any]:
        found = {}
        for path in sorted((self.root / "domains" / domain / "models").rglob("*.yml")):
            for exposure in yaml.safe_load(path.read_text()).get("exposures", ()):
                model = re.findall(r"'(\w+)'", exposure["depends_on"][0])[-1]
                found[f"exposure.{domain}.{exposure['name']}"] = {
                    **exposure,
                    "package_name": domain,
                    "depends_on": {"nodes": [f"model.{domain}.{model}"]},
                }
        return found


def _manifest(project: str) -> dict[str, Any]:
    about = {
        "project_name": project,
        "dbt_version": "1.12.0",
        "generated_at": "2026-11-21T04:32:19Z",
    }
    return {"metadata": about, "nodes": {}, "groups": {}, "exposures": {}}


def _study() -> dict[str, Any]:
    mesh = {
        "consumer": "ml_coe",
        "purpose": "credit_risk",
        "mode": "horizontal",
        "algorithm": {"name": "logistic_regression", "l2": 1.0},
        "target": "is_bad",
        "features": ["amount", "age"],
    }
    return {
        "name": "credit_risk",
        "package_name": "small_mesh",
        "owner": {"name": "ML CoE", "email": "ml-coe@bank.example"},
        "config": {"meta": {"mesh": mesh}},
        "depends_on": {"nodes": [f"model.{d}.credit_profile" for d in DOMAINS]},
    }


@pytest.fixture(scope="session")
def new_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger without a record; making one takes longer than copying it."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    Ledger.open(path).close()
    return path


@pytest.fixture
def small_mesh(tmp_path: Path, new_ledger: Path) -> SmallMesh:
    """A mesh that is built, without a single grant; both ledgers are here."""
    root = tmp_path / "mesh"
    for domain in DOMAINS:
        folder = root / "domains" / domain
        (folder / "models" / "products").mkdir(parents=True)
        (folder / "ledger").mkdir()
        (folder / "dbt_project.yml").write_text(f"name: {domain}\n")
        (folder / "models" / "products" / "credit_profile.yml").write_text("{}\n")
        (folder / "node.yml").write_text(
            f"domain: {domain}\ndatabase: data/{domain}.duckdb\n"
            "consumers:\n  ml_coe: {org_unit: [ml_coe]}\n"
        )
        shutil.copy(new_ledger, folder / "ledger")
    (root / "mesh_policy.yml").write_text(POLICY)
    mesh = SmallMesh(root)
    mesh.parse()
    return mesh
