"""Building a mesh from Python."""

from dataclasses import dataclass
from pathlib import Path

from fl_plugin.building.build import Built, Listener, Order, build, failure_of


def _silent(part: Built) -> None:
    """Listen to nothing."""


@dataclass(frozen=True)
class Building:
    """Builds the mesh in `root`; it may be repeated at any time."""

    root: Path

    def build(
        self, order: Order | None = None, listener: Listener = _silent
    ) -> tuple[Built, ...]:
        """Build domains, the mesh over them and the catalog; see `failure_of`.

        Raises:
            UsageError: There is no such domain.
            BuildError: dbt is not installed.
            ContractError: A domain cannot be registered.
        """
        return build(self.root, order or Order(), listener)


__all__ = ["Building", "Built", "Order", "failure_of"]
