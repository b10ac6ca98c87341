"""A disk that has only so much room: a small file system, or a bound on every file.

A mount needs rights of its own or a user's namespace; where a system gives neither, the
kernel bounds the size of each file instead. Both refuse a write in its midst.
"""

import ctypes
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000  # unshare(2)
_PRIVATE = (1 << 18) | (1 << 14)  # MS_PRIVATE, MS_REC: mount(2)
_PIECE = 4_096


def mounted(folder: Path, size: str) -> bool:
    """Mount a file system for this process alone; return whether that was possible."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_NEW_MOUNTS) != 0:
        if libc.unshare(_NEW_USER | _NEW_MOUNTS) != 0:
            return False
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    libc.mount(b"none", b"/", None, _PRIVATE, None)
    words = (b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode())
    return bool(libc.mount(*words) == 0)


@contextmanager
def room(folder: Path, left: int, *, on_a_mount: bool) -> Iterator[None]:
    """Leave so much room, in bytes, for what is done within.

    Args:
        folder: Of the file system.
        left: How much.
        on_a_mount: Whether it is one of its own; else each file may be so large.
    """
    if not on_a_mount:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    filler = folder / "filler"
    _fill(filler, left)
    try:
        yield
    finally:
        filler.unlink()


def _fill(file: Path, left: int) -> None:
    found = os.statvfs(file.parent)
    free = found.f_bavail * found.f_frsize - left
    with file.open("wb", buffering=0) as filler:
        for _ in range(max(free, 0) // _PIECE):
            filler.write(bytes(_PIECE))
