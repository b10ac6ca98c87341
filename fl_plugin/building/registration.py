"""Lists a domain in the root project: as a package, and as a database to look into.

Only descriptions are registered. The files are edited as text, so that comments and
order stay, and the result is read before it is written: an edit that says anything
else than one domain more is not made.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fl_plugin.errors import ContractError, StorageError
from fl_plugin.files import whole
from fl_plugin.manifest.yaml_files import read_yaml

PACKAGES, PROFILES = "packages.yml", "profiles.yml"


@dataclass(frozen=True)
class _Entry:
    """One more item of a list in a YAML file.

    Args:
        keys: Where the list stands, from the top.
        item: What it says; each key with its value is one line.
    """

    file: Path
    keys: tuple[str, ...]
    item: dict[str, Any]

    @property
    def lines(self) -> list[str]:
        """The item as YAML, not indented."""
        said = [
            f"{key}: {yaml.safe_dump(v).split()[0]}" for key, v in self.item.items()
        ]
        return [f"- {said[0]}", *(f"  {line}" for line in said[1:])]


def register(root: Path, domain: str) -> tuple[str, ...]:
    """List a domain where it is missing, and return the files that were changed.

    Its database is listed once there is one: dbt cannot open what is not there.

    Raises:
        ContractError: A file is not valid, or cannot be edited.
        StorageError: The disk refused; the file is as it was.
    """
    place = f"domains/{domain}"
    package = _Entry(root / PACKAGES, ("packages",), {"local": place})
    wanted = [package]
    if (root / place / "data" / f"{domain}.duckdb").is_file():
        path = f"{place}/data/{domain}.duckdb"
        item = {"path": path, "alias": domain, "read_only": True}
        wanted.append(_Entry(root / PROFILES, _attached_at(root), item))
    with _alone(root):
        return tuple(entry.file.name for entry in wanted if _add(entry))


def unreadable(root: Path) -> tuple[str, ...]:
    """Return the databases that the root project opens and that are not there."""
    found = read_yaml(root / PROFILES)
    listed = _list_at(found, _attached_at(root)) or []
    paths = [entry.get("path") for entry in listed if isinstance(entry, dict)]
    return tuple(
        path for path in paths if isinstance(path, str) and not (root / path).is_file()
    )


def linked(root: Path) -> bool:
    """Return whether `dbt deps` has nothing to do: every package is this mesh's."""
    listed = _list_at(read_yaml(root / PACKAGES), ("packages",)) or []
    wanted = {str(entry.get("local")) for entry in listed if isinstance(entry, dict)}
    packages = root / "dbt_packages"
    there = {p.name: p.resolve() for p in packages.glob("*")}
    return (root / "package-lock.yml").is_file() and there == {
        Path(path).name: (root / path).resolve() for path in wanted
    }


def _attached_at(root: Path) -> tuple[str, ...]:
    profile = str(read_yaml(root / "dbt_project.yml").get("profile"))
    about = read_yaml(root / PROFILES).get(profile)
    target = about.get("target") if isinstance(about, dict) else None
    return (profile, "outputs", str(target), "attach")


def _add(entry: _Entry) -> bool:
    """Add an item that is not there; return whether the file was changed."""
    before = read_yaml(entry.file)
    listed = _list_at(before, entry.keys)
    if listed is None:
        raise _by_hand(entry)
    name = next(iter(entry.item))
    if any(isinstance(i, dict) and i.get(name) == entry.item[name] for i in listed):
        return False
    text = _with_item(entry.file.read_text(encoding="utf-8"), entry)
    if text is None or not _says_one_more(text, before, entry):
        raise _by_hand(entry)
    _replace(entry.file, text)
    return True


def _list_at(found: Any, keys: tuple[str, ...]) -> list[Any] | None:
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, list) else None


def _with_item(text: str, entry: _Entry) -> str | None:
    """Return the text with the item in its place; None where that is not plain."""
    lines = text.splitlines()
    key = re.compile(rf"( *){entry.keys[-1]}:( *\[\])?( +#.*)?")
    found = [(n, m) for n, m in enumerate(map(key.fullmatch, lines)) if m]
    if len(found) != 1:
        return None
    at, match = found[0]
    if match[2]:
        lines[at] = f"{match[1]}{entry.keys[-1]}:{match[3] or ''}"
        indent, place = f"{match[1]}  ", at + 1
    else:
        indent, place = _place(lines, at, entry.lines[0])
    lines[place:place] = [f"{indent}{line}" for line in entry.lines]
    return "\n".join(lines) + "\n"


def _place(lines: list[str], at: int, first: str) -> tuple[str, int]:
    """Return the indent of the list's items, and the line before which ours comes."""
    items = [n for n in range(at + 1, len(lines)) if lines[n].lstrip().startswith("- ")]
    if not items:
        return "", at + 1
    indent = lines[items[0]][: len(lines[items[0]]) - len(lines[items[0]].lstrip())]
    end = items[0]
    for number in range(items[0], len(lines)):
        line = lines[number]
        if line.strip() and not line.startswith(f"{indent}- ", 0, len(indent) + 2):
            if not line.startswith(f"{indent} "):
                break
        elif line.strip() and line.strip() > first:
            return indent, number
        if line.strip():
            end = number + 1
    return indent, end


def _says_one_more(text: str, before: dict[str, Any], entry: _Entry) -> bool:
    try:
        after = yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    listed = _list_at(after, entry.keys)
    if listed is None or entry.item not in listed:
        return False
    listed.remove(entry.item)
    return bool(after == before)


def _by_hand(entry: _Entry) -> ContractError:
    said = ", ".join(line.strip(" -") for line in entry.lines)
    return ContractError(
        f"{entry.file.name} is not written plainly enough to be edited.",
        remedy=f"Add one item to its list {'.'.join(entry.keys)} yourself: {said}.",
    )


def _replace(path: Path, text: str) -> None:
    """Replace a file in one step; its mode stays."""
    try:
        with whole(path, mode=path.stat().st_mode) as file:
            file.write(text.encode())
    except OSError as error:
        raise StorageError(
            f"{path.name} cannot be written ({error.strerror}).",
            remedy="Free space or fix its permissions; the file is as it was.",
        ) from None


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keep two who register at the same time from losing each other's line."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
