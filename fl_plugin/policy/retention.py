"""`retention.yml`: how long a mesh, or a domain of it, keeps what it writes."""

from pathlib import Path

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import Count, Days
from fl_plugin.manifest.yaml_files import read_yaml

RETENTION_FILE = "retention.yml"


class Retention(ContractBlock):
    """The words of the file. A word that is left out keeps its default.

    Args:
        intermediate_hours: Drafts, spools and files written aside by what was ended
            in the middle.
        logs_days: What dbt and builds have logged.
        outbox_days: Events and dead letters.
        published_days: The catalog's site and the published profile, unless renewed.
        runs_days: What a run that has not ended can be resumed from: its folder at the
            coordinator, its messages and secret in a domain's ledger.
        models_days: Models; None leaves it to the products they were trained on.
    """

    intermediate_hours: Count = 24
    logs_days: Days = 30
    outbox_days: Days = 90
    published_days: Days = 365
    runs_days: Days = 30
    models_days: Days | None = None

    def with_stricter(self, other: "Retention") -> "Retention":
        """Return the shorter of each time."""
        mine, theirs = self.model_dump(), other.model_dump()
        shortest = {
            name: min((t for t in (mine[name], theirs[name]) if t), default=None)
            for name in mine
        }
        return Retention.model_validate(shortest)


def load_retention(root: Path, domain: str | None = None) -> Retention:
    """Return the mesh's times, or those of a domain, which may only be shorter.

    Raises:
        ContractError: A file is not valid.
    """
    mesh = _read(root / RETENTION_FILE)
    if domain is None:
        return mesh
    return mesh.with_stricter(_read(root / "domains" / domain / RETENTION_FILE))


def _read(file: Path) -> Retention:
    if not file.exists() and not file.is_symlink():
        return Retention()
    return validated(Retention, read_yaml(file), str(file))
