"""Words as they are written into a YAML file that dbt and we read again.

A word that YAML would take for something else (`no`, `1e3`, a date) is quoted. Braces
never get this far: dbt renders them, so a name with braces would be a programme.
"""

import json
import re
from collections.abc import Sequence

import yaml

from fl_plugin.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.@+-]*")
# Letters that look like others cannot stand in for a steward's name.
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,190}")


def word(text: str) -> str:
    """Return a text as one YAML scalar, plain where that is safe."""
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """Return a text in double quotes; JSON's are YAML's."""
    return json.dumps(text, ensure_ascii=False)


def listed(texts: Sequence[str]) -> str:
    """Return a list on one line."""
    return f"[{', '.join(word(t) for t in texts)}]"


def address(text: str) -> str:
    """Return who somebody says they are, as an address that can be written down.

    Raises:
        UsageError: It is none, or has letters that look like others.
    """
    found = text.strip()
    if not _ADDRESS.fullmatch(found):
        raise UsageError(
            "--by is not a plain e-mail address.",
            remedy="Write it like --by steward.consumer@bank.example.",
        )
    return found
