"""What a run costs: CPU seconds of all its processes, wall time, memory, bytes.

Standard library only, and Linux only: peers run it in environments of their own. A
clock of another process is read by its number (`clock_getcpuclockid` in the C library),
so that threads that have ended count too.
"""

import ctypes
import os
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of <linux/prctl.h>
_CPU_CLOCK = 2  # CPUCLOCK_SCHED of the kernel
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What was spent between two moments.

    Args:
        cpu: Seconds of all processes together, in user and system mode.
        wall: Seconds.
        peak_mb: Largest resident memory of one process, from its start.
        loopback: Bytes that crossed the loopback device, headers of TCP and IP
            included; 0 where the run has no device of its own.
    """

    cpu: float
    wall: float
    peak_mb: float
    loopback: int

    def json(self) -> dict[str, float]:
        """Return it as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The clocks of this process and its descendants at one time."""

    clocks: dict[int, float]
    ended: float
    wall: float
    loopback: int

    @classmethod
    def now(cls) -> "Moment":
        """Read all clocks."""
        pids = family()
        return cls(
            clocks={pid: _clock(pid) for pid in pids},
            ended=sum(_ended(pid) for pid in pids),
            wall=time.perf_counter(),
            loopback=_loopback(),
        )

    def until_now(self) -> Spent:
        """Return what was spent since."""
        now = Moment.now()
        lived = sum(s - self.clocks.get(pid, 0.0) for pid, s in now.clocks.items())
        # A child that has ended since is in `ended` whole, so its start is taken off.
        gone = sum(s for pid, s in self.clocks.items() if pid not in now.clocks)
        return Spent(
            cpu=lived + now.ended - self.ended - gone,
            wall=now.wall - self.wall,
            peak_mb=max(peak_mb(pid) for pid in now.clocks),
            loopback=now.loopback - self.loopback,
        )


def adopt_orphans() -> None:
    """Let processes whose parent ends become this one's, so that none is lost."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def family(root: int | None = None) -> list[int]:
    """Return the ids of a process (this one) and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            parent = _stat(int(entry.name), 1)
            children.setdefault(parent, []).append(int(entry.name))
    found = [root or os.getpid()]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def peak_mb(pid: int) -> float:
    """Return a process's largest resident memory; 0 where it has ended."""
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0.0
    peaks = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return float(peaks[0]) / 1024.0 if peaks else 0.0


def _clock(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | _CPU_CLOCK)
    except OSError:
        return 0.0  # it ended in between


def _ended(pid: int) -> float:
    """CPU seconds of the process's children that have ended and were waited for."""
    if pid == os.getpid():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
    return (_stat(pid, 13) + _stat(pid, 14)) / _TICKS


def _stat(pid: int, place: int) -> int:
    """Return a number of /proc/PID/stat, counted after the name in brackets."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return 0
    return int(text.rpartition(")")[2].split()[place])


def _loopback() -> int:
    """Bytes sent over `lo` in this network namespace."""
    for line in (_PROC / "net" / "dev").read_text().splitlines():
        name, _, counters = line.partition(":")
        if name.strip() == "lo":
            return int(counters.split()[8])
    return 0
