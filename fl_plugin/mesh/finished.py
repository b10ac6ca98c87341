"""A run that has ended, in either mode."""

from dataclasses import dataclass

from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.run import Trained
from fl_plugin.coordinator.vertical_run import VerticalTrained
from fl_plugin.manifest.types import Manifest, Study
from fl_plugin.plan.types import Plan


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What every run that has ended has: its plan and its traffic."""

    plan: Plan
    study: Study
    manifest: Manifest
    federation: Federation
    engine: str
    model_digest: str = ""


@dataclass(frozen=True, kw_only=True)
class Finished(Ended):
    """A run over rows that lie apart, with its results."""

    trained: Trained


@dataclass(frozen=True, kw_only=True)
class FinishedVertical(Ended):
    """A run over columns that lie apart, with its results."""

    trained: VerticalTrained
