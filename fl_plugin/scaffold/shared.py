"""What every mesh shares and nobody copies by hand: macros, governance models, checks.

The repository's own folders are the only source; `shared/` holds links to them, which
the wheel resolves into files (docs/decisions/0006).
"""

import re
from pathlib import Path

from fl_plugin.errors import MeshError

FOLDER = Path(__file__).parent / "shared"
# Folder here: folder in a mesh.
PLACES = {"macros": "macros", "governance": "models/governance", "checks": "tests"}
# About the demo's data, or stricter than the contract format is.
DEMO_ONLY = frozenset(
    {"decode", "statlog_labels", "every_approval_is_by_two_stewards_of_the_owner"}
)
_ENTRY = re.compile(r"^  - name: (\w+)\n(?:    .*\n)*", re.MULTILINE)


def shared_files() -> dict[str, str]:
    """Return the shared files by their place in a mesh.

    Raises:
        MeshError: They are not there: the installation is broken.
    """
    found = {
        f"{place}/{path.relative_to(FOLDER / name)}": _text(path)
        for name, place in PLACES.items()
        for path in sorted((FOLDER / name).rglob("*"))
        if path.is_file() and path.stem not in DEMO_ONLY
    }
    missing = [p for p in PLACES.values() if not any(f.startswith(p) for f in found)]
    if missing:
        raise MeshError(
            f"This installation lacks what every mesh shares: {', '.join(missing)}.",
            remedy="Install the package again, from a wheel or a full checkout.",
        )
    return found


def _text(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".yml":
        return text
    return _ENTRY.sub(lambda m: "" if m[1] in DEMO_ONLY else m[0], text)
