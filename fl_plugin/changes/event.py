"""What may happen in a mesh, and the event that tells of it: names, never a value."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.words import Name

Kind = Literal[
    "product.added",
    "product.updated",
    "product.removed",
    "schema.breaking",
    "schema.changed",
    "policy.changed",
    "sla.breached",
    "version.added",
    "version.deprecated",
    "grant.requested",
    "grant.approved",
    "grant.rejected",
    "grant.expiring",
    "grant.expired",
    "grant.revoked",
    "study.added",
    "study.changed",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Direction = Literal["loosened", "tightened"]

EventId = Annotated[str, StringConstraints(pattern=r"^evt_[0-9a-f]{32}\z")]
# Made of validated names; the cap is for a line that somebody has put there.
Words = Annotated[str, StringConstraints(max_length=4000)]
Label = Annotated[str, StringConstraints(max_length=300)]
Labels = Annotated[tuple[Label, ...], Field(max_length=1000)]


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that is different now, before it has a number.

    Args:
        product: `<domain>.<model>`.
        version: Of the product; None where it has none, or where all are meant.
        node: dbt's unique id of what to look at in the catalog.
        subject: The grant's or the study's name; "" for a product's own change.
        concerns: Addresses: owners of studies and grants that depend on the product,
            or the stewards whom a request waits for.
        consumers: The names of those consumers; none means whoever looks.
        columns: That it is about.
        direction: Of a policy, where it is known.
    """

    kind: Kind
    product: str
    version: int | None = None
    node: str = ""
    subject: str = ""
    sentence: str
    remedy: str
    concerns: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    direction: Direction | None = None


class Event(ContractBlock):
    """A change with its number in a domain's outbox.

    Args:
        id: The same for the same step from one published state to the next, so that
            whoever gets an event twice can tell.
        sequence: Counts from 1 in each domain, without a gap.
        at: When it was noticed, UTC.
    """

    id: EventId
    sequence: Annotated[int, Field(ge=1)]
    at: datetime
    kind: Kind
    domain: Name
    product: Label
    version: int | None = None
    node: Label = ""
    subject: Label = ""
    sentence: Words
    remedy: Words
    concerns: Labels = ()
    consumers: Labels = ()
    columns: Labels = ()
    direction: Direction | None = None

    def concerns_consumer(self, consumer: str) -> bool:
        """Return whether a consumer wants to know: it is named, or nobody is."""
        return not self.consumers or consumer in self.consumers


def event_of(change: Change, domain: str, place: tuple[int, int, datetime]) -> Event:
    """Return a change as an event.

    Args:
        change: What happened.
        domain: Where.
        place: The number of the last event before the step, this event's number, and
            when it was noticed. The first of them tells a step from the same step
            taken again after it was undone.
    """
    after, sequence, at = place
    return Event(
        id=event_id(change, domain, after),
        sequence=sequence,
        at=at,
        domain=domain,
        **asdict(change),
    )


def event_id(change: Change, domain: str, after: int) -> str:
    """Return the deterministic id of a change."""
    facts = {"domain": domain, "after": after, **asdict(change)}
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return f"evt_{hashlib.sha256(text.encode('ascii')).hexdigest()[:32]}"
