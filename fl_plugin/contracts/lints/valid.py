"""Every contract, grant and study can be read and keeps to the mesh's words."""

from collections.abc import Iterator

from fl_plugin.contracts.approvals import load_approvals
from fl_plugin.contracts.check import Check, Domain, Finding
from fl_plugin.errors import ContractError, MeshError
from fl_plugin.manifest.reader import contract_problems
from fl_plugin.policy.node import load_node


class ValidCheck(Check):
    """What cannot be read is refused by every domain, so it is an error here."""

    name = "valid"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Look at the manifest, then at the domain's own files."""
        for problem in contract_problems(domain.manifest, domain.vocabulary):
            yield self._told(domain.name, problem)
        for read in (load_node, load_approvals):
            try:
                read(domain.project.folder)
            except ContractError as problem:
                yield self._told(domain.name, problem)

    def _told(self, where: str, problem: MeshError) -> Finding:
        return self.error(where, problem.problem, problem.remedy)
