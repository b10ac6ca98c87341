"""What a rule of the decision is; each file in `policy/rules` holds one."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.policy.types import Facts, Outcome


@dataclass(frozen=True)
class Refusal:
    """Why not: a stable code, a sentence for a person, and what that person can do."""

    reason: str
    sentence: str
    remedy: str


def no_product(facts: Facts) -> Refusal:
    """Return the refusal of a rule that has no product to look at."""
    return Refusal(
        "product.missing",
        f"{facts.node.domain} offers no product {facts.request.product}.",
        "See what there is: fl catalog search",
    )


class Rule(ABC):
    """Base class. A rule looks at facts and never at a row.

    It refuses with the first of its `refusals`; it waits for the opened table where
    `waits` says so; otherwise it passes. Third parties may add rules; they can only
    refuse more, since every rule must pass.
    """

    step: ClassVar[int]
    name: ClassVar[str]

    def check(self, facts: Facts) -> Outcome:
        """Return what this rule says."""
        for refusal in self.refusals(facts):
            return Outcome(
                step=self.step,
                rule=self.name,
                status="refused",
                reason=refusal.reason,
                sentence=refusal.sentence,
                remedy=refusal.remedy,
            )
        waits = self.waits(facts)
        return Outcome(
            step=self.step,
            rule=self.name,
            status="at_opening" if waits else "passed",
            reason=f"{self.name}.{'at_opening' if waits else 'passed'}",
            sentence=self.says(facts),
        )

    @abstractmethod
    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Yield reasons to refuse, the first that counts first."""

    @abstractmethod
    def says(self, facts: Facts) -> str:
        """Return the sentence for a rule that does not refuse."""

    def waits(self, facts: Facts) -> bool:  # noqa: ARG002 most rules never wait
        """Return whether the answer needs the opened table."""
        return False
