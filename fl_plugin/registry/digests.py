"""`digests.json`: the SHA-256 of every file of a model folder."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from pathlib import Path

from fl_plugin.errors import RegistryError

DIGESTS = "digests.json"
MAX_BYTES = 64 * 2**20
_ENTRY = re.compile(r"sha256:[0-9a-f]{64}")


def digests_bytes(files: Mapping[str, bytes]) -> bytes:
    """Return the canonical text that names each file's digest."""
    return _canonical({name: _digest(data) for name, data in files.items()})


def read_digests(folder: Path) -> dict[str, str]:
    """Return file name to digest.

    Raises:
        RegistryError: The file is missing or is not what was written.
    """
    data = _read(folder, DIGESTS)
    try:
        files = json.loads(data)["files"]
        sound = _canonical(files) == data and all(map(_ENTRY.fullmatch, files.values()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        sound = False
        files = {}
    if not sound:
        raise altered(folder, DIGESTS, "it was altered")
    return dict(files)


def read_checked(folder: Path, name: str, digests: Mapping[str, str]) -> bytes:
    """Return a file's bytes once they are known to be the registered ones.

    Raises:
        RegistryError: The file is missing, a link, too large or altered.
    """
    data = _read(folder, name)
    if not hmac.compare_digest(_digest(data), digests.get(name, "")):
        raise altered(folder, name, "its bytes are not those that were registered")
    return data


def altered(folder: Path, name: str, reason: str) -> RegistryError:
    """Return the error that names the file inside the registry."""
    place = f"{folder.parent.name}/{folder.name}/{name}"
    return RegistryError(
        f"{place} in the registry cannot be trusted: {reason}.",
        remedy="Restore the folder from a backup, or train the study again.",
    )


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        if path.is_symlink() or not path.is_file():
            raise altered(folder, name, "it is missing, or not a regular file")
        if path.stat().st_size > MAX_BYTES:
            raise altered(folder, name, "it is too large")
        return path.read_bytes()
    except OSError as error:
        raise altered(folder, name, f"it cannot be read ({error.strerror})") from None


def _canonical(files: Mapping[str, str]) -> bytes:
    text = json.dumps(
        {"files": dict(files), "schema": "digests/1"}, indent=1, sort_keys=True
    )
    return (text + "\n").encode()


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
