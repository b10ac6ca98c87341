"""What an engine is: a transport between one coordinator and the domains' parties."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self


class Engine(ABC):
    """Carries bytes to parties and back; use as a context manager.

    Args:
        folders: The domains' folders.
        caller: The consumer on whose behalf messages are sent, as authenticated by
            the engine's channel.
    """

    name: ClassVar[str]

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
