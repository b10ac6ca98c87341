"""CODEOWNERS from the groups' owners and stewards: a domain's files are its own.

The last line that fits a file counts, so the mesh's owner comes first and each domain
after it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.contracts.approving import write_text
from fl_plugin.contracts.parsed import MESH, Project, domain_names
from fl_plugin.errors import ContractError
from fl_plugin.manifest.types import Owner

FILE = Path(".github") / "CODEOWNERS"
LARGEST = 3_000_000  # a code host ignores a larger file
_HEADER = """\
# Made by `fl contract codeowners --write` from the owners and stewards of dbt's groups;
# do not edit. `fl contract lint` fails when it is stale. The last line to fit counts.
"""
# What holds for every domain: words and floors, who there is, the shared SQL, the
# program, and this file.
_ROOT_FILES = (
    "*",
    "/mesh_policy.yml",
    "/principals.yml",
    "/dbt_project.yml",
    "/models/",
    "/macros/",
    "/.github/",
)
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\Z")


@dataclass(frozen=True)
class Codeowners:
    """The file of a mesh, as it should be and as it is."""

    root: Path

    def text(self) -> str:
        """Return what the file should hold.

        Raises:
            BuildError: A domain, or the root project, has to be parsed.
            ContractError: A group has no address that a code host could use.
        """
        blocks = [_HEADER, self.block(MESH)]
        blocks += [self.block(name) for name in domain_names(self.root)]
        return "\n".join(blocks)

    def block(self, domain: str) -> str:
        """Return the lines of one domain, or of the root project for ""."""
        people = " ".join(_people(domain, Project(self.root, domain).owners()))
        if domain == MESH:
            return _lines("What all domains share", _ROOT_FILES, people)
        # Contracts, grants, node.yml, permissions, signatures and approvals.
        return _lines(domain, [f"/domains/{domain}/"], people)

    def problem(self, domain: str | None = None) -> str:
        """Return what is wrong with the file; "" where nothing is.

        Args:
            domain: Look at this domain's lines only; None for the whole file.

        Raises:
            MeshError: The owners cannot be read.
        """
        found = self._found()
        if found is None:
            return f"{FILE} is missing"
        if domain is None:
            return "" if found == self.text() else f"{FILE} is stale"
        wanted = self.block(domain)
        fits = f"\n{wanted}" in found and _is_last(found, domain, wanted)
        return "" if fits else f"{FILE} is stale: {domain}"

    def write(self) -> Path:
        """Write the file aside and rename it.

        Raises:
            MeshError: The owners cannot be read, or the file cannot be written.
        """
        file = self.root / FILE
        write_text(file, self.text())
        return file

    def _found(self) -> str | None:
        try:
            with (self.root / FILE).open("rb") as file:
                return file.read(LARGEST).decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return None


def _is_last(found: str, domain: str, wanted: str) -> bool:
    """Return whether no later line takes the domain's files away again."""
    after = found.partition(f"\n{wanted}")[2]
    known = re.compile(r"(#.*|/domains/(?P<name>[a-z0-9_-]+)/ .*|)\Z")
    for line in after.splitlines():
        fits = known.match(line)
        if fits is None or fits["name"] == domain:
            return False
    return True


def _lines(title: str, paths: Iterable[str], people: str) -> str:
    return f"# {title}\n" + "".join(f"{path} {people}\n" for path in paths)


def _people(domain: str, owners: tuple[Owner, ...]) -> Iterator[str]:
    """Yield every address once, in order, however it is spelled in the groups."""
    found = {
        address.strip().lower()
        for owner in owners
        for address in (owner.email, *owner.stewards)
        if address.strip()
    }
    where = f"The domain {domain}" if domain else "The mesh's root project"
    if not found:
        raise ContractError(
            f"{where} has no owner and no steward with an address.",
            remedy="Add `owner: {email: ..., stewards: [...]}` to its dbt group.",
        )
    if not all(_ADDRESS.match(address) for address in found):
        raise ContractError(
            f"{where} has an owner or a steward whose address is not a plain one.",
            remedy="Use addresses such as steward.consumer@bank.example.",
        )
    yield from sorted(found)
