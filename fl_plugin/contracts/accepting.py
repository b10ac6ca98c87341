"""Which loosenings count as accepted, and why an approval does not count."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from fl_plugin.contracts.approvals import (
    APPROVALS_FILE,
    Approval,
    Judge,
    about,
    load_approvals,
    needed,
    person,
)
from fl_plugin.contracts.change import Accepted, Change
from fl_plugin.contracts.pairs import Pair
from fl_plugin.policy.node import NODE_FILE, load_node


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What the domains' approvals say of a change.

    Args:
        root: The mesh's folder: the approvals are the head's.
        notes: Grows: why an approval does not count.
    """

    root: Path
    today: date
    authors: Collection[str] = ()
    notes: list[str] = field(default_factory=list)

    def __call__(self, pair: Pair, changes: list[Change]) -> list[Change]:
        """Return the changes, those that are loosened with their approval.

        Raises:
            ContractError: The domain's approvals or settings are not valid.
        """
        loosened = [c for c in changes if c.verdict == "loosened"]
        if not loosened:
            return changes
        accepted = self._accepted(pair, loosened)
        return [
            replace(c, accepted=accepted) if c.verdict == "loosened" else c
            for c in changes
        ]

    def judge(self, domain: str) -> Judge:
        """Return what decides whether an approval of this domain counts.

        Raises:
            ContractError: The domain's settings are not valid.
        """
        folder = self.root / "domains" / domain
        if not (folder / NODE_FILE).is_file():
            return Judge(today=self.today, authors=self.authors)
        node = load_node(folder)
        return Judge(
            today=self.today,
            authors=self.authors,
            principals=node.principals,
            signed="contracts" in node.require_signatures,
        )

    def _accepted(self, pair: Pair, loosened: list[Change]) -> Accepted | None:
        domain = pair.head.domain
        approvals = load_approvals(self.root / "domains" / domain)
        judge, wanted = self.judge(domain), needed(pair, loosened)
        for approval in about(pair, approvals):
            objections = {a: judge.objection(a, approval, pair) for a in approval.by}
            counted = [a for a in approval.by if not objections[a]]
            if len({person(a) for a in counted}) >= wanted:
                return Accepted(
                    by=tuple(counted),
                    at=approval.at.isoformat(),
                    reason=approval.reason,
                )
            self.notes.append(_why_not(approval, objections, wanted))
        return None


def _why_not(approval: Approval, objections: Mapping[str, str], wanted: int) -> str:
    told = [f"{who} {why}" for who, why in objections.items() if why]
    counted = sum(not why for why in objections.values())
    told += [f"{wanted} must approve, {counted} count"] * (not told or counted > 0)
    return f"{APPROVALS_FILE}, {approval.product}: {'; '.join(told)}."
