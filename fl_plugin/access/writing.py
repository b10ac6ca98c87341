"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from fl_plugin.errors import ContractError, StorageError, UsageError
from fl_plugin.manifest.yaml_files import read_yaml


@contextmanager
def staged(path: Path, text: str) -> Iterator[Path]:
    """Give the path of a file beside `path` that holds the text, safe on disk.

    Whoever wants it renames it; what is left of it is removed. dbt does not read it:
    its name does not end like a YAML file.

    Raises:
        StorageError: The folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".aside"
        )
    except OSError:
        raise _unwritable(path) from None
    aside = Path(name)
    try:
        _fill(handle, path, text)
        yield aside
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def again(aside: Path) -> dict[str, Any] | None:
    """Return what a staged YAML file says; None where it is no such file any more."""
    try:
        return read_yaml(aside)
    except ContractError:
        return None


def put(aside: Path, path: Path) -> None:
    """Rename a staged file over the one it replaces.

    Raises:
        StorageError: The folder cannot be written; the file is as it was.
    """
    try:
        aside.replace(path)
        _flush(path.parent)
    except OSError:
        raise _unwritable(path) from None


def create_all(files: Mapping[Path, str]) -> None:
    """Write new files, all or none; one that exists is never overwritten.

    Raises:
        UsageError: One of them appeared meanwhile.
        StorageError: One of them cannot be written.
    """
    made: list[Path] = []
    with ExitStack() as stack:
        asides = {p: stack.enter_context(staged(p, text)) for p, text in files.items()}
        try:
            for path, aside in asides.items():
                _link(aside, path)
                made.append(path)
        except BaseException:
            for path in made:
                with suppress(OSError):
                    path.unlink()
            raise


def _fill(handle: int, path: Path, text: str) -> None:
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            # mkstemp gives 0600; a file of the repository keeps the mode it had.
            mode = path.stat().st_mode if path.exists() else 0o644
            os.fchmod(file.fileno(), mode & 0o777)
            os.fsync(file.fileno())
    except OSError:
        raise _unwritable(path) from None


def _link(aside: Path, path: Path) -> None:
    try:
        os.link(aside, path)
        _flush(path.parent)
    except FileExistsError:
        raise UsageError(
            f"{path.name} has appeared meanwhile, and is not overwritten.",
            remedy="Run the command again; it takes the next free name.",
        ) from None
    except OSError:
        raise _unwritable(path) from None


def _flush(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _unwritable(path: Path) -> StorageError:
    return StorageError(
        f"{path.name} cannot be written in {path.parent.name}/.",
        remedy="Give this user the right to write there, and free some space.",
    )
