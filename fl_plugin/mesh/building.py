"""Building a mesh: dbt for each domain, then what other rooms make of the result."""

from dataclasses import dataclass
from pathlib import Path

from fl_plugin.building.build import (
    Built,
    Listener,
    Order,
    Step,
    Work,
    build,
    build_catalog,
    build_mesh,
    timed,
)
from fl_plugin.contracts.codeowners import FILE, Codeowners
from fl_plugin.errors import BuildError
from fl_plugin.mesh.identity import actor
from fl_plugin.quality.area import Quality

QUALITY, OWNERS = "the quality", "the owners"


def _silent(part: Built) -> None:
    """Listen to nothing."""


@dataclass(frozen=True)
class Building:
    """Builds the mesh in `root`; it may be repeated at any time."""

    root: Path

    def build(
        self, order: Order | None = None, listener: Listener = _silent
    ) -> tuple[Built, ...]:
        """Build domains, measure them, and build the mesh and its catalog over them.

        One part that fails is among the parts and stops no other.

        Raises:
            UsageError: There is no such domain.
            BuildError: dbt is not installed.
        """
        wanted = order or Order()
        steps: tuple[Step, ...] = () if wanted.mesh_only else (_quality,)
        if not wanted.domain_only:
            steps += (build_mesh, _owners, build_catalog)
        return build(self.root, wanted, steps, listener)


def _quality(work: Work) -> Built:
    """Measure the products of the domains that were built, for the catalog to show."""
    built = [part.part for part in work.parts if part.state == "built"]

    def measure() -> str:
        quality = Quality(work.root, actor())
        done = [quality.profile(domain=name) for name in built]
        problems = {n: e for found in done for n, e in found.problems.items()}
        for name in sorted(problems):
            raise BuildError(
                f"{name}: {problems[name].problem}", remedy=problems[name].remedy
            )
        count = sum(len(found.published) for found in done)
        return f"{count} product{'s' * (count != 1)} measured"

    return timed(QUALITY, measure)


def _owners(work: Work) -> Built:
    """Write CODEOWNERS where a domain is new; a change of owners is for people.

    Who reviews what is decided in git: a build that renewed it would hide the change.
    """

    def write() -> str:
        owners = Codeowners(work.root)
        file = work.root / FILE
        found = file.read_text(encoding="utf-8") if file.is_file() else ""
        names = [p.parent.name for p in work.root.glob("domains/*/dbt_project.yml")]
        if not found or any(f"\n/domains/{name}/ " not in found for name in names):
            return f"{owners.write().relative_to(work.root)} written"
        if owners.problem():
            return f"{owners.problem()}: fl contract codeowners --write"
        return f"{FILE} is current"

    return timed(OWNERS, write)
