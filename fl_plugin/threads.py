"""One BLAS thread for what a run computes: several cost twice the CPU seconds.

And round otherwise: the coordinator's own steps are the same bytes however many cores
its machine has.
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from threadpoolctl import ThreadpoolController


@dataclass
class _Found:
    """The libraries with threads, and how many modules were loaded when they were."""

    modules: int
    controller: ThreadpoolController


_FOUND: list[_Found] = []


def one_thread() -> AbstractContextManager[object]:
    """Limit every loaded library to one thread, until the context ends.

    Finding them reads this process's memory map, which takes milliseconds: they are
    looked for again only once a module has been imported since, as none is loaded
    otherwise.
    """
    modules = len(sys.modules)
    if not _FOUND or _FOUND[0].modules != modules:
        _FOUND[:] = [_Found(modules, ThreadpoolController())]
    controller = _FOUND[0].controller
    if all(library.num_threads == 1 for library in controller.lib_controllers):
        return nullcontext()  # within another one: to set it again takes 14 us
    limit: AbstractContextManager[object] = controller.limit(limits=1)
    return limit
