"""New parts of a mesh, made and registered at once."""

from dataclasses import dataclass
from pathlib import Path

from fl_plugin.building.registration import register
from fl_plugin.scaffold.domain import MadeDomain, new_domain
from fl_plugin.scaffold.product import MadeProduct, Wanted, new_product
from fl_plugin.scaffold.study import MadeStudy, Question, new_study
from fl_plugin.scaffold.team import Team, team_of


@dataclass(frozen=True)
class Scaffolding:
    """Makes new parts of the mesh in `root`; nothing that is there is overwritten."""

    root: Path

    def domain(self, name: str, team: Team | None = None) -> MadeDomain:
        """Make a domain and list it in the root project.

        Args:
            name: Plain snake_case.
            team: Who answers for it; stand-ins unless it is given.

        Raises:
            UsageError: The name cannot be used, or there is such a domain.
            ContractError: packages.yml cannot be edited.
            StorageError: The disk refused.
        """
        made = new_domain(self.root, name, team or team_of(name))
        register(self.root, name)
        return made

    def product(self, name: str, wanted: Wanted | None = None) -> MadeProduct:
        """Make a product, `<domain>.<product>`, as a draft that allows nobody.

        Raises:
            UsageError: A name, the file or a column cannot be used.
            StorageError: The disk refused.
        """
        return new_product(self.root, name, wanted or Wanted())

    def study(self, name: str, question: Question) -> MadeStudy:
        """Make a study of products that their domains have built.

        Raises:
            UsageError: A name is not known or cannot be used.
            BuildError: A domain is not built.
            StorageError: The disk refused.
        """
        return new_study(self.root, name, question)
