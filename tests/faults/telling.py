"""The program in a process of its own: what it says, and the exit code it ends with.

A run that hangs, or that a signal ends, is told from one that ends with an error.
"""

import ctypes
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.ledger.store import Ledger
from fl_plugin.party import database
from fl_plugin.registry.reservation import reserve
from tests.faults.forked import apart
from tests.typing_in import printed

Setting = Callable[[], None]


@dataclass(frozen=True)
class Told:
    """How the program ended.

    Args:
        code: Its exit code; negative where a signal ended it.
        text: What it has printed, errors and all.
    """

    code: int
    text: str

    @property
    def error(self) -> str:
        """The sentence and the hint of an error, on two lines; empty without one."""
        lines = self.text.splitlines()
        return "\n".join(li for li in lines if li.startswith(("error: ", "hint: ")))


def told(root: Path, *words: str, within: Sequence[Setting] = ()) -> Told:
    """Run `fl WORDS --project ROOT`.

    Args:
        root: The mesh's folder.
        words: Of the command.
        within: What is set in the process first: less rights, less room.
    """
    code, found = apart(_tell, [*words, "--project", os.fspath(root)], tuple(within))
    return Told(*found) if found else Told(code, "")


def _tell(words: list[str], within: Sequence[Setting]) -> tuple[int, str]:
    for setting in within:
        setting()
    return printed(words)


_VERSION_3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_OVERRIDES = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def as_plain_user() -> None:
    """Let permissions of files count for root too: as for any other user.

    capget and capset of Linux; a user that is not root has nothing to give up.
    """
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("Ii", _VERSION_3, 0)
    found = ctypes.create_string_buffer(24)
    assert libc.capget(header, found) == 0
    words = list(struct.unpack("6I", found.raw))
    words[0] &= ~_OVERRIDES
    assert libc.capset(header, struct.pack("6I", *words)) == 0


def impatient() -> None:
    """Wait a moment for locks instead of half a minute."""
    database.LOCK_WAIT_SECONDS = 0.3
    reserve.__wrapped__.__kwdefaults__["patience"] = 0.3  # type: ignore[attr-defined]
    Ledger.open.__func__.__kwdefaults__["busy_seconds"] = 0.3  # type: ignore[attr-defined]
