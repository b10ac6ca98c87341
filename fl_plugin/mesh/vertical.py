"""Vertical studies of a mesh: train one, register its parts, let it score rows."""

import hashlib
import json
from collections.abc import Mapping

from fl_plugin import messages
from fl_plugin.coordinator.vertical_run import VerticalTrained
from fl_plugin.coordinator.vertical_scoring import Kept
from fl_plugin.errors import ContractError, MessageError, RegistryError
from fl_plugin.mesh.finished import FinishedVertical
from fl_plugin.mesh.vertical_record import vertical_record
from fl_plugin.messages import Ask
from fl_plugin.plan.types import Plan
from fl_plugin.registry.reservation import Reservation
from fl_plugin.registry.store import Entry, publish_part
from fl_plugin.report.card import card_of
from fl_plugin.report.html import report_of
from fl_plugin.summand import Arrays
from fl_plugin.vertical.installed import find_vertical


def part_bytes(part: Arrays) -> bytes:
    """Return the coordinator's part of a model as it is kept."""
    told = Ask(kind="part", run="part", round=0, party="coordinator", arrays=dict(part))
    return messages.encode(told)


def part_of(data: bytes) -> Arrays:
    """Return what `part_bytes` wrote.

    Raises:
        RegistryError: It is no part.
    """
    try:
        return messages.decode(data).arrays
    except MessageError:
        raise RegistryError(
            "The coordinator's part of a vertical model cannot be read.",
            remedy="Restore the folder from a backup, or train the study again.",
        ) from None


def kept_parts(entry: Entry) -> Kept:
    """Return where the parts of a registered model are.

    Raises:
        RegistryError: The model is no vertical one, or its file was altered.
    """
    vertical = entry.run.vertical
    if vertical is None:
        raise RegistryError(
            f"{entry.study} v{entry.version} is no vertical model.",
            remedy=f"Score rows with it directly: fl predict {entry.study}",
        )
    confusion = entry.run.confusion
    return Kept(
        run=entry.run.run,
        parts=vertical.parts,
        own=part_of(entry.part()),
        threshold=confusion.threshold if confusion else 0.5,
    )


def insist_on_same(plan: Plan, entry: Entry) -> None:
    """Refuse to score by a study that is no longer the one the model was trained by.

    Every domain's part belongs to its own features in their order, and all parts to
    one algorithm with its parameters.

    Raises:
        ContractError: It names something else than the model's record.
    """
    run = entry.run
    used = find_vertical(plan.algorithm)
    of = (
        used.of(plan.parameters).parameters() if used.name == run.algorithm.name else {}
    )
    same = {
        "algorithm": plan.algorithm == run.algorithm.name,
        "parameters": of == dict(run.algorithm.parameters),
        "target": plan.target == run.target,
        "features": tuple(f.name for f in plan.features) == run.features,
        "products": {p.product for p in plan.parties}
        == {p.product for p in run.products},
        "label_sharing": run.vertical is not None
        and plan.labels == run.vertical.labels,
    }
    changed = next((word for word, is_same in same.items() if not is_same), None)
    if changed is not None:
        raise ContractError(
            f"The study {plan.study} has changed since {entry.study} v{entry.version} "
            f"was trained: it names other {changed}.",
            remedy=f"Train it again: fl train {plan.study}",
        )


def vertical_digest(trained: VerticalTrained) -> str:
    """Return one digest over the parts of all sides."""
    own = hashlib.sha256(part_bytes(trained.fitted.part)).hexdigest()
    parts: Mapping[str, str] = {**trained.parts, "": f"sha256:{own}"}
    text = json.dumps(dict(sorted(parts.items())))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def register_vertical(done: FinishedVertical, slot: Reservation) -> Entry:
    """Register the coordinator's part, the record, its card and report."""
    record = vertical_record(done, slot.version)
    return publish_part(
        slot,
        part_bytes(done.trained.fitted.part),
        record,
        card=card_of(record),
        report=report_of(record),
    )
