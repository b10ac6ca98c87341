"""A fitted pipeline as a skops file: deterministic to write, guarded to read.

A skops file is a zip with a schema and arrays. Before a byte of it is parsed its
digest must be the one the registry wrote down; before skops sees it, its members, its
unpacked size and every type in its schema are checked against what `build_pipeline`
can make. Nothing here can pickle.
"""

import hashlib
import hmac
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from fl_plugin.errors import RegistryError
from fl_plugin.model.skops_schema import (
    NodeType,
    allowed_types,
    array_name,
    renumber,
    trusted_names,
    untrusted_node,
)

MAX_BYTES = 128 * 2**20
MAX_UNPACKED = 512 * 2**20
MAX_MEMBERS = 65_536  # two arrays of each tree, and a forest of trees for each class
SCHEMA = "schema.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # no clock in the bytes


def dump(pipeline: BaseEstimator) -> bytes:
    """Return the file's bytes; the same pipeline gives the same bytes."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(pipeline))) as archive:
        # Attributes stand in the order they were set in; sorted, they always agree.
        schema = json.loads(_sorted(json.loads(archive.read(SCHEMA))))
        arrays = {n: archive.read(n) for n in archive.namelist() if n != SCHEMA}
    old_names = renumber(schema)
    members = {array_name(i): arrays[name] for i, name in enumerate(old_names)}
    members[SCHEMA] = _sorted(schema)
    return _zip(members)


def save(pipeline: Pipeline, path: Path) -> str:
    """Write the file and return its digest; the caller's folder makes it atomic."""
    data = dump(pipeline)
    path.write_bytes(data)
    return digest(data)


def load(path: Path, expected: str) -> Pipeline:
    """Read a pipeline whose file must have the digest that the registry kept.

    Args:
        path: A regular file; a link is refused.
        expected: "sha256:" and the digest of the file's bytes.

    Raises:
        RegistryError: Missing, altered, too large, or not a pipeline of this package.
    """
    if path.is_symlink() or not path.is_file():
        raise refusal(path.name, "it is not a regular file")
    if path.stat().st_size > MAX_BYTES:
        raise refusal(path.name, "it is larger than a model may be")
    data = path.read_bytes()
    if not hmac.compare_digest(digest(data), expected):
        raise refusal(path.name, "its bytes are not those that were registered")
    return parse(data, name=path.name)


def parse(data: bytes, *, name: str = "model.skops") -> Pipeline:
    """Return the pipeline in `data`, after every check but the digest's.

    Raises:
        RegistryError: `data` is not a pipeline of this package.
    """
    try:
        allowed = _check(data, name)
        pipeline = skops.io.loads(data, trusted=trusted_names(allowed))
    except RegistryError:
        raise
    except Exception:  # a file from elsewhere may fail anywhere inside zip and skops
        raise refusal(name, "it cannot be read as a skops file") from None
    if not isinstance(pipeline, Pipeline):
        raise refusal(name, "it does not hold a pipeline")
    return pipeline


def digest(data: bytes) -> str:
    """Return "sha256:" and the digest of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def refusal(name: str, reason: str) -> RegistryError:
    """Return the error for a file that must not be loaded."""
    return RegistryError(
        f"{name} is not safe to load: {reason}.",
        remedy="Restore the folder from a backup, or train the study again.",
    )


def _check(data: bytes, name: str) -> frozenset[NodeType]:
    """Return the types that the file may hold, after it was found to hold no other."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        if len(members) > MAX_MEMBERS or len(set(names)) != len(names):
            raise refusal(name, "it has too many members, or one twice")
        if sum(member.file_size for member in members) > MAX_UNPACKED:
            raise refusal(name, "it unpacks to more than a model may need")
        # zipfile stops reading a member at its declared size, so the sum above holds.
        schema: Any = json.loads(archive.read(SCHEMA))
        for array in set(names) - {SCHEMA}:
            np.load(io.BytesIO(archive.read(array)), allow_pickle=False)
    allowed = allowed_types(schema)
    found = untrusted_node(schema, allowed)
    if found is not None:
        raise refusal(name, f"it holds the type {found}, which no model here has")
    return allowed


def _sorted(schema: Any) -> bytes:
    return json.dumps(schema, sort_keys=True).encode()


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, date_time=EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, members[name])
    return buffer.getvalue()
