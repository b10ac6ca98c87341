"""What a domain's own files say, read again as soon as one of them may have changed.

A run of boosting asks a domain for thousands of releases, and each is decided by the
files as they are at that moment. Whether they are still what was read last is told by
the kernel: by what it knows of each file, its time of change above all, which nobody
can set back. A file that changed shortly before it was read is read again: a second
change within one tick of the kernel's clock would not show.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.manifest.types import Grant, Product
from fl_plugin.manifest.vocabulary import POLICY_FILE
from fl_plugin.policy.node import NODE_FILE
from fl_plugin.policy.permissions.permission import PERMISSIONS_FILE
from fl_plugin.policy.principals import PRINCIPALS_FILE
from fl_plugin.policy.signed_contracts import SIGNATURES_FILE
from fl_plugin.policy.types import Node, Request

# Coarser than the clock of any file system (FAT: two seconds).
SETTLED_NS = 3_000_000_000
MOST_KEPT = 16

Mark = tuple[int, int, int, int, int] | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Everything that a decision takes from files.

    Args:
        product: None where the domain has no such product any more.
        grants: All of the domain's.
        mesh_min_cohort: The mesh's floor.
    """

    node: Node
    product: Product | None
    grants: tuple[Grant, ...]
    contract_signed: bool
    policy_fingerprint: str
    manifest_fingerprint: str
    mesh_min_cohort: int


class Watch:
    """Remembers what was read of a domain's files, and from which state of them.

    Args:
        folder: The domain's.
    """

    def __init__(self, folder: Path) -> None:
        mesh = folder.parent.parent
        own = (NODE_FILE, PERMISSIONS_FILE, SIGNATURES_FILE, "target/manifest.json")
        files = [folder / name for name in own]
        files += [mesh / POLICY_FILE, mesh / PRINCIPALS_FILE]
        self._files = tuple(map(str, files))
        self._kept: dict[object, tuple[tuple[Mark, ...], Standing]] = {}

    def standing(self, request: Request, read: Callable[[], Standing]) -> Standing:
        """Return what the files say now; `read` where that may be something new."""
        key = (request.product, request.version)
        now = tuple(map(_mark, self._files))
        kept = self._kept.get(key)
        if kept is not None and kept[0] == now:
            return kept[1]
        self._kept.pop(key, None)
        begun = time.time_ns()
        found = read()
        if _settled(now, begun) and tuple(map(_mark, self._files)) == now:
            self._kept[key] = (now, found)
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return found


def _mark(file: str) -> Mark:
    """Return what tells a file's states apart; None where there is none to be seen."""
    try:
        found = os.stat(file)  # noqa: PTH116 at every release: a Path costs ten times it
    except OSError:  # whoever reads it says what is wrong with it
        return None
    return (
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def _settled(marks: tuple[Mark, ...], now: int) -> bool:
    return all(max(m[3], m[4]) + SETTLED_NS < now for m in marks if m is not None)
