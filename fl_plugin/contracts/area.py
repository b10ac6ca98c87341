"""`mesh.contracts`: the mesh's contracts, and what a change of them means."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from fl_plugin.contracts.accepting import Acceptance
from fl_plugin.contracts.approvals import Approval
from fl_plugin.contracts.approving import Yes, approve
from fl_plugin.contracts.check import Finding
from fl_plugin.contracts.codeowners import Codeowners
from fl_plugin.contracts.diff import ContractDiff, changes, of_pair
from fl_plugin.contracts.lint import lint
from fl_plugin.contracts.pairs import Comparison, Pair, compare
from fl_plugin.contracts.parsed import domain_names, manifest_of, newest_manifest
from fl_plugin.contracts.side import read_side
from fl_plugin.errors import MeshError, UsageError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.validation import closest
from fl_plugin.manifest.vocabulary import load_vocabulary


@dataclass(frozen=True)
class Contracts:
    """The contracts of the mesh in a folder."""

    root: Path

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
        both = self._comparison(base, head, domain, now or datetime.now(UTC))
        accept = Acceptance(root=self.root, today=both.now.date(), authors=authors)
        found = changes(both, accept)
        return ContractDiff(
            changes=found,
            base=both.base.manifest.fingerprint,
            head=both.head.manifest.fingerprint,
            notes=tuple(accept.notes),
        )

    def approve(
        self,
        base: Path,
        yes: Yes,
        *,
        head: Path | None = None,
        domain: str | None = None,
        product: str | None = None,
    ) -> tuple[Approval, ...]:
        """Record a steward's yes to what a change loosens; return what was recorded.

        Args:
            base: A manifest.json as it was.
            yes: Whose it is, and why.
            head: As it would be; None for what was parsed last here.
            domain: Only this one's products.
            product: Only this one, `<domain>.<model>`.

        Raises:
            PolicyError: It would not count.
            UsageError: Nothing is loosened.
            MeshError: A file cannot be read or written.
        """
        both = self._comparison(base, head, domain, yes.at or datetime.now(UTC))
        acceptance = Acceptance(root=self.root, today=both.now.date())
        pairs = [
            pair
            for pair in both.pairs
            if product in {None, pair.head.name} and _is_loosened(pair, both)
        ]
        if not pairs:
            raise UsageError(
                "No contract is loosened that an approval could cover.",
                remedy="See what has changed: fl contract diff --base MANIFEST",
            )
        return approve(self.root, pairs, yes, acceptance.judge)

    def lint(self, domain: str | None = None) -> tuple[Finding, ...]:
        """Return everything that is wrong with the contracts, the errors first.

        Raises:
            ContractError: mesh_policy.yml is not valid.
            UsageError: There is no such domain.
        """
        self._known(domain, domain_names(self.root))
        return lint(self.root, domain)

    @property
    def codeowners(self) -> Codeowners:
        """Who must look at a change of which file."""
        return Codeowners(self.root)

    def _comparison(
        self, base: Path, head: Path | None, domain: str | None, now: datetime
    ) -> Comparison:
        before = read_side(base)
        project, names = before.manifest.project, domain_names(self.root)
        if project in names and domain not in {None, project}:
            raise UsageError(
                f"The base is the manifest of {project}, not of {domain}.",
                remedy="Name a base of that domain, or of the whole mesh.",
            )
        own = project if project in names else None
        after = read_side(
            head or newest_manifest(self.root, own), load_vocabulary(self.root)
        )
        domain = domain or own
        self._known(domain, {*names, *before.manifest.domains, *after.manifest.domains})
        return self._with_studies(compare(before, after, domain, now))

    def _with_studies(self, both: Comparison) -> Comparison:
        """Add the mesh's studies where the manifests are one domain's."""
        if both.studies:
            return both
        try:
            known = read_manifest(manifest_of(self.root, None)).studies
        except MeshError:  # not parsed: the grants still say whom it touches
            return both
        return replace(both, studies=known)

    def _known(self, domain: str | None, names: Collection[str]) -> None:
        if domain is not None and domain not in names:
            raise UsageError(
                f"There is no domain {domain}.", remedy=closest(domain, names)
            )


def _is_loosened(pair: Pair, both: Comparison) -> bool:
    return any(change.verdict == "loosened" for change in of_pair(pair, both))
