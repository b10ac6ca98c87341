"""Vertical studies of a mesh: train one, register its parts, let it score rows."""

import hashlib
import json
from collections.abc import Mapping

from fl_plugin import messages
from fl_plugin.coordinator.vertical_run import Kept, VerticalTrained
from fl_plugin.errors import MessageError, RegistryError
from fl_plugin.mesh.vertical_record import FinishedVertical, vertical_record
from fl_plugin.messages import Ask
from fl_plugin.registry.reservation import Reservation
from fl_plugin.registry.store import Entry, publish_part
from fl_plugin.report.card import card_of
from fl_plugin.report.html import report_of
from fl_plugin.summand import Arrays


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
