"""The secret by which domains that match rows keep others from testing keys."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fl_plugin.alignment.terms import LEAST_SALT
from fl_plugin.errors import StorageError, UsageError
from fl_plugin.files import PRIVATE, whole
from fl_plugin.manifest.validation import shown
from fl_plugin.party.matched.matching import SALT_FILE

_LARGEST = 4_096


def new_salt() -> bytes:
    """Return 32 random bytes as text that can be carried by hand."""
    return secrets.token_hex(LEAST_SALT).encode() + b"\n"


def read_salt(file: Path) -> bytes:
    """Return the salt in a file.

    Raises:
        UsageError: There is none, or it is too short.
    """
    salt = b""
    with suppress(OSError):
        salt = file.read_bytes()[:_LARGEST]
    if len(salt.strip()) < LEAST_SALT:
        raise UsageError(
            f"{file.name} holds no salt: it needs {LEAST_SALT} random bytes at least.",
            remedy="Make one: fl salt new --to FILE",
        )
    return salt


def write_salt(file: Path, salt: bytes) -> None:
    """Write a salt that only its owner may read.

    Raises:
        UsageError: There is one already; what was matched under it would not match.
        StorageError: The file cannot be written.
    """
    try:
        if file.exists():
            raise UsageError(
                f"There is a salt already: {file}.",
                remedy="Delete it first, in every domain that has it, if all shall "
                "change.",
            )
        with whole(file, mode=PRIVATE) as out:
            out.write(salt)
    except OSError as error:
        raise StorageError(
            f"{file.name[:64]} cannot be written ({error.strerror}).",
            remedy="Free space, fix the permissions of its folder, or name another.",
        ) from None


def give_salt(root: Path, domains: Sequence[str], salt: bytes) -> tuple[Path, ...]:
    """Give several domains of this machine the same salt.

    Raises:
        UsageError: A domain does not exist, or has a salt; nobody gets one then.
    """
    known = {f.parent.name: f.parent for f in (root / "domains").glob("*/node.yml")}
    for domain in domains:  # none becomes a path before it is known
        if domain not in known:
            raise UsageError(
                f"There is no domain {shown(domain)!r} here.",
                remedy="Name domains of this mesh, or write a file: --to FILE",
            )
    folders = [known[domain] for domain in dict.fromkeys(domains)]
    for folder in folders:
        if (folder / SALT_FILE).exists():
            raise UsageError(
                f"The domain {folder.name} has a salt already.",
                remedy=f"Delete its {SALT_FILE} first, if all domains shall change.",
            )
    files = tuple(folder / SALT_FILE for folder in folders)
    for file in files:
        write_salt(file, salt)
    return files
