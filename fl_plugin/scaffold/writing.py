"""Files appear whole or not at all, and nothing that is there is overwritten.

A folder grows beside its place and one rename puts it there; an empty folder that is
there stays, since somebody may be in it, and is filled entry by entry. Files that go
into a folder that has others are all written aside before the first is linked to its
name, in an order in which every beginning is a project that dbt can still read.
"""

import codecs
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fl_plugin.errors import StorageError, UsageError

Files = Mapping[str, str | bytes | Path]  # by path below the folder; a Path is copied


def make_folder(folder: Path, files: Files) -> None:
    """Make a folder with files.

    Args:
        folder: Not there yet, or empty.
        files: What tells others that the folder is complete comes last.

    Raises:
        UsageError: Something is there already.
        StorageError: The disk refused; nothing is left behind.
    """
    _refuse_taken(folder)
    empty = folder.is_dir()
    with _aside(folder if empty else folder.parent, folder.name) as draft:
        for name, content in files.items():
            _write(draft / name, content)
        if empty:
            _fill(folder, draft, files)
            return
        draft.chmod(0o755)  # what `mkdir` would have given, where `mkdtemp` gives 700
        draft.rename(folder)


def add_files(folder: Path, files: Files) -> None:
    """Put new files into a folder, in their order.

    Raises:
        UsageError: One of them is there already.
        StorageError: The disk refused; those that had their name have lost it again.
    """
    taken = [name for name in files if os.path.lexists(folder / name)]
    if taken:
        raise UsageError(
            f"{folder.name} has these files already: {', '.join(taken)}.",
            remedy="Choose another name, or move the files away.",
        )
    placed: list[Path] = []
    with _aside(folder, "files") as draft:
        for name, content in files.items():
            _write(draft / name, content)
        try:
            for name in files:
                _make_parent(folder, name)
                os.link(draft / name, folder / name)
                placed.append(folder / name)
        except OSError:
            for path in placed:
                path.unlink(missing_ok=True)
            raise


def replace_text(path: Path, text: str) -> None:
    """Replace a file's text in one step.

    Raises:
        StorageError: The disk refused; the file is as it was.
    """
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    with _aside(path.parent, path.name) as draft:
        _write(draft / path.name, text)
        (draft / path.name).chmod(mode)
        (draft / path.name).replace(path)


def _refuse_taken(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir() or any(folder.iterdir()):
        raise UsageError(
            f"{folder} is there already and is not an empty folder.",
            remedy="Choose another place, or move away what is there.",
        )


def _fill(folder: Path, draft: Path, files: Files) -> None:
    """Move what is in the draft up into its folder, or nothing."""
    moved: list[Path] = []
    try:
        # By the last file below each entry, so that what comes last does come last.
        backwards = dict.fromkeys(Path(name).parts[0] for name in reversed(list(files)))
        for name in reversed(backwards):
            (draft / name).rename(folder / name)
            moved.append(folder / name)
    except OSError:
        for path in moved:
            path.rename(draft / path.name)
        raise


def _make_parent(folder: Path, name: str) -> None:
    parent = (folder / name).parent
    if not parent.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"{Path(name).parent} in {folder.name} leads out of the domain's folder.",
            remedy="Replace the link by a real folder; nothing is written outside.",
        )
    parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def _aside(folder: Path, name: str) -> Iterator[Path]:
    """Give a folder on the same disk, gone afterwards unless it was renamed."""
    draft = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
        yield draft
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written ({error.strerror or type(error).__name__}).",
            remedy="Free space or fix its permissions; nothing has been changed.",
        ) from None
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _copy(source: Path, file: IO[bytes]) -> None:
    """Copy bytes, without a byte order mark: DuckDB fails on one before a quote."""
    with source.open("rb") as content:
        if content.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            content.seek(0)
        shutil.copyfileobj(content, file)


def _write(path: Path, content: str | bytes | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        if isinstance(content, Path):
            _copy(content, file)
        else:
            file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
