"""CODEOWNERS says what the groups say."""

from collections.abc import Iterator
from pathlib import Path

from fl_plugin.contracts.check import Check, Finding
from fl_plugin.contracts.codeowners import FILE, Codeowners
from fl_plugin.errors import BuildError, ContractError


class OwnersFileCheck(Check):
    """A domain's files are the domain's to approve, so the file must be current."""

    name = "codeowners"

    def of_mesh(self, root: Path, only: str | None) -> Iterator[Finding]:
        """Compare the whole file, or one domain's lines."""
        try:
            problem = Codeowners(root).problem(only)
        except (BuildError, ContractError) as error:
            yield self.error(str(FILE), error.problem, error.remedy)
            return
        if problem:
            yield self.error(
                str(FILE), f"{problem}.", "Write it: fl contract codeowners --write"
            )
