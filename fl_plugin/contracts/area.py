"""`mesh.contracts`: the mesh's contracts, and what a change of them means."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from fl_plugin.contracts.approvals import Approval, Judge, load_approvals
from fl_plugin.contracts.approving import Yes, approve
from fl_plugin.contracts.change import Change
from fl_plugin.contracts.diff import ContractDiff, changes, of_pair, ordered
from fl_plugin.contracts.pairs import Comparison, Pair, compare
from fl_plugin.contracts.side import Side, read_side
from fl_plugin.errors import MeshError, UsageError
from fl_plugin.manifest.types import Manifest
from fl_plugin.manifest.validation import closest
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.policy.node import load_node

MANIFEST = Path("target") / "manifest.json"


@dataclass(frozen=True)
class Contracts:
    """The contracts of the mesh in a folder."""

    root: Path

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that have a folder here."""
        folder = self.root / "domains"
        found = folder.iterdir() if folder.is_dir() else ()
        return tuple(sorted(d.name for d in found if (d / "node.yml").is_file()))

    def diff(
        self,
        base: Path,
        head: Path | None = None,
        *,
        domain: str | None = None,
        authors: Collection[str] = (),
        now: datetime | None = None,
    ) -> ContractDiff:
        """Return every change since a base manifest, with its verdict.

        Args:
            base: A manifest.json as it was: the mesh's, or one domain's.
            head: As it would be; None for what was parsed last here.
            domain: Look at this one only.
            authors: Who wrote the change: their own approval does not count.
            now: Decides which grants hold; None for this moment.

        Raises:
            BuildError: A manifest is missing or not readable.
            ContractError: mesh_policy.yml or a domain's approvals are not valid.
            UsageError: There is no such domain.
        """
        both = self.comparison(base, head, domain, now)
        found = list(changes(both))
        notes: list[str] = []
        for pair in both.pairs:
            mine = [c for c in found if _is_of(c, pair)]
            covered = _covered(pair, mine, self._judging(pair, authors, both), notes)
            found = [covered.get(id(c), c) for c in found]
        return ContractDiff(
            changes=ordered(found),
            base=both.base.manifest.fingerprint,
            head=both.head.manifest.fingerprint,
            notes=tuple(notes),
        )
