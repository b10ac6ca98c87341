"""Names that become folders: a short alphabet, and a path that stays inside."""

import re
from pathlib import Path

from fl_plugin.errors import RegistryError

_NAME = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_VERSION_FOLDER = re.compile(r"v([1-9][0-9]{0,8})", re.ASCII)


def study_folder(root: Path, study: str) -> Path:
    """Return `<root>/<study>`; neither it nor the root may lead elsewhere.

    Raises:
        RegistryError: The name is not a name, or a link stands in the way.
    """
    if not _NAME.fullmatch(study):
        raise RegistryError(
            "A study's name is 1 to 64 of a-z, 0-9, _ and -.",
            remedy="Name it as `models` lists it.",
        )
    return inside(root, root / study)


def version_folder(root: Path, study: str, version: int) -> Path:
    """Return `<root>/<study>/v<version>`, checked like `study_folder`."""
    folder = study_folder(root, study)
    return inside(root, folder / f"v{version}")


def version_of(folder: Path) -> int | None:
    """Return the number in `v<number>`, or None for any other name."""
    match = _VERSION_FOLDER.fullmatch(folder.name)
    return int(match[1]) if match else None


def inside(root: Path, path: Path) -> Path:
    """Return `path`, unless a link on it below the root leads anywhere.

    Raises:
        RegistryError: A link stands between the root and the path's end.
    """
    if path.resolve() != root.resolve() / path.relative_to(root):
        raise RegistryError(
            f"{path.relative_to(root)} in the registry is a link.",
            remedy="Replace it by the real folder; the registry follows no link.",
        )
    return path
