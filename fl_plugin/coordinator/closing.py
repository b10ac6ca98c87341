"""Close the parties of a run, unless it is to go on later."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fl_plugin.coordinator.federation import Federation
from fl_plugin.errors import (
    MeshError,
    RegistryHeldError,
    StorageError,
    UnreachableError,
)

# What passes: a domain that is out of reach comes back, a disk that is full, or a file
# that is locked, is not so for ever, and another writer ends.
PASSING = (UnreachableError, StorageError, RegistryHeldError)


def close(federation: Federation, *, keep: bool = False) -> None:
    """Close every party's session, if it is still open.

    Args:
        federation: The run.
        keep: Whether the parties keep their parts of its model.
    """
    # Those that were lost as well: one that is back forgets the run. A party that
    # refused has no session to close; the first error is the one to tell.
    body = {"keep": True} if keep else {}
    with suppress(MeshError):
        federation.ask_all("close", dict.fromkeys(federation.transport.parties, body))


def goes_on(error: BaseException) -> bool:
    """Whether a run that ended so can be resumed: nothing of the run itself failed."""
    stopped = not isinstance(error, Exception)
    return stopped or isinstance(error, PASSING)


@contextmanager
def closing(
    federation: Federation, *, keep: bool = False, resumes: bool = True
) -> Iterator[None]:
    """Close the parties once all is done, or has failed for good.

    Where a party did not answer, a disk failed, or somebody stopped this program, they
    stay open: the run can be resumed.

    Args:
        federation: The run.
        keep: Whether the parties keep their parts of its model if all went well.
        resumes: Whether the parties can take such a run up again.
    """
    try:
        yield
    except BaseException as error:
        if not (resumes and federation.journal is not None and goes_on(error)):
            close(federation)
        raise
    close(federation, keep=keep)
