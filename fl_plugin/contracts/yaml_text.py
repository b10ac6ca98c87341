"""Values as YAML that reads well and that nothing in them can break out of."""

import unicodedata
from typing import Any

import yaml

_STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_WIDTH = 88
_SHORT = 60  # a list of names that fits one line, under its key


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper with block text, and lists set in under their key."""

    def increase_indent(
        self,
        flow: bool = False,  # noqa: FBT001, FBT002 PyYAML's
        indentless: bool = False,  # noqa: ARG002, FBT001, FBT002 PyYAML's
    ) -> None:
        """Set lists in, as the contracts do."""
        super().increase_indent(flow, False)  # noqa: FBT003 PyYAML's

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 PyYAML's
        """Write everything out: many readers refuse anchors, ours too."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: yaml.SafeDumper, values: list[Any]) -> yaml.SequenceNode:
    plain = all(isinstance(value, str | int | float | None) for value in values)
    short = sum(len(str(value)) + 2 for value in values) < _SHORT
    return dumper.represent_sequence(
        "tag:yaml.org,2002:seq", values, flow_style=plain and short
    )


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)


def yaml_text(value: object) -> str:
    """Return one YAML document.

    Letters of all languages stay as they are, unless a character that steers a
    terminal or hides text is among them: then all that is not ASCII is escaped.
    """
    found = _dump(value, readable=True)
    return found if _harmless(found) else _dump(value, readable=False)


def _dump(value: object, *, readable: bool) -> str:
    return yaml.dump(
        value,
        Dumper=_Dumper,
        allow_unicode=readable,
        default_flow_style=False,
        sort_keys=False,
        width=_WIDTH,
    )


def _harmless(text: str) -> bool:
    return all(c == "\n" or unicodedata.category(c) not in _STEERING for c in text)
