"""A run whose domains have opened their columns, for tests that go on by themselves."""

from pathlib import Path
from typing import Any

from fl_plugin.coordinator.decisions import with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.opening import open_parties
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.plan.draft import draft
from tests.made_mesh import STUDY


class Planned:
    """A run that every domain has decided on.

    Args:
        root: Of a made mesh.
        engine: To its domains.
        name: Of the run.
        uses: What is asked for; None for what training needs.
    """

    def __init__(
        self,
        root: Path,
        engine: Any,
        name: str = "run-1",
        uses: tuple[str, ...] | None = None,
    ) -> None:
        manifest = read_manifest(root / "target/manifest.json")
        self.federation = Federation(name, engine)
        planned = draft(manifest.studies[STUDY], manifest, "tester", uses)
        self.plan = with_decisions(planned, self.federation)


class Opened(Planned):
    """A run as a coordinator of ours opens it."""

    def __init__(self, root: Path, engine: Any, name: str = "run-1") -> None:
        super().__init__(root, engine, name)
        opened = open_parties(self.plan, self.federation)
        self.schema, self.floor = opened.schema(self.plan), opened.min_cohort
