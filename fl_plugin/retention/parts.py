"""Domains' own parts of vertical models: a part goes when its model does.

A part lies in its domain's folder, `models/<study>/<run>.part`; the registry has what
else is known of the model. A run that was ended between the two leaves parts of a
model that was never registered.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from fl_plugin.errors import RegistryError
from fl_plugin.party.matched.parts import FOLDER, place_of
from fl_plugin.registry.store import Listing
from fl_plugin.retention.found import Expired
from fl_plugin.retention.places import children, is_own, last_touched, remove

_PART = re.compile(r"([0-9]{8}t[0-9]{6}-[a-z0-9_-]{1,32}-[0-9a-f]{8})\.part")
_ASIDE = re.compile(rf"\.{_PART.pattern}\.[a-z0-9_]{{8}}")  # never renamed


def remove_parts(root: Path, domains: Iterable[str], study: str, run: str) -> None:
    """Remove what these domains keep of a model; what is gone already is no error.

    Raises:
        StorageError: A file is not the domain's own, or the disk refuses.
    """
    for domain in domains:
        try:
            part = place_of(root / "domains" / domain, study, run)
        except RegistryError:
            continue  # a name that no part can have
        remove(root, part)


@dataclass(frozen=True, kw_only=True)
class Orphans:
    """Looks for parts of models that were never registered.

    Args:
        root: The mesh's folder, links resolved.
        now: What time it is.
        listing: What its registry holds.
    """

    root: Path
    now: datetime
    listing: Listing

    def of_domain(self, name: str, hours: int) -> Iterator[Expired]:
        """Yield the parts of one domain that belong to no model, after some hours.

        Where the registry is elsewhere, or something in it cannot be read, nobody
        here knows which parts are needed: none is yielded.
        """
        for folder in children(self.root / "domains" / name / FOLDER):
            for file in children(folder):
                if not self._is_orphan(file):
                    continue
                if last_touched(file) + timedelta(hours=hours) > self.now:
                    continue
                yield Expired(
                    kind="intermediate",
                    path=file.relative_to(self.root),
                    why=f"Part of no model of the registry; not touched for {hours} "
                    "hours.",
                    domains=(name,),
                )

    def _is_orphan(self, file: Path) -> bool:
        if not is_own(self.root, file) or not file.is_file():
            return False
        if _ASIDE.fullmatch(file.name):
            return True
        part = _PART.fullmatch(file.name)
        if part is None or not is_own(self.root, self.root / "registry"):
            return False
        if (self.root / "runs" / part[1] / "journal").exists():
            return False  # its run can be resumed, and may register the model yet
        known = {e.run.run for e in self.listing.entries}
        return not self.listing.problems and part[1] not in known
