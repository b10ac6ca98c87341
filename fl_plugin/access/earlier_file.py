"""An earlier version of a file of the repository, found by its digest."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from fl_plugin.manifest.yaml_files import MAX_BYTES, read_yaml

_VERSIONS = 100
_SECONDS = 20


def earlier_bytes(root: Path, name: str, digest: str) -> bytes | None:
    """Return the version of a file that has this digest, from git's history.

    Args:
        root: The folder that holds the file; None is the answer outside a repository.
        name: The file's name in that folder.
        digest: "sha256:" and the digest of its bytes.
    """
    log = _git(root, "log", f"--max-count={_VERSIONS}", "--format=%H", "--", name)
    for commit in (log or b"").decode("ascii", "replace").split():
        content = _git(root, "cat-file", "blob", f"{commit}:./{name}")
        if content is not None and _digest(content) == digest:
            return content
    return None


def read_bytes(content: bytes) -> dict[str, Any]:
    """Return the mapping in YAML that is no file.

    Raises:
        ContractError: As `read_yaml` does.
    """
    with tempfile.NamedTemporaryFile(suffix=".yml") as file:
        file.write(content[: MAX_BYTES + 1])
        file.flush()
        return read_yaml(Path(file.name))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _git(root: Path, *words: str) -> bytes | None:
    """Return what git prints; None where there is no git, or it fails."""
    git = shutil.which("git")
    if git is None:
        return None
    # Reading history starts no hook, pager, monitor or filter of the repository's.
    quiet = (
        "--no-pager",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "log.showSignature=false",
    )
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell, own arguments
            [git, "--no-pager", *quiet, *words],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
