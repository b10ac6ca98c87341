"""Paths that may be looked at and removed: inside the mesh, never through a link."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fl_plugin.errors import StorageError


def is_own(root: Path, path: Path) -> bool:
    """Tell whether a path exists, lies in the mesh and is reached through no link."""
    try:
        below = path.relative_to(root)
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return False
    if ".." in below.parts or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return False
    return path.resolve() == root.resolve() / below


def children(folder: Path) -> Iterator[Path]:
    """Yield the files and folders in a folder, by name; no links, nothing special."""
    try:
        with os.scandir(folder) as found:
            names = sorted(
                entry.name
                for entry in found
                if not entry.is_symlink()
                and (
                    entry.is_file(follow_symlinks=False)
                    or entry.is_dir(follow_symlinks=False)
                )
            )
    except OSError:
        return
    yield from (folder / name for name in names)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file and folder below a folder, without following a link."""
    for child in children(folder):
        yield child
        if child.is_dir():
            yield from files_below(child)


def last_touched(path: Path) -> datetime:
    """Return when a file, or anything in a folder, was written last."""
    times = [path.lstat().st_mtime]
    if path.is_dir():
        times += [below.lstat().st_mtime for below in files_below(path)]
    return datetime.fromtimestamp(max(times), tz=UTC)


def remove(root: Path, path: Path) -> None:
    """Remove a file, or a folder with what is in it; a link in it, not what it names.

    What is gone already is no error: another process, or an earlier try, was first.

    Raises:
        StorageError: It does not lie in the mesh, or the disk refuses.
    """
    if not path.is_symlink() and not path.exists():
        return
    if not is_own(root, path):
        raise StorageError(
            f"{path.name} is not the mesh's to remove: it is a link or lies elsewhere.",
            remedy="Look at it and remove it by hand.",
        )
    try:
        if path.is_dir():
            shutil.rmtree(path)  # refuses links, also one that appears meanwhile
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path.relative_to(root)} cannot be removed ({error.strerror}).",
            remedy="Give this user the right to write its folder, then try again.",
        ) from None
