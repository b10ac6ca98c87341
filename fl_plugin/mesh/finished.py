"""A run that has ended."""

from dataclasses import dataclass

from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.run import Trained
from fl_plugin.manifest.types import Manifest, Study
from fl_plugin.plan.types import Plan


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run that has ended: its plan, its results and its traffic."""

    plan: Plan
    study: Study
    manifest: Manifest
    trained: Trained
    federation: Federation
    engine: str
    model_digest: str = ""
