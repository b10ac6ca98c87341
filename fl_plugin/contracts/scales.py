"""Changes of a number and of a list, said in the same way by every family."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from fl_plugin.contracts.change import Found, listed
from fl_plugin.contracts.flat import Path
from fl_plugin.contracts.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A number in a contract; without it the contract is at its loosest.

    Args:
        kind: The first word of its codes.
        what: As a sentence begins.
        looser: The direction that opens.
    """

    kind: str
    what: str
    path: Path
    looser: Literal["lower", "higher"]

    def found(self, before: float | None, after: float | None) -> Iterator[Found]:
        """Yield the change, if there is one."""
        if before == after:
            return
        if before is None or after is None:
            word, opens = ("removed", True) if after is None else ("added", False)
            sentence = f"{self.what} is {'gone' if opens else 'now set'}."
        else:
            word = "raised" if after > before else "lowered"
            opens = (after > before) == (self.looser == "higher")
            sentence = f"{self.what} goes from {before:g} to {after:g}."
        yield Found(
            kind=f"{self.kind}.{word}",
            verdict="loosened" if opens else "tightened",
            sentence=sentence,
            paths=(self.path,),
        )


@dataclass(frozen=True, kw_only=True)
class Words:
    """A list in a contract whose order says nothing.

    Args:
        kind: The first word of its codes.
        what: One of its words, as in "the use predict".
        added: The verdict on a word more.
        removed: The verdict on a word less.
    """

    kind: str
    what: str
    path: Path
    added: Verdict = "loosened"
    removed: Verdict = "tightened"
    column: str = ""

    def found(self, before: Collection[str], after: Collection[str]) -> Iterator[Found]:
        """Yield what was added, what was removed, or that the order has changed."""
        whose = f" of {self.column}" if self.column else ""
        changes: tuple[tuple[str, set[str], Verdict], ...] = (
            ("added", set(after) - set(before), self.added),
            ("removed", set(before) - set(after), self.removed),
        )
        for word, names, verdict in changes:
            if names:
                yield self._said(
                    word, verdict, f"{self.what}{whose} {word}: {listed(names)}."
                )
        if set(before) == set(after) and tuple(before) != tuple(after):
            yield self._said(
                "reordered", "safe", f"{self.what}{whose}: the same, in other words."
            )

    def _said(self, word: str, verdict: Verdict, sentence: str) -> Found:
        return Found(
            kind=f"{self.kind}.{word}",
            verdict=verdict,
            sentence=sentence[:1].upper() + sentence[1:],
            paths=(self.path,),
            column=self.column,
        )
