"""Replaces the decision in a grant's file and leaves every other byte as it is.

The text is looked up by PyYAML's marks. Whoever calls reads the result again and
compares: what this gets wrong in an unusual file is then refused, never written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from fl_plugin.access.yaml_words import listed, quoted, word
from fl_plugin.errors import ContractError

Decision = Mapping[str, Any]


@dataclass(frozen=True)
class _Edit:
    """Characters `start` to `end` become `text`."""

    start: int
    end: int
    text: str


def with_decision(text: str, place: int, decision: Decision, note: str = "") -> str:
    """Return the file's text with another decision.

    Args:
        text: The file's.
        place: Which of its exposures.
        decision: The words of the new decision, in order.
        note: One line for a comment above it.

    Raises:
        ContractError: The file is not written in a way that can be edited.
    """
    mesh = _mesh(text, place)
    line_end = "\r\n" if "\r\n" in text else "\n"
    edits = list(_edits(text, mesh, decision))
    if note:
        key = _child(mesh, "decision") or _child(mesh, "request")
        if key is not None:
            edits.append(_comment(text, key[0].start_mark.index, note))
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        new = edit.text.replace("\n", line_end)
        text = text[: edit.start] + new + text[edit.end :]
    return text


def _mesh(text: str, place: int) -> yaml.MappingNode:
    try:
        node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
        node = _value(node, "exposures").value[place]
        holder = _child(node, "config")
        meta = _child(holder[1], "meta") if holder else None
        if meta is None or _child(meta[1], "mesh") is None:
            meta = _child(node, "meta")
        found = _value(meta[1] if meta else node, "mesh")
    except (yaml.YAMLError, IndexError, KeyError, TypeError, RecursionError):
        raise uneditable() from None
    if not isinstance(found, yaml.MappingNode) or _child(found, "request") is None:
        raise uneditable()
    return found


def uneditable() -> ContractError:
    """Return what is said of a file that only a person can edit."""
    return ContractError(
        "The decision cannot be written without touching the rest of the file.",
        remedy="Put `decision:` on a line of its own below `request:`, as block YAML.",
    )


def _edits(text: str, mesh: yaml.MappingNode, decision: Decision) -> Iterator[_Edit]:
    found = _child(mesh, "decision")
    if found is None:
        yield _inserted(text, mesh, decision)
        return
    value = found[1]
    if not isinstance(value, yaml.MappingNode):
        raise uneditable()
    if value.flow_style or not value.value:
        yield _Edit(value.start_mark.index, value.end_mark.index, _inline(decision))
        return
    yield from _in_block(text, value, decision)


def _inserted(text: str, mesh: yaml.MappingNode, decision: Decision) -> _Edit:
    """Put a decision behind the request of a grant that has none."""
    key, request = _child(mesh, "request") or (mesh, mesh)
    end = _end(request)
    if mesh.flow_style:
        return _Edit(end, end, f", decision: {_inline(decision)}")
    column = key.start_mark.column
    lines = [" " * column + "decision:"]
    lines += [" " * (column + 2) + line for line in _lines(decision, column + 2)]
    end = _line_end(text, end)
    return _Edit(end, end, "".join(f"\n{line}" for line in lines))


def _in_block(
    text: str, block: yaml.MappingNode, decision: Decision
) -> Iterator[_Edit]:
    """Change each word where it stands, so that the comments beside it stay."""
    column = block.value[0][0].start_mark.column
    known = {key.value: (key, value) for key, value in block.value}
    for name, (key, value) in known.items():
        start, end = key.end_mark.index, _end(value)
        if name in decision:
            yield _Edit(start, end, f":{_written(name, decision[name], column)}")
        else:
            yield _left_out(text, key.start_mark.index, end)
    more = {name: entry for name, entry in decision.items() if name not in known}
    if more:
        lines = _lines(more, column)
        end = _line_end(text, _end(block))
        yield _Edit(end, end, "".join(f"\n{' ' * column}{line}" for line in lines))


def _left_out(text: str, start: int, end: int) -> _Edit:
    """Take a word's lines away; a comment behind it stays on a line of its own."""
    last = _line_end(text, end)
    behind = text[end:last].lstrip()
    if behind:
        return _Edit(start, last - len(behind), "")
    first = text.rfind("\n", 0, start) + 1
    return _Edit(first, min(last + _break(text, last), len(text)), "")


def _comment(text: str, index: int, note: str) -> _Edit:
    start = text.rfind("\n", 0, index) + 1
    line = text[start:index]
    indent = line[: len(line) - len(line.lstrip())]
    return _Edit(start, start, f"{indent}# {note}\n")


def _lines(decision: Decision, column: int) -> list[str]:
    return [f"{n}:{_written(n, value, column)}" for n, value in decision.items()]


def _written(name: str, value: Any, column: int) -> str:
    """Return what follows the colon, in block style."""
    if isinstance(value, Mapping):
        indent = "\n" + " " * (column + 2)
        return "".join(f"{indent}{word(k)}: {quoted(v)}" for k, v in value.items())
    return f" {_scalar(name, value)}"


def _inline(decision: Decision) -> str:
    parts = [
        f"{n}: {_inline(v) if isinstance(v, Mapping) else _scalar(n, v)}"
        for n, v in decision.items()
    ]
    return "{" + ", ".join(parts) + "}"


def _scalar(name: str, value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return listed(value)
    return word(value) if name == "status" else quoted(value)


def _end(node: Any) -> int:
    """Return where a node's text ends: a block's own mark lies behind its comments."""
    nested = isinstance(node, yaml.CollectionNode) and not node.flow_style
    if nested and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    end = len(text) if end < 0 else end
    return end - 1 if end > index and text[end - 1] == "\r" else end


def _break(text: str, index: int) -> int:
    return 2 if text.startswith("\r\n", index) else 1


def _child(node: Any, name: str) -> tuple[Any, Any] | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(((k, v) for k, v in node.value if k.value == name), None)


def _value(node: Any, name: str) -> Any:
    found = _child(node, name)
    if found is None:
        raise KeyError(name)
    return found[1]
