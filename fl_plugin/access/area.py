"""What can be done about access to a mesh's products, as one object."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fl_plugin.access.asking import Asked, Asking, ask
from fl_plugin.access.case import Case, open_case
from fl_plugin.access.checking import Checked, check
from fl_plugin.access.deciding import Decided, Voice, approve, confirm
from fl_plugin.access.ending import reject, revoke
from fl_plugin.access.home import home_of
from fl_plugin.access.pinning import Pinned, pin
from fl_plugin.access.standing import Standing, standings
from fl_plugin.access.wanted import Exploration, wanted_by_study, wanted_to_explore
from fl_plugin.access.yaml_words import address
from fl_plugin.errors import BuildError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest
from fl_plugin.manifest.validation import shown
from fl_plugin.manifest.vocabulary import load_vocabulary


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Access:
    """Requests, approvals and their ends in the mesh of one folder.

    A grant is named by domain and name, or by `<domain>.<grant>` alone.

    Args:
        root: The mesh's folder.
        clock: What time it is, UTC.
    """

    root: Path
    clock: Callable[[], datetime] = _now

    def request(
        self, study: str, asking: Asking, domain: str | None = None
    ) -> tuple[Asked, ...]:
        """Ask every domain of a study, or one of them, for what the study needs.

        Raises:
            MeshError: See `fl_plugin.access.asking.ask`; nothing is half-written.
        """
        manifest = self._catalog()
        wanted = wanted_by_study(manifest, study, domain)
        return ask(self.root, manifest, wanted, asking, self.clock())

    def explore(self, exploration: Exploration, asking: Asking) -> tuple[Asked, ...]:
        """Ask one domain for a look at some columns of one product.

        Raises:
            MeshError: See `fl_plugin.access.asking.ask`; nothing is half-written.
        """
        manifest = self._catalog()
        wanted = wanted_to_explore(manifest, exploration)
        return ask(self.root, manifest, wanted, asking, self.clock())

    def approve(
        self, domain: str, grant: str, voice: Voice, days: int | None = None
    ) -> Decided:
        """Approve a request, alone or as one of several stewards.

        Raises:
            MeshError: See `fl_plugin.access.deciding.approve`.
        """
        address(voice.by)
        return approve(self._case(domain, grant, fresh=True), voice, days)

    def confirm(self, domain: str, grant: str, voice: Voice) -> Decided:
        """Approve the current policy for a grant that stopped when it changed.

        Raises:
            MeshError: See `fl_plugin.access.deciding.confirm`.
        """
        address(voice.by)
        return confirm(self._case(domain, grant, fresh=True), voice)

    def reject(self, domain: str, grant: str, by: str, reason: str = "") -> Decided:
        """Say no to a request.

        Raises:
            MeshError: See `fl_plugin.access.ending.reject`.
        """
        return reject(self._case(domain, grant), address(by), reason)

    def revoke(self, domain: str, grant: str, by: str, reason: str = "") -> Decided:
        """End a grant, at once where the domain's ledger is on this machine.

        Raises:
            MeshError: See `fl_plugin.access.ending.revoke`.
        """
        return revoke(self._case(domain, grant), address(by), reason)

    def list(self, domain: str | None = None) -> tuple[Standing, ...]:
        """Return every grant as it counts today.

        Raises:
            MeshError: There is no such domain, or nothing is built.
        """
        return standings(self.root, self.clock(), domain)

    def check(self, domain: str | None = None, base: Path | None = None) -> Checked:
        """Look at every grant by the domains' own rules.

        Raises:
            MeshError: There is no such domain, or a manifest is missing.
        """
        return check(self.root, self.clock(), domain, base)

    def pin(self, domain: str, *, write: bool = True) -> Pinned:
        """Pin the mesh's principals.yml in a domain's node.yml.

        Raises:
            MeshError: See `fl_plugin.access.pinning.pin`.
        """
        return pin(home_of(self.root, domain), write=write)

    def _case(self, domain: str, grant: str, *, fresh: bool = False) -> Case:
        return open_case(self.root, domain, grant, self.clock(), fresh=fresh)

    def _catalog(self) -> Manifest:
        """Return the mesh's manifest, if no study was edited since."""
        path = self.root / "target" / "manifest.json"
        found = read_manifest(path, load_vocabulary(self.root))
        built = path.stat().st_mtime_ns
        for file in sorted((self.root / "models").rglob("*.yml")):
            if file.stat().st_mtime_ns > built:
                name = file.relative_to(self.root)
                raise BuildError(
                    f"{shown(name)} was changed after the catalog was read.",
                    remedy="Read it again: dbt parse",
                )
        return found
