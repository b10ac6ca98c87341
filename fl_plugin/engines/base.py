"""What an engine is: a transport between one coordinator and the domains' parties."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self


def unheard(party: str) -> None:
    """Tell nobody that a party has answered."""


def tell_when_done(
    answers: Mapping[str, Future[Any]], heard: Callable[[str], None]
) -> None:
    """Tell of each party that it has answered, once it has.

    Args:
        answers: By party; one that comes too late is told to who listened then.
        heard: Whom to tell.
    """
    for name, answer in answers.items():
        answer.add_done_callback(partial(_told, heard, name))


def _told(heard: Callable[[str], None], name: str, _: Future[Any]) -> None:
    heard(name)


class Engine(ABC):
    """Carries bytes to parties and back; use as a context manager.

    Args:
        folders: The domains' folders.
        caller: The consumer on whose behalf messages are sent, as authenticated by
            the engine's channel.
    """

    name: ClassVar[str]
    # Told a party's name as its answer comes, in whichever thread; an engine that does
    # not know when that is tells nobody.
    heard: Callable[[str], None] = staticmethod(unheard)

    @abstractmethod
    def __init__(self, folders: Sequence[Path], caller: str) -> None: ...

    @property
    @abstractmethod
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""

    @abstractmethod
    def exchange(
        self, asks: Mapping[str, bytes], seconds: float
    ) -> Mapping[str, bytes]:
        """Send each party its message; return what each one answers.

        Args:
            asks: By party.
            seconds: To wait for all answers together; who has not answered by then is
                left out.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop the parties."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
