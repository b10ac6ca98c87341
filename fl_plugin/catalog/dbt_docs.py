"""Runs `dbt docs generate` and explains what went wrong, without importing dbt."""

import json
import re
from pathlib import Path

from fl_plugin.dbt_program import find_dbt, run_dbt
from fl_plugin.errors import BuildError, MeshError, StorageError
from fl_plugin.manifest.validation import shown

_SECONDS = 300
_DOMAIN_FILE = re.compile(r"domains/([a-z0-9_-]{1,64})/")
_LOCKED = ("lock on file", "being used by another process", "unique file handle")
_MISSING = (
    "does not exist",
    "no such file",
    "cannot open database",
    "cannot open file",
)
_FRAME = ("[", "Encountered")  # around what went wrong, and not about it
_DAMAGED = ("not a valid duckdb", "corrupt", "serialization error")


def generate_docs(root: Path, target: Path) -> None:
    """Write dbt's page, manifest.json and catalog.json for a project into a folder.

    The folder is not the project's own target/: where one domain's file is locked,
    dbt overwrites catalog.json with an empty one before it fails.

    Raises:
        BuildError: dbt is missing, the project does not parse, a domain is not built.
        StorageError: A domain's file is locked or damaged.
    """
    dbt = find_dbt()
    packages = root / "packages.yml"
    if packages.is_file() and not (root / "dbt_packages").is_dir():
        _run([dbt, *_QUIET, "deps"], root)
    logs = ["--log-path", str(target / "logs")]
    target_path = ["--target-path", str(target)]
    _run([dbt, *_QUIET, *logs, "docs", "generate", *target_path], root)
    if not _nodes(target / "catalog.json"):
        raise BuildError(
            "dbt wrote a catalog without a single table.",
            remedy="Build the domains first: cd domains/<domain> && dbt build",
        )


_QUIET = ("--quiet", "--no-version-check", "--no-use-colors")


def _run(command: list[str], root: Path) -> None:
    by_hand = _by_hand(command, root)
    said = run_dbt(command, root, limit=_SECONDS, by_hand=by_hand)
    if not said.ok:
        raise explained(said.output, by_hand)


def explained(output: str, by_hand: str) -> MeshError:
    """Return the error that dbt's output is about, naming the domain it names."""
    told = output.casefold()
    named = _DOMAIN_FILE.search(output)
    domain = named[1] if named else ""
    build = f"Build it first: cd domains/{domain} && dbt build"
    if any(sign in told for sign in _LOCKED):
        return StorageError(
            f"{domain or 'A domain'}: its database file is locked by another process.",
            remedy="Wait for that process (a `dbt build`, a notebook) to end, then try "
            "again. The catalog is as it was.",
        )
    if domain and any(sign in told for sign in _DAMAGED):
        return StorageError(
            f"{domain}: its database file is damaged, or no DuckDB file.",
            remedy=f"Move the file away. {build}",
        )
    if domain and any(sign in told for sign in _MISSING):
        return BuildError(f"{domain} is not built.", remedy=build)
    return BuildError(
        f"dbt could not describe the mesh: {_first_error(output)}",
        remedy=f"See all of what it says: {by_hand}",
    )


def _first_error(output: str) -> str:
    lines = (line.strip() for line in output.splitlines())
    said = [line for line in lines if line and not line.startswith(_FRAME)]
    start = next((i for i, line in enumerate(said) if "Error" in line), 0)
    words = " ".join(said[start : start + 4]) or "it gave no reason"
    return f"{' '.join(shown(part) for part in words.split())[:200]}."


def _by_hand(command: list[str], root: Path) -> str:
    verb = "deps" if command[-1] == "deps" else "docs generate"
    return f"cd {root} && dbt {verb}"


def _nodes(catalog: Path) -> bool:
    try:
        return bool(json.loads(catalog.read_bytes())["nodes"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
