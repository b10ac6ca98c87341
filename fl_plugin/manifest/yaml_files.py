"""Small YAML files, read with caps: a file of settings needs no tricks.

Refused before anything is built: more than 256 kB, nesting below 20 levels, anchors
and aliases (a bomb of 306 characters needs only those), tags, merge keys, duplicate
keys, keys that are not text. Dates stay text. An error never prints what was read.
"""

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from fl_plugin.errors import ContractError, StorageError
from fl_plugin.manifest.validation import shown

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
_DATE_TAG = "tag:yaml.org,2002:timestamp"
_MERGE_TAG = "tag:yaml.org,2002:merge"


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        ContractError: The file is missing, too large, not YAML, or uses a refused
            feature.
        StorageError: It cannot be read.
    """
    text = _text(path)
    try:
        found = copy.deepcopy(_parsed(text))
    except _RefusedError as error:
        raise _invalid(path, str(error)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f" (line {mark.line + 1})" if mark else ""
        raise _invalid(path, f"it is not valid YAML{line}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _invalid(path, "it is not valid YAML") from None
    if not isinstance(found, dict):
        raise _invalid(path, "it does not hold a mapping")
    return found


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    """Parse once: a party reads its own few files at every release."""
    return yaml.load(text, Loader=_CappedLoader)  # noqa: S506 a safe loader


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise ContractError(
                f"{path} does not exist.",
                remedy="Run the command in the folder of the mesh, or write the file.",
            )
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be read ({error.strerror}).",
            remedy="Give this user the right to read it, or check its disk.",
        ) from None
    if len(content) > MAX_BYTES:
        raise _invalid(path, f"it is larger than {MAX_BYTES // 1024} kB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid(path, "it is not UTF-8 text") from None


def _invalid(path: Path, why: str) -> ContractError:
    return ContractError(
        f"{path} cannot be used: {why}.",
        remedy="Keep it plain: mappings, lists, text and numbers, each key once.",
    )


class _RefusedError(Exception):
    """A feature of YAML that a settings file does not need."""


class _CappedLoader(yaml.SafeLoader):
    """PyYAML's safe loader with the caps above."""

    yaml_implicit_resolvers = {  # noqa: RUF012 PyYAML's own name and kind
        first: [(tag, pattern) for tag, pattern in rules if tag != _DATE_TAG]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        """Refuse before composing: an alias is cheap here and dear later."""
        event = self.peek_event()  # type: ignore[no-untyped-call] # untyped stub
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _RefusedError(f"line {line} holds an anchor or an alias")
        if getattr(event, "tag", None):
            raise _RefusedError(f"line {line} holds a tag")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _RefusedError(f"line {line} is nested too deeply")
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 PyYAML's
    ) -> dict[Any, Any]:
        """Refuse merge keys, duplicate keys and keys that are not text."""
        seen: set[str] = set()
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag == _MERGE_TAG or key.tag != self.DEFAULT_SCALAR_TAG:
                raise _RefusedError(f"the key in line {line} is not plain text")
            if key.value in seen:
                name = shown(key.value)
                raise _RefusedError(f"line {line} holds the key {name} twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)
