"""Starts a domain: a dbt project with an owner, that builds alone."""

from dataclasses import dataclass
from pathlib import Path

from fl_plugin.errors import ContractError, UsageError
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.policy.principals import PRINCIPALS_FILE, principals_digest
from fl_plugin.scaffold.names import check_name
from fl_plugin.scaffold.rendering import rendered
from fl_plugin.scaffold.team import Team
from fl_plugin.scaffold.writing import make_folder

_TEMPLATES = {
    "profiles.yml": "profiles.yml",
    "node.yml": "node.yml",
    "data/.gitignore": "data_gitignore",
    "models/owner.yml": "owner.yml",
    "models/overview.md": "overview.md",
    "models/grants/README.md": "grants.md",
    "dbt_project.yml": "dbt_project.yml",  # it makes the folder a domain
}


@dataclass(frozen=True, kw_only=True)
class MadeDomain:
    """A domain that has just been made."""

    name: str
    folder: Path
    files: tuple[str, ...]


def new_domain(root: Path, name: str, team: Team) -> MadeDomain:
    """Make `domains/<name>`, whole or not at all.

    Raises:
        UsageError: The name cannot be used, or there is such a domain.
        StorageError: The disk refused; nothing is left behind.
    """
    check_name(name, "domain")
    if name == project_name(root):
        raise UsageError(
            f"{name} is the name of the mesh itself.",
            remedy=f"Choose another one, such as {name}_domain.",
        )
    folder = root / "domains" / name
    pinned = principals_digest(root) if (root / PRINCIPALS_FILE).is_file() else ""
    facts = {"name": name, "owner": team, "principals": pinned}
    files = {p: rendered(f"domain/{t}", **facts) for p, t in _TEMPLATES.items()}
    make_folder(folder, files)
    return MadeDomain(name=name, folder=folder, files=tuple(files))


def project_name(folder: Path) -> str:
    """Return the name of the dbt project in a folder.

    Raises:
        ContractError: There is none, or it has no name.
    """
    name = read_yaml(folder / "dbt_project.yml").get("name")
    if not isinstance(name, str):
        raise ContractError(
            f"{folder / 'dbt_project.yml'} says no name.",
            remedy="Write `name: ` and the project's name into it.",
        )
    return name
