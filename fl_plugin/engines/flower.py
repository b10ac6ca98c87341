"""Every party on a machine of its own: Flower carries the messages, over mutual TLS.

Flower takes no part in what is asked or added up. A question goes to the node that was
admitted for the domain, signed by the coordinator; it is asked again, the same bytes,
until there is an answer or no time is left.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from fl_plugin.engines.base import Engine
from fl_plugin.errors import PolicyError, UsageError

if TYPE_CHECKING:
    from fl_plugin.flower.asking import Answer


class Flower(Engine):
    """Parties behind Flower's SuperNodes.

    Raises:
        UsageError: Flower is not installed, or no node is admitted for a domain.
        UnreachableError: No SuperLink runs for this mesh on this machine.
    """

    name: ClassVar[str] = "flower"

    def __init__(self, folders: Sequence[Path], caller: str) -> None:
        if importlib.util.find_spec("flwr") is None:
            raise UsageError(
                "The engine flower needs a package that is not installed.",
                remedy="Install it: pip install 'data-mesh-learning[flower]'",
            )
        # Flower takes a second to import, and every verb discovers the engines.
        from fl_plugin.flower.lines import Lines  # noqa: PLC0415
        from fl_plugin.flower.places import LinkPlace  # noqa: PLC0415

        self._parties = tuple(sorted(folder.name for folder in folders))
        root = folders[0].parent.parent
        self._lines = Lines(LinkPlace(root), self._parties, caller)

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""
        return self._parties

    def exchange(
        self, asks: Mapping[str, bytes], seconds: float
    ) -> Mapping[str, bytes]:
        """Send each node its message; who has not answered in time is left out.

        Args:
            asks: Domain to what it is asked.
            seconds: How long to ask.

        Raises:
            PolicyError: A node does not pass a question on.
        """
        found = self._lines.exchange(asks, seconds, self.heard)
        return {name: _passed_on(name, answer) for name, answer in found.items()}

    def close(self) -> None:
        """Leave the nodes to whoever runs them."""
        self._lines.close()


def _passed_on(name: str, answer: "Answer") -> bytes:
    if answer.problem:
        raise PolicyError(
            answer.problem,
            remedy=answer.remedy or "Ask the domain's team.",
            reason=answer.code or "caller.unknown",
            domain=name,
        )
    return answer.data
