"""What dbt has parsed of a mesh, and what it has to parse again."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fl_plugin.contracts.side import artifact
from fl_plugin.errors import BuildError
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.products import read_owner
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest, Owner
from fl_plugin.manifest.words import check_name

MANIFEST = Path("target") / "manifest.json"
MESH = ""  # the root project, beside the domains
_SOURCES = ("models/**/*.yml", "models/**/*.sql", "seeds/**/*.yml", "dbt_project.yml")


def domain_names(root: Path) -> tuple[str, ...]:
    """Return the domains that have a folder: a node's settings or a dbt project.

    Raises:
        ContractError: A folder's name could not be a domain's.
    """
    folder = root / "domains"
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    names = []
    for below in found:
        if (below / "node.yml").is_file() or (below / "dbt_project.yml").is_file():
            check_name(below.name, f"domains/{below.name!r}")
            names.append(below.name)
    return tuple(names)


def folder_of(root: Path, domain: str | None) -> Path:
    """Return a domain's folder; the mesh's where none is named."""
    return root / "domains" / domain if domain else root


def manifest_of(root: Path, domain: str | None) -> Path:
    """Return where dbt writes a domain's manifest; the mesh's where none is named."""
    return folder_of(root, domain) / MANIFEST


def newest_manifest(root: Path, domain: str | None) -> Path:
    """Return a manifest that nothing it was made from is newer than.

    Args:
        root: The mesh's folder.
        domain: Whose; None for the mesh's, which has every domain in it.

    Raises:
        BuildError: It has to be parsed, or parsed again.
    """
    path = manifest_of(root, domain)
    names = [domain] if domain else [MESH, *domain_names(root)]
    for name in names:
        Project(root, name).insist_on(path, Project(root, domain or MESH).command)
    return path


@dataclass(frozen=True)
class Project:
    """One dbt project of the mesh as it was parsed last.

    Args:
        root: The mesh's folder.
        name: The domain; "" for the root project.
    """

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return folder_of(self.root, self.name)

    @property
    def command(self) -> str:
        """How to parse it."""
        return f"cd domains/{self.name} && dbt parse" if self.name else "dbt parse"

    @cached_property
    def manifest(self) -> Manifest:
        """Its contracts, without the mesh's vocabulary: lint says what is wrong.

        Raises:
            BuildError: It has to be parsed, or parsed again.
        """
        path = self.folder / MANIFEST
        self.insist_on(path, self.command)
        return read_manifest(path)

    @cached_property
    def root_fields(self) -> Fields:
        """The manifest as dbt wrote it."""
        return Fields(artifact(self.folder / MANIFEST), self.name or "the mesh")

    def owners(self) -> tuple[Owner, ...]:
        """Return the owners of the project's own groups, in order of group.

        Raises:
            BuildError: It has to be parsed.
        """
        project = self.manifest.project
        groups = self.root_fields.block("groups")
        own = [
            groups.block(i)
            for i in sorted(groups.value)
            if groups.block(i).text("package_name") == project
        ]
        return tuple(read_owner(group) for group in own)

    def insist_on(self, path: Path, command: str) -> None:
        """Refuse a manifest that is missing, or older than this project's files.

        Raises:
            BuildError: It has to be made by the command.
        """
        if not path.is_file():
            raise self._unparsed("has not been parsed", command)
        if self._is_stale(path):
            raise self._unparsed("has changed since it was parsed", command)

    def _is_stale(self, path: Path) -> bool:
        """Whether a file that dbt reads is newer than what dbt has written."""
        parsed = path.stat().st_mtime
        return any(
            file.stat().st_mtime > parsed
            for pattern in _SOURCES
            for file in self.folder.glob(pattern)
            if file.is_file()
        )

    def _unparsed(self, what: str, command: str) -> BuildError:
        name = f"The domain {self.name}" if self.name else "The mesh's root project"
        return BuildError(f"{name} {what}.", remedy=f"Parse it: {command}")
