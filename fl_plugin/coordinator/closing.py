"""Close the parties of a run, unless it is to go on later."""

from collections.abc import Iterator
from contextlib import contextmanager

from fl_plugin.coordinator.federation import Federation
from fl_plugin.errors import MeshError


def close(federation: Federation, *, keep: bool = False) -> tuple[str, ...]:
    """Close every party's session, if it is still open.

    Args:
        federation: The run.
        keep: Whether the parties keep their parts of its model.

    Returns:
        Who was not told, or could not put it on record.
    """
    # Those that were lost as well: one that is back forgets the run. A party that
    # refused has no session to close; the first error is the one to tell.
    parties = federation.transport.parties
    body = {"keep": True} if keep else {}
    try:
        answers = federation.ask_all("close", dict.fromkeys(parties, body))
    except MeshError:
        return parties
    return tuple(p for p, a in answers.items() if isinstance(a, MeshError) and a.passes)


def goes_on(error: BaseException) -> bool:
    """Whether a run that ended so can be resumed: nothing of the run itself failed."""
    if isinstance(error, MeshError):
        return error.passes
    return not isinstance(error, Exception)  # somebody has stopped this program


@contextmanager
def closing(federation: Federation, *, keep: bool = False) -> Iterator[None]:
    """Close the parties once all is done, or has failed for good.

    Where a party did not answer, a disk failed, or somebody stopped this program, they
    stay open: a run with a journal can be resumed.

    Args:
        federation: The run.
        keep: Whether the parties keep their parts of its model if all went well.
    """
    try:
        yield
    except BaseException as error:
        if federation.journal is None or not goes_on(error):
            close(federation)
        raise
    close(federation, keep=keep)
