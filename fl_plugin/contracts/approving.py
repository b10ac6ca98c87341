"""Writes a steward's approval of what a change loosens."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from fl_plugin.contracts.approvals import (
    APPROVALS_FILE,
    Approval,
    ApprovalsFile,
    Judge,
    load_approvals,
    person,
)
from fl_plugin.contracts.pairs import Pair
from fl_plugin.errors import PolicyError, StorageError
from fl_plugin.files import whole
from fl_plugin.manifest.validation import validated
from fl_plugin.signing.keys import SigningKey

_HEADER = """\
# Loosenings of this domain's contracts that its stewards have said yes to. Each names
# both states by digest and covers that change alone. `fl contract approve` adds them,
# `fl contract diff` looks at them.
"""


@dataclass(frozen=True, kw_only=True)
class Yes:
    """One steward's yes.

    Args:
        author: Whose change it is; None for the product's owner.
        key: To sign with; None leaves the yes unsigned.
        at: When; None for this moment.
    """

    by: str
    author: str | None = None
    reason: str = ""
    key: SigningKey | None = None
    at: datetime | None = None


def approve(
    root: Path, pairs: Iterable[Pair], yes: Yes, judge_of: Callable[[str], Judge]
) -> tuple[Approval, ...]:
    """Record a yes to each pair's loosening, in the files of their domains.

    Nothing is written unless every yes counts.

    Raises:
        PolicyError: Whoever says yes may not.
        ContractError: An address, the reason or a file is not valid.
        StorageError: A file cannot be written.
    """
    written: dict[str, list[Approval]] = {}
    fresh: list[Approval] = []
    for pair in pairs:
        folder = root / "domains" / pair.head.domain
        known = written.setdefault(folder.name, list(load_approvals(folder)))
        fresh.append(_add(known, pair, yes, judge_of(folder.name)))
    for domain, approvals in written.items():
        write(root / "domains" / domain / APPROVALS_FILE, approvals)
    return tuple(fresh)


def _is_from(approval: Approval, yes: Yes) -> bool:
    return person(yes.by) in {person(a) for a in approval.by}


def _add(known: list[Approval], pair: Pair, yes: Yes, judge: Judge) -> Approval:
    """Put the yes into the entry that is about this change, or into a new one."""
    before, after = pair.digests
    facts: dict[str, Any] = {
        "product": pair.head.name,
        "from": before,
        "to": after,
        "by": [yes.by],
        "author": yes.author or pair.head.owner.email,
        "at": judge.today.isoformat(),
        "reason": yes.reason,
    }
    fresh = validated(Approval, facts, f"{pair.head.name}, approval")
    _insist(fresh, pair, yes, judge)
    same = [a for a in known if _same(a, fresh)]
    if same:
        facts |= {"by": [*same[0].by], "signatures": dict(same[0].signatures)}
        facts["by"] += [] if _is_from(same[0], yes) else [yes.by]
        known.remove(same[0])
    if yes.key is not None:
        signed = fresh.statement(yes.by).signed_by(yes.key)
        facts["signatures"] = {**facts.get("signatures", {}), yes.by: signed}
    known.append(validated(Approval, facts, f"{pair.head.name}, approval"))
    return known[-1]


def _insist(fresh: Approval, pair: Pair, yes: Yes, judge: Judge) -> None:
    if yes.key is not None:
        signed = {yes.by: fresh.statement(yes.by).signed_by(yes.key)}
        fresh = fresh.model_copy(update={"signatures": signed})
    objection = judge.objection(yes.by, fresh, pair)
    if objection:
        raise PolicyError(
            f"{yes.by} {objection}, so this yes would not count for {pair.head.name}.",
            remedy="A steward of the domain approves, who is one in both states of the "
            "contract, did not write the change, and signs (--key) where the domain "
            "asks for it.",
            reason="approval.not_counted",
            domain=pair.head.domain,
        )


def _same(one: Approval, other: Approval) -> bool:
    """A signature is about the reason as well, so another reason is another entry."""
    names = ("product", "before", "after", "author", "reason")
    return all(getattr(one, n) == getattr(other, n) for n in names)


def write(file: Path, approvals: Iterable[Approval]) -> None:
    """Write the file aside and rename it.

    Raises:
        StorageError: It cannot be written.
    """
    block = ApprovalsFile(approvals=tuple(approvals))
    dumped: Mapping[str, Any] = block.model_dump(
        mode="json", by_alias=True, exclude_defaults=True
    )
    text = yaml.safe_dump(dumped, sort_keys=False, allow_unicode=True, width=88)
    write_text(file, _HEADER + text)


def write_text(file: Path, text: str) -> None:
    """Write a file of the mesh aside and rename it: it is never half-written.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole(file) as opened:
            opened.write(text.encode())
    except OSError as error:
        raise StorageError(
            f"{file.name} cannot be written ({type(error).__name__}).",
            remedy=f"Look at the folder {file.parent} and its permissions.",
        ) from None
