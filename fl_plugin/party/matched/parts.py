"""A domain's own part of a vertical model, in its own folder and nobody else's.

`models/<study>/<run>.part` is a message to itself: a JSON header and arrays, never a
pickle. It holds the own columns' preparation and the own weights. The record of the
run keeps its digest, so that a changed part is not used.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fl_plugin import messages
from fl_plugin.errors import MessageError, RegistryError, StorageError
from fl_plugin.files import PRIVATE, whole
from fl_plugin.messages import Ask
from fl_plugin.party.matched.state import Columns
from fl_plugin.plan.wire import features_json, read_features
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.summand import Arrays

FOLDER = "models"
_NAME = re.compile(r"[a-z0-9_.-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a domain keeps of a vertical model.

    Args:
        algorithm: Its name.
        parameters: The algorithm's.
        columns: The own ones, as they were prepared.
        arrays: The own part of the model.
        labelled: Whether the domain has the target.
    """

    algorithm: str
    parameters: Mapping[str, Any]
    columns: Columns
    arrays: Arrays
    labelled: bool


def place_of(folder: Path, study: str, run: str) -> Path:
    """Return where the part of a run lies.

    Raises:
        RegistryError: A name is none.
    """
    if not _NAME.fullmatch(study) or not _NAME.fullmatch(run) or ".." in study + run:
        raise RegistryError(
            "A model's part was asked for under a name that is none.",
            remedy="Name a study and a run of this mesh.",
        )
    return folder / FOLDER / study / f"{run}.part"


def refuse_second(file: Path, domain: str) -> None:
    """Refuse a run whose name a part bears: that model may be registered.

    Raises:
        RegistryError: There is one.
    """
    if file.exists():
        raise RegistryError(
            f"{domain} has a part of a run of this name already.",
            remedy="Start a new run; a part is never written over.",
        )


def keep(file: Path, part: Part) -> str:
    """Write a part whole, and return the digest of its bytes.

    Raises:
        StorageError: The disk refused; nothing is half-written.
    """
    facts, prepared = part.columns.prepared.to_wire()
    schema = part.columns.prepared.schema
    told = Ask(
        kind="part",
        run="part",
        round=0,
        party="own",
        body={
            "algorithm": part.algorithm,
            "parameters": dict(part.parameters),
            "codes": part.columns.codes,
            "labelled": part.labelled,
            "prepares": schema.prepares,
            "min_cohort": schema.min_cohort,
            "edges": schema.edges,
            "kind": schema.target.kind,
            "classes": list(schema.target.classes),
            "features": features_json(schema.features),
            **facts,
        },
        arrays={
            **{f"p.{name}": array for name, array in prepared.items()},
            **{f"m.{name}": array for name, array in part.arrays.items()},
        },
    )
    data = messages.encode(told)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder for models cannot be made ({error.strerror}).",
            remedy="Free space or fix the permissions of the domain's folder.",
        ) from None
    with whole(file, mode=PRIVATE) as out:
        out.write(data)
    return digest(data)


def recall(file: Path, expected: str) -> Part:
    """Return the part of an earlier run.

    Args:
        file: As `place_of` says.
        expected: The digest that the run's record holds.

    Raises:
        RegistryError: It is missing, was altered, or is no part.
    """
    try:
        data = file.read_bytes()
    except OSError:
        raise _unusable("is not there") from None
    if digest(data) != expected:
        raise _unusable("was altered")
    try:
        told = messages.decode(data)
        return _read(told.body, told.arrays)
    except (MessageError, KeyError, TypeError, ValueError):
        raise _unusable("cannot be read") from None


def digest(data: bytes) -> str:
    """Return the digest that a run's record keeps."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _read(body: Mapping[str, Any], arrays: Arrays) -> Part:
    from fl_plugin.party.wanting import read_target  # noqa: PLC0415 imports this room

    schema = Schema(
        features=read_features(body["features"]),
        target=read_target({"kind": body["kind"], "classes": body["classes"]}),
        prepares=str(body["prepares"]),
        min_cohort=int(body["min_cohort"]),
        edges=str(body["edges"]),
    )
    prepared = {n[2:]: a for n, a in arrays.items() if n.startswith("p.")}
    return Part(
        algorithm=str(body["algorithm"]),
        parameters=dict(body["parameters"]),
        columns=Columns(
            prepared=Prepared.from_wire(body, prepared, schema),
            codes=bool(body["codes"]),
        ),
        arrays={n[2:]: a for n, a in arrays.items() if n.startswith("m.")},
        labelled=body["labelled"] is True,
    )


def _unusable(why: str) -> RegistryError:
    return RegistryError(
        f"The domain's part of the model {why}.",
        remedy="Restore it from a backup, or train the study again.",
    )
