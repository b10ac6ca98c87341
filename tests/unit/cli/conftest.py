"""A mesh that answers from memory, and the program run against it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import fl_plugin
from fl_plugin.algorithms.base import Target
from fl_plugin.cli.main import main
from fl_plugin.errors import RegistryError, UsageError
from fl_plugin.manifest.study_contract import (
    EvaluationPlan,
    PreparationPlan,
    StudyPrivacy,
)
from fl_plugin.plan.types import PartyPlan, Plan
from fl_plugin.policy.decision import decide
from fl_plugin.preparation.features import Feature
from fl_plugin.registry.record_json import record_from_json
from fl_plugin.registry.store import Entry

SAMPLE = Path(__file__).parents[1] / "report" / "sample_run.json"


@dataclass
class Answered:
    """What the program printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class FakeMesh:
    """Knows one study with one model; `raises` is raised by whatever is asked."""

    made_plan: Plan
    entry: Entry
    raises: BaseException | None = None
    root: Path = Path("mesh")
    studies: dict[str, Any] = field(default_factory=lambda: {"credit_risk": None})
    products: dict[str, Any] = field(default_factory=dict)

    @property
    def models(self):
        return SimpleNamespace(entries=(self.entry,), problems={})

    def plan(self, study):
        self._known(study)
        return self.made_plan

    def train(self, study, *, listener, **_):
        self._known(study)
        for number, kind in enumerate(("decide", "open", "step", "step"), start=1):
            listener(kind, number)
        return SimpleNamespace(entry=self.entry)

    def model(self, study, *_):
        if study != "credit_risk":
            raise RegistryError(
                f"There is no model of {study}.", remedy="See `models`."
            )
        return self.entry

    def fingerprint(self, *_):
        return "sha256:" + "0" * 64

    def _known(self, study):
        if self.raises is not None:
            raise self.raises
        if study not in self.studies:
            raise UsageError(f"There is no study {study!r}.", remedy="Look again.")


@pytest.fixture
def plan_with(facts_with) -> Callable[..., Plan]:
    """Return a plan of one domain, which decided on these facts."""

    def make(**changes: Any) -> Plan:
        facts = facts_with(**changes)
        party = PartyPlan(
            domain="consumer_banking",
            product="consumer_banking.credit_profile",
            version=1,
            request=facts.request,
            decision=decide(facts),
        )
        return Plan(
            study="credit_risk",
            label="Credit risk",
            consumer="ml_coe",
            actor="somebody",
            purpose="credit_risk",
            mode="horizontal",
            algorithm="logistic_regression",
            parameters={"l2": 1.0},
            target="is_bad",
            features=(Feature(name="amount", kind="numeric"),),
            predicts=Target(),
            protected=(),
            preparation=PreparationPlan(),
            prepares="matrix",
            search=None,
            sampling=None,
            privacy=StudyPrivacy(),
            evaluation=EvaluationPlan(),
            seed=1,
            manifest="sha256:" + "1" * 64,
            parties=(party,),
        )

    return make


@pytest.fixture
def mesh(plan_with, monkeypatch) -> FakeMesh:
    run = replace(record_from_json(SAMPLE.read_bytes()), study="credit_risk")
    entry = Entry(
        study="credit_risk",
        version=run.version,
        path=Path("registry/credit_risk/v1"),
        run=run,
        digests={},
    )
    fake = FakeMesh(made_plan=plan_with(rows=None), entry=entry)
    opener = SimpleNamespace(open=lambda root: fake)
    monkeypatch.setitem(vars(fl_plugin), "Mesh", opener)
    return fake


@pytest.fixture
def fl(capsys) -> Callable[..., Answered]:
    """Run the program with these words."""

    def run(*words: str) -> Answered:
        code = main(list(words))
        printed = capsys.readouterr()
        return Answered(code, printed.out, printed.err)

    return run
