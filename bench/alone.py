"""Runs a command on a loopback device of its own: `python -m bench.alone COMMAND...`.

Whatever crosses the device is the command's, so counting bytes is reading the device;
and the command can reach no other network. Where the kernel does not allow it, the
command runs all the same, `BENCH_ALONE` says no, and no bytes are reported.
Standard library only, Linux only.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000  # of <linux/sched.h>
_SET_FLAGS, _UP = 0x8914, 0x1  # SIOCSIFFLAGS and IFF_UP of <linux/if.h>


def leave() -> bool:
    """Leave the machine's network for an empty one; return whether that worked."""
    user, group = os.getuid(), os.getgid()
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    if unshare(_NEW_NET) != 0:
        if unshare(_NEW_USER | _NEW_NET) != 0:
            return False
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, _SET_FLAGS, struct.pack("16sh", b"lo", _UP))
    return True


def main() -> None:
    """Become the command."""
    os.environ["BENCH_ALONE"] = "yes" if leave() else "no"
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  # the command is the caller's


if __name__ == "__main__":
    main()
