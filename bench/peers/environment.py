"""An environment of its own for each peer, made when it is first needed.

It lives in the user's cache, named after the digest of its requirements file, so that
a change of versions makes a new one. Requirements are pinned and complete, and are
installed without looking for more: XGBoost's wheel would bring 300 MB for graphics
cards otherwise.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_MADE = "made.json"
_PATIENCE = 900.0  # seconds for downloading


class PeerUnavailableError(Exception):
    """A peer's environment cannot be made here; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Where a peer's packages are.

    Args:
        python: Its interpreter.
        unpacked_mb: What its packages weigh on disk.
        versions: Of the packages in its requirements file, as they are written there.
    """

    python: Path
    unpacked_mb: float
    versions: tuple[str, ...]


def cache() -> Path:
    """Return the folder in which environments are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base, "data-mesh-learning", "bench")


def requirements(peer: str) -> tuple[str, ...]:
    """Return the lines of a peer's requirements file that name a package."""
    lines = (HERE / f"{peer}.txt").read_text().splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def environment(peer: str) -> Environment:
    """Return a peer's environment; make it where it is missing.

    Raises:
        PeerUnavailableError: The packages cannot be had.
    """
    file = HERE / f"{peer}.txt"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    folder = cache() / f"{peer}-{digest}"
    python = folder / "bin" / "python"
    if not (folder / _MADE).exists():
        _make(folder, file)
        weight = sum(f.stat().st_size for f in _files(folder))
        (folder / _MADE).write_text(json.dumps({"unpacked_mb": weight / 1e6}))
    facts = json.loads((folder / _MADE).read_text())
    return Environment(
        python=python,
        unpacked_mb=float(facts["unpacked_mb"]),
        versions=requirements(peer),
    )


def _files(folder: Path) -> list[Path]:
    return [f for f in folder.rglob("*") if f.is_file() and not f.is_symlink()]


def _make(folder: Path, file: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        _run([sys.executable, "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "--quiet"]
    print(f"Installing {file.stem} into {folder.name} ...", file=sys.stderr)
    _run([*install, "--no-deps", "-r", str(file)])


def _run(command: Sequence[str]) -> None:
    kept = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    try:
        subprocess.run(  # noqa: S603  # our own command line
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env=kept,
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1].strip()
        raise PeerUnavailableError(
            f"its packages could not be installed ({last}). Is a package index in "
            "reach? Run again when it is; what is there is kept."
        ) from None
    except (subprocess.TimeoutExpired, OSError) as error:
        raise PeerUnavailableError(
            f"its environment could not be made ({type(error).__name__})."
        ) from None
