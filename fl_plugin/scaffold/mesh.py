"""Starts a mesh: the folder in which domains meet, and nothing of anybody's data."""

import re
from pathlib import Path

from fl_plugin.manifest.vocabulary import POLICY_FILE
from fl_plugin.policy.principals import PRINCIPALS_FILE
from fl_plugin.scaffold.names import check_name
from fl_plugin.scaffold.rendering import rendered
from fl_plugin.scaffold.shared import shared_files
from fl_plugin.scaffold.team import Team, team_of
from fl_plugin.scaffold.writing import make_folder

PURPOSE = "research"
_TEMPLATES = {
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".sqlfluff": "sqlfluff",
    ".sqlfluffignore": "sqlfluffignore",
    "dbt_project.yml": "dbt_project.yml",
    "packages.yml": "packages.yml",
    "profiles.yml": "profiles.yml",
    "selectors.yml": "selectors.yml",
    PRINCIPALS_FILE: "principals.yml",
    "data/.gitignore": "data_gitignore",
    "models/mesh_owner.yml": "mesh_owner.yml",
    "models/overview.md": "overview.md",
    POLICY_FILE: "mesh_policy.yml",  # it makes the folder a mesh, so it comes last
}


def new_mesh(
    folder: Path,
    name: str | None = None,
    *,
    purposes: tuple[str, ...] = (),
    consumers: tuple[str, ...] = (),
    team: Team | None = None,
) -> Path:
    """Make a mesh without domains, whole or not at all, and return its folder.

    Args:
        folder: Not there yet, or empty.
        name: Of the root project; the folder's unless it is named.
        purposes: Why data may be used; `research` unless any is named.
        consumers: Teams that will use products.
        team: Who keeps the common words.

    Raises:
        UsageError: Something is in the folder, or a name cannot be used.
        StorageError: The disk refused; nothing is left behind.
    """
    place = folder.resolve()
    called = check_name(name or _name_of(place), "mesh")
    teams = tuple(check_name(c, "consumer") for c in consumers)
    facts = {
        "name": called,
        "owner": team or team_of("mesh", name="Mesh governance"),
        "purposes": tuple(check_name(p, "purpose") for p in purposes) or (PURPOSE,),
        "consumers": teams,
        "consumer": next(iter(teams), "ml_team"),  # of the examples in README.md
    }
    files = {p: rendered(f"mesh/{t}", **facts) for p, t in _TEMPLATES.items()}
    make_folder(place, shared_files() | files)
    return place


def _name_of(folder: Path) -> str:
    return re.sub(r"[-. ]+", "_", folder.name.lower())
