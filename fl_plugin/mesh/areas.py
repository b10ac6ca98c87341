"""What can be done with a mesh beside learning, one area each.

`mesh.access`, `mesh.contracts`, ...: each is a small object of the room that does the
work, made when it is asked for, so that a mesh opens without importing all of them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fl_plugin.access.area import Access
    from fl_plugin.changes.changes import Changes
    from fl_plugin.contracts.area import Contracts
    from fl_plugin.contracts.discovered import Discovery
    from fl_plugin.contracts.exports import Exports
    from fl_plugin.mesh.building import Building
    from fl_plugin.mesh.exploring import Exploring
    from fl_plugin.mesh.policies import Policies
    from fl_plugin.mesh.scaffolding import Scaffolding
    from fl_plugin.mesh.signatures import Signatures
    from fl_plugin.quality.area import Quality
    from fl_plugin.retention.sweep import RetentionArea


class Areas:
    """The areas of the mesh in `root`."""

    root: Path

    @property
    def access(self) -> "Access":
        """Who asked for what, who may decide, and what has been decided."""
        from fl_plugin.access.area import Access  # noqa: PLC0415

        return Access(self.root)

    @property
    def contracts(self) -> "Contracts":
        """What contracts promise, and what a change of one means."""
        from fl_plugin.contracts.area import Contracts  # noqa: PLC0415

        return Contracts(self.root)

    @property
    def signatures(self) -> "Signatures":
        """What the domains have put their names to."""
        from fl_plugin.mesh.signatures import Signatures  # noqa: PLC0415

        return Signatures(self.root)

    @property
    def policies(self) -> "Policies":
        """What a policy says, and what it would allow."""
        from fl_plugin.mesh.policies import Policies  # noqa: PLC0415

        return Policies(self.root)

    @property
    def explore(self) -> "Exploring":
        """Rows of products that offer the use `query`, within grants."""
        from fl_plugin.mesh.exploring import Exploring  # noqa: PLC0415

        return Exploring(self.root)

    @property
    def changes(self) -> "Changes":
        """What has changed, and whom to tell."""
        from fl_plugin.changes.changes import Changes  # noqa: PLC0415

        return Changes(self.root)

    @property
    def quality(self) -> "Quality":
        """What the products are worth, beside what their contracts promise."""
        from fl_plugin.mesh.identity import actor  # noqa: PLC0415
        from fl_plugin.quality.area import Quality  # noqa: PLC0415

        return Quality(self.root, actor())

    @property
    def scaffold(self) -> "Scaffolding":
        """New domains, products and studies."""
        from fl_plugin.mesh.scaffolding import Scaffolding  # noqa: PLC0415

        return Scaffolding(self.root)

    @property
    def building(self) -> "Building":
        """Building the domains and the catalog over them."""
        from fl_plugin.mesh.building import Building  # noqa: PLC0415

        return Building(self.root)

    @property
    def exports(self) -> "Exports":
        """Contracts for other tools."""
        from fl_plugin.contracts.exports import Exports  # noqa: PLC0415

        return Exports(self.root)

    @property
    def discovery(self) -> "Discovery":
        """The built tables, and contracts proposed from them."""
        from fl_plugin.contracts.discovered import Discovery  # noqa: PLC0415

        return Discovery(self.root)

    @property
    def retention(self) -> "RetentionArea":
        """What is kept, and for how long."""
        from fl_plugin.mesh.identity import actor  # noqa: PLC0415
        from fl_plugin.retention.sweep import RetentionArea  # noqa: PLC0415

        return RetentionArea(self.root, actor())
