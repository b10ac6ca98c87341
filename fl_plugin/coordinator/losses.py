"""Who was lost in a run that bears it: when, why, and whether enough are left."""

from collections.abc import Mapping
from dataclasses import dataclass

from fl_plugin.errors import MeshError, MessageError, UnreachableError


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One domain that is out of a run.

    Args:
        round: The one in which it was lost.
        why: In words, after its name.
        silent: Whether nothing came at all.
    """

    round: int
    why: str
    silent: bool = False


def notes_of(lost: Mapping[str, Loss]) -> tuple[str, ...]:
    """Return a sentence about every domain that was lost, in the order of rounds."""
    return tuple(
        f"{_told(party, loss)}. The sums from then on are over the other domains."
        for party, loss in _ordered(lost)
    )


def gone_silent(number: int) -> Loss:
    """Return the loss of a domain that has not answered before the deadline.

    Args:
        number: The round's.
    """
    return Loss(round=number, why="did not answer", silent=True)


def unusable(party: str, loss: Loss) -> MeshError:
    """Return the error for a domain without whose answer the run cannot go on."""
    if loss.silent:
        return UnreachableError(
            f"{_told(party, loss)}.",
            remedy="Look at the domain's node. Where its work takes longer, raise "
            "rounds.deadline_seconds of the study.",
        ).at(party)
    return MessageError(
        f"{_told(party, loss)}.",
        remedy="Look at the domain's node, and check that it runs the same version of "
        "fl_plugin; then run the study again.",
    ).at(party)


def too_few(
    lost: Mapping[str, Loss], fewest: int, *, abandoned: bool = False
) -> MeshError:
    """Return the error for a round with fewer domains than it needs.

    Args:
        lost: Who is out of the run, or silent.
        fewest: That a round needs.
        abandoned: Whether silence alone ended the round before it counted: it is asked
            again once those domains are back.
    """
    names = "; ".join(_told(party, loss) for party, loss in _ordered(lost))
    problem = f"Fewer than {fewest} domains are left: {names}."
    blamed = tuple(party for party, _ in _ordered(lost))
    if abandoned:
        return UnreachableError(
            problem,
            remedy="Look at the nodes of these domains: those that were lost last "
            "have to answer again.",
        ).at(*blamed)
    return MessageError(
        problem,
        remedy="Look at the nodes of these domains, then run the study again.",
    ).at(*blamed)


def _told(party: str, loss: Loss) -> str:
    return f"{party} {loss.why} in round {loss.round}"


def _ordered(lost: Mapping[str, Loss]) -> list[tuple[str, Loss]]:
    return sorted(lost.items(), key=lambda entry: (entry[1].round, entry[0]))
