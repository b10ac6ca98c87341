"""Pinning the mesh's `principals.yml` in a domain's own `node.yml`."""

from dataclasses import dataclass
from typing import Any

import yaml

from fl_plugin.access.earlier_file import earlier_bytes, read_bytes
from fl_plugin.access.home import Home
from fl_plugin.access.people_changes import Change, changes
from fl_plugin.access.writing import again, put, staged
from fl_plugin.errors import ContractError, MeshError, StorageError
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.policy.node import NODE_FILE, NodeSettings
from fl_plugin.policy.principals import (
    PRINCIPALS_FILE,
    Principals,
    load_principals,
    principals_digest,
)


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """What a domain knew, what the mesh says now, and whether that was pinned.

    Args:
        before: The digest that was pinned; empty where none was.
        known: Whether the file of that digest was found, and compared with.
        written: Whether node.yml was changed.
    """

    domain: str
    file: str
    before: str
    now: str
    known: bool
    changes: tuple[Change, ...]
    written: bool


def pin(home: Home, *, write: bool = True) -> Pinned:
    """Return what has changed in principals.yml, and pin it.

    Raises:
        ContractError: One of the two files is not valid, or node.yml is not written in
            a way that can be edited.
        StorageError: node.yml cannot be written.
    """
    path = home.folder / NODE_FILE
    content = read_yaml(path)
    settings = validated(NodeSettings, content, f"{home.name}/{NODE_FILE}")
    now = principals_digest(home.root)
    principals = load_principals(home.root)
    if principals_digest(home.root) != now:
        raise StorageError(
            f"{PRINCIPALS_FILE} was changed while it was read.",
            remedy="Look at the change, then run the command again.",
        )
    old = _known(home, settings)
    written = write and settings.principals != now
    if written:
        _write(home, content, now)
    return Pinned(
        domain=home.name,
        file=str(path.relative_to(home.root)),
        before=settings.principals or "",
        now=now,
        known=old is not None,
        changes=changes(old or Principals(), principals),
        written=written,
    )


def _known(home: Home, settings: NodeSettings) -> Principals | None:
    """Return what the domain has looked at; None where that is not to be had."""
    if settings.principals is None:
        consumers = {n: {"attributes": a} for n, a in settings.consumers.items()}
        return Principals.model_validate({"consumers": consumers})
    content = earlier_bytes(home.root, PRINCIPALS_FILE, settings.principals)
    if content is None:
        return None
    try:
        return validated(Principals, read_bytes(content), PRINCIPALS_FILE)
    except MeshError:
        return None  # of a version with other words


def _write(home: Home, content: dict[str, Any], digest: str) -> None:
    path = home.folder / NODE_FILE
    text = _pinned_text(path.read_bytes().decode("utf-8"), digest)
    wanted = {k: v for k, v in content.items() if k != "consumers"}
    with staged(path, text) as aside:
        if again(aside) != {**wanted, "principals": digest}:
            raise _uneditable(home, digest)
        put(aside, path)


def _pinned_text(text: str, digest: str) -> str:
    """Put the digest in the place of the old one, of `consumers`, or at the end."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    line = f'principals: "{digest}"'
    entries = root.value if isinstance(root, yaml.MappingNode) else []
    for name in ("principals", "consumers"):
        for number, (key, value) in enumerate(entries):
            if key.value != name:
                continue
            flat = name == "principals" or value.flow_style or not value.value
            end = value.end_mark.index
            if not flat:
                end = _last_line(text, end, entries[number + 1 :])
            return text[: key.start_mark.index] + line + text[end:]
    return text + ("" if text.endswith("\n") else "\n") + line + "\n"


def _last_line(text: str, end: int, rest: list[Any]) -> int:
    """Return where a block ends, before the comment and space of what follows it."""
    stop = rest[0][0].start_mark.index if rest else end
    lines = text[:stop].splitlines(keepends=True)
    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
        lines.pop()
    return len("".join(lines).rstrip("\r\n"))


def _uneditable(home: Home, digest: str) -> ContractError:
    return ContractError(
        f"{home.name}/{NODE_FILE} cannot be edited without touching more of it.",
        remedy=f'Write it by hand, in the place of consumers: principals: "{digest}"',
    )
