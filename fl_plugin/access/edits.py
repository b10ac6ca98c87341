"""What was done to a grant since an earlier manifest, and may not be done by hand."""

from collections.abc import Iterator
from dataclasses import fields

from fl_plugin.manifest.types import Grant, Product
from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.rule import Refusal

# Who approved, when and which policy: with one of these another, it is a new approval.
_APPROVAL = ("approved_by", "decided_at", "policy", "signatures")
_ENDED = ("rejected", "revoked")


def edit_refusals(
    grant: Grant, before: Grant | None, product: Product
) -> Iterator[Refusal]:
    """Yield what an approval does not cover although it looks as if it did.

    Args:
        grant: As it is now.
        before: As the earlier manifest had it; None where it had none.
        product: What the grant is about.
    """
    if before is None or grant.status != "approved":
        return
    ask = f"Ask {whom_to_ask(product)}: a new request is approved as it stands."
    if before.status in _ENDED:
        yield Refusal(
            "grant.reopened",
            f"The grant {grant.name} on {product.name} was {before.status} and is "
            "approved again.",
            ask,
        )
    changed = _changed(grant, before)
    if before.approved_by and changed and not _is_new_approval(grant, before):
        yield Refusal(
            "grant.edited",
            f"The grant {grant.name} on {product.name} was edited after it was "
            f"approved: {', '.join(changed)}.",
            ask,
        )


def _changed(grant: Grant, before: Grant) -> list[str]:
    """Return the words that differ, but for those of an approval itself."""
    names = [f.name for f in fields(grant) if f.name not in ("status", *_APPROVAL)]
    return [n for n in names if getattr(grant, n) != getattr(before, n)]


def _is_new_approval(grant: Grant, before: Grant) -> bool:
    """A second steward's name under other words than the first one's is none."""
    more = set(grant.approved_by) > set(before.approved_by)
    same_day = grant.decided_at == before.decided_at
    if more and same_day and grant.policy == before.policy:
        return False
    return any(getattr(grant, n) != getattr(before, n) for n in _APPROVAL)
