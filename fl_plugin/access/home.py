"""A domain's folder, as whoever asks for its data or decides about it finds it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.errors import BuildError, UsageError
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest
from fl_plugin.manifest.validation import closest, shown
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.policy.node import NODE_FILE, load_node
from fl_plugin.policy.types import Node

GRANTS_FOLDER = "models/grants"


@dataclass(frozen=True)
class Home:
    """The folder of a domain that exists; made by `home_of` and `homes`.

    Args:
        root: The mesh's folder.
        name: The domain, as its folder is called.
    """

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        """`domains/<name>`."""
        return self.root / "domains" / self.name

    @property
    def grants(self) -> Path:
        """Where its grants stand."""
        return self.folder / GRANTS_FOLDER

    @property
    def ledger(self) -> Path:
        """Where its ledger is, on the machine that has it."""
        return self.folder / "ledger" / "ledger.sqlite"

    def node(self) -> Node:
        """Return its pinned settings."""
        return load_node(self.folder)

    def manifest(self) -> Manifest:
        """Return its own manifest, as its last build left it.

        Raises:
            BuildError: It is not built.
        """
        return read_manifest(self._manifest, load_vocabulary(self.root))

    def fresh_manifest(self) -> Manifest:
        """Return its manifest, if no contract was edited since it was written.

        Raises:
            BuildError: It is not built, or a file is newer: nobody can approve a policy
                that the domain does not decide by yet.
        """
        found = self.manifest()
        built = self._manifest.stat().st_mtime_ns
        for file in self._contracts():
            if file.stat().st_mtime_ns > built:
                name = file.relative_to(self.folder)
                raise BuildError(
                    f"{self.name}: {shown(name)} was changed after the last build.",
                    remedy=f"Build it first: cd domains/{self.name} && dbt build",
                )
        return found

    def runs_here(self) -> bool:
        """Return whether this machine holds the domain's data, and so its ledger.

        Elsewhere, in a steward's clone of the repository say, a ledger begun now would
        be one that nobody reads.
        """
        return self.ledger.exists() or (self.folder / self.node().database).exists()

    def revoked(self) -> frozenset[str]:
        """Return the approvals its ledger has ended; none where it is elsewhere."""
        if not self.ledger.exists():
            return frozenset()
        with Ledger.open(self.ledger, write=False) as ledger:
            return ledger.revoked()

    @property
    def _manifest(self) -> Path:
        return self.folder / "target" / "manifest.json"

    def _contracts(self) -> Iterator[Path]:
        """Yield the files that a product's policy is made of."""
        yield self.folder / "dbt_project.yml"
        for kind in ("*.yml", "*.yaml"):
            for file in sorted((self.folder / "models").rglob(kind)):
                if not file.is_relative_to(self.grants) and file.is_file():
                    yield file


def homes(root: Path) -> tuple[Home, ...]:
    """Return every domain of a mesh, in order of name."""
    found = sorted((root / "domains").glob(f"*/{NODE_FILE}"))
    return tuple(Home(root, file.parent.name) for file in found)


def home_of(root: Path, domain: str) -> Home:
    """Return one domain; its name never becomes a path before it is known.

    Raises:
        UsageError: There is no such domain.
    """
    known = {home.name: home for home in homes(root)}
    if domain not in known:
        raise UsageError(
            f"There is no domain {shown(domain)}.", remedy=closest(domain, known)
        )
    return known[domain]


def chosen(root: Path, domain: str | None) -> tuple[Home, ...]:
    """Return one domain, or all of them."""
    return homes(root) if domain is None else (home_of(root, domain),)
